#!/bin/sh
# compare_llama.sh for a file of each block type: makes it with `gemma3n synth`, compares, deletes it.
#   bench/compare_types.sh [PAIRS] [options of compare_llama.sh, as --kernels avx2 -t 2 --prefill 512 --decode 64]
# The files and their main types: gemma3-4b q4_k_m (Q4_K, Q6_K), e2b q4_k_m (the same in a Gemma 3n), e2b q8_0 (Q8_0), e2b q4_0, and
# Gemma 3 270M q4_k_m from GEMMA3N_CACHE (Q5_0 and Q8_0 beside Q4_K and Q6_K: most of its rows are no multiple of 256). FILES picks among them, as
# FILES="e2b-q8_0 270m". WORK (default: the system's temporary folder) needs 6 GB. GEMMA3N names the command (default build/bench/gemma3n).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
cache=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}
build=${BUILD:-$root/build/bench}
export BUILD="$build"
pairs=5
case ${1:-} in [0-9]*) pairs=$1; shift ;; esac
PYTHON=$("$root/bench/peer.sh") || exit $?
export PYTHON
command=${GEMMA3N:-$build/gemma3n}
if [ -z "${GEMMA3N:-}" ]; then
    packages=$("$PYTHON" -c 'import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec("llama_cpp").origin).parents[1])')
    [ -f "$build/build.ninja" ] || cmake -S "$root" --preset bench -B "$build" -DLLAMA_CPP_DIR="$packages" >&2
    ninja -C "$build" gemma3n >&2
fi
work=$(mktemp -d "${WORK:-${TMPDIR:-/tmp}}/gemma3n-types-XXXXXX"); trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for file in ${FILES:-gemma3-4b-q4_k_m e2b-q4_k_m e2b-q8_0 e2b-q4_0 270m}; do
    echo "== $file"
    if [ "$file" = 270m ]; then
        model=$cache/gemma3-270m-q4_k_m.gguf
        [ -f "$model" ] || { echo "skipped: $model is not here (tools/fetch_270m.sh)"; continue; }
        "$root/bench/compare_llama.sh" "$model" "$pairs" "$@"
        continue
    fi
    model=$work/$file.gguf
    "$command" synth --size "${file%-*}" --type "${file##*-}" -o "$model"
    "$root/bench/compare_llama.sh" "$model" "$pairs" "$@"
    rm -f "$model"
done
