#!/bin/sh
# The whole way on a fresh Debian 12: installs what is needed, builds, fetches a small model with real weights, answers.
#   ./run.sh                        a prompt of our own, then (in a terminal) yours
#   ./run.sh PROMPT [options]       yours; options as in `gemma3n run --help`
#   MODEL=file.gguf ./run.sh ...    another model: a GGUF file or a Hugging Face directory
set -eu
cd "$(dirname "$0")"
tools/packages.sh build
command=build/release/gemma3n
[ -x $command ] || echo "Building, about a minute on two cores" >&2
[ -f build/release/build.ninja ] || cmake --preset release -DGEMMA3N_TESTS=OFF > /dev/null
if [ -t 2 ]; then ninja -C build/release gemma3n >&2
else ninja -C build/release --quiet gemma3n >&2; fi
if [ -n "${MODEL:-}" ]; then
    if [ $# -gt 0 ]; then exec $command run "$MODEL" "$@"; fi
    exec $command run "$MODEL"
fi
model=$(tools/fetch_270m.sh)
# a base model: it continues text, it does not chat; hence --raw
if [ $# -gt 0 ]; then exec $command run "$model" --raw "$@"; fi
prompt="Water boils at"
echo "gemma3n run $model --raw --temp 0 -n 18 --stats \"$prompt\"" >&2
printf '%s' "$prompt"
$command run "$model" --raw --temp 0 -n 18 --stats "$prompt" < /dev/null
if [ -t 0 ] && [ -t 1 ]; then
    echo "Now yours: begin a text, it is continued (a small base model: it does not chat)." >&2
    exec $command run "$model" --raw -n 64
fi
