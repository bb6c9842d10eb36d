#!/bin/sh
# The live comparisons with the executable references:
#   tests/oracle/run.sh [path of the gemma3n command, default build/release/gemma3n]
# in a virtual environment under GEMMA3N_CACHE (default ~/.cache/gemma3n), or in the one that GEMMA3N_ORACLE names.
# Exit 0: all agree. 1: something differs. 77: the references cannot be had here; the committed goldens say the same without them.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command=${1:-$root/build/release/gemma3n}
cache=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}
if [ -n "${GEMMA3N_ORACLE:-}" ]; then
    venv=$GEMMA3N_ORACLE
else
    venv=$cache/oracle
    mkdir -p "$cache"
    "$here/setup.sh" "$venv" || exit $?
fi
python=$venv/bin/python
failed=0
echo "== tiny models with fresh weights against transformers"
"$python" "$here/live.py" "$command" || failed=1
echo "== slices in place, exported, and in transformers"
"$python" "$here/slices.py" "$command" || failed=1
if HF_ENDPOINT=http://127.0.0.1:1 "$command" pull x/y 2>&1 | grep -q "no network part"; then
    echo "== the cache of models: skipped, this build has no network part"
else
    echo "== the cache of models against huggingface_hub"
    "$python" "$here/hub_cache.py" "$command" || failed=1
fi
echo "== tiny models of every block type against transformers on the de-quantised weights"
"$python" "$here/blocks.py" "$command" || failed=1
tokens_test=$(dirname "$command")/test_tokens
if [ -x "$tokens_test" ]; then
    echo "== the tokenizer against the tokenizers library"
    status=0
    "$python" "$here/tokens.py" "$tokens_test" --command "$command" || status=$?
    [ $status -eq 0 ] || [ $status -eq 77 ] || failed=1
else
    echo "== the tokenizer: skipped, $tokens_test is not built"
fi
echo "== quantisers against llama.cpp's (needs llama-cpp-python in the same environment)"
status=0
"$python" "$here/quant.py" "$command" || status=$?
[ $status -eq 0 ] || [ $status -eq 77 ] || failed=1
echo "== pictures and sound against transformers, from files to logits"
status=0
"$here/media_files.sh" "$cache/media" "$python" || status=$?
if [ $status -eq 0 ]; then
    tokenizer=
    [ ! -f "$cache/gemma3-tokenizer.json" ] || tokenizer="--tokenizer $cache/gemma3-tokenizer.json"
    "$python" "$here/media.py" "$command" --media "$cache/media" $tokenizer || failed=1
elif [ $status -ne 77 ]; then
    failed=1
fi
model=$cache/gemma3-270m-q4_k_m.gguf
if [ -f "$model" ]; then
    echo "== quantised files in llama.cpp, on real weights (needs llama-cpp-python in the same environment)"
    status=0
    "$python" "$here/quant_exchange.py" "$command" "$model" || status=$?
    [ $status -eq 0 ] || [ $status -eq 77 ] || failed=1
    echo "== Gemma 3 270M against transformers on its de-quantised weights"
    "$python" "$root/tools/oracle/gemma3_270m.py" "$model" --gemma3n "$command" || failed=1
else
    echo "== Gemma 3 270M: skipped, $model is not here (tools/fetch_270m.sh fetches it)"
fi
exit $failed
