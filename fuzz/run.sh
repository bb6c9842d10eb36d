#!/bin/sh
# fuzz/run.sh SECONDS: builds the fuzz targets and runs each for that long, two at a time, from the committed seeds. What is found
# new stays in build/fuzz/corpus and is taken up by the next run. Fails when a target fails; its input then lies in build/fuzz/findings.
set -eu
seconds=${1:?usage: fuzz/run.sh SECONDS}
cd "$(dirname "$0")/.."
build=build/fuzz
targets="gguf projector safetensors config tokenizer_json tokenizer_gguf text image sound"
cmake --preset fuzz >/dev/null
if ninja -C $build -t query fuzz_video >/dev/null 2>&1; then targets="$targets video"; fi  # FFmpeg is there
# shellcheck disable=SC2086  # one word a target
ninja -C $build -j2 $(printf 'fuzz_%s ' $targets)
mkdir -p $build/findings

one() {
    mkdir -p "$build/corpus/$1"
    max_len=65536
    [ "$1" = text ] && max_len=2048
    if "$build/fuzz/fuzz_$1" -max_total_time="$seconds" -max_len=$max_len -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/findings/$1-" "$build/corpus/$1" "fuzz/corpus/$1" >"$build/findings/$1.log" 2>&1; then
        echo "$1: clean, $(sed -n 's/stat::number_of_executed_units: *//p' "$build/findings/$1.log") inputs"
    else
        echo "$1: FOUND SOMETHING, see $build/findings/$1.log, which ends:"
        tail -n 40 "$build/findings/$1.log"
        return 1
    fi
}

failed=0
# shellcheck disable=SC2086
set -- $targets
while [ $# -gt 0 ]; do
    one "$1" & first=$!
    second=
    shift
    if [ $# -gt 0 ]; then
        one "$1" & second=$!
        shift
    fi
    wait $first || failed=1
    [ -z "$second" ] || wait $second || failed=1
done
exit $failed
