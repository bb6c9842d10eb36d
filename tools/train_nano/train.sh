#!/bin/sh
# Trains nano end to end, resumable after any kill: the same command goes on.
#   tools/train_nano/train.sh [--out DIR] [--phase PHASE [--from DIR]] [--minutes N] [--device cuda [--workers N]] [--scale X [--size X]]
# DIR is ~/.cache/gemma3n/nano by default. Phases: data, vision and audio (side by side), text, joint, polish; then table, suite, export.
# --phase runs one of them (with the data it needs) from the weights of those before it, which may have been brought from elsewhere: --from.
# --minutes ends the sitting with a checkpoint (exit 3). NANO_PYTHON names another python with torch, as one with CUDA.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${GEMMA3N_CACHE:-$HOME/.cache/gemma3n}
out=$cache/nano from= only= minutes=0 device=cpu workers=0 scale=1 size=1
while [ $# -gt 0 ]; do
    [ $# -gt 1 ] || { echo "train.sh: $1 needs a value" >&2; exit 2; }
    case $1 in
        --out) out=$2 ;;
        --from) from=$2 ;;
        --phase) only=$2 ;;
        --minutes) minutes=$2 ;;
        --device) device=$2 ;;
        --workers) workers=$2 ;;
        --scale) scale=$2 ;;
        --size) size=$2 ;;
        *) echo "train.sh: unknown option '$1'" >&2; exit 2 ;;
    esac
    shift 2
done
if [ -n "$from" ] && [ -f "$from/nano-Q8_0.gguf" ] && [ "$only" != joint ] && [ "$only" != polish ]; then
    echo "train.sh: --from $from is the shipped model, from which only --phase joint and --phase polish go on" >&2
    exit 2
fi
case $only in '' | data | vision | audio | text | joint | polish | table | suite | export) ;; *) echo "train.sh: unknown phase '$only'" >&2; exit 2 ;; esac

"$root/tools/packages.sh" nano
if [ -n "${NANO_PYTHON:-}" ]; then
    python=$NANO_PYTHON
else
    "$root/tests/oracle/setup.sh" "$cache/oracle"
    python=$cache/oracle/bin/python
fi
mkdir -p "$out"

# MKL picks its kernels by the maker's name: on another maker's CPU with AVX-512 it takes slower ones (text: 0.6 times the tokens a second), unless it is told
if [ "$device" = cpu ] && ! grep -q GenuineIntel /proc/cpuinfo && grep -q avx512f /proc/cpuinfo; then
    case $out in *[\ :]*) ;; *)  # neither can stand in LD_PRELOAD
        echo 'int mkl_serv_intel_cpu_true(void) { return 1; }' | g++ -shared -fPIC -x c -o "$out/mkl_any_maker.so" -
        export LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$out/mkl_any_maker.so" ;;
    esac
fi
export MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=8589934592  # a step's tensors are not given back: their pages would be faulted in again

end=$(($(date +%s) + minutes * 60))

left() {  # minutes until the sitting ends; 0: no end
    [ "$minutes" != 0 ] || { echo 0; return; }
    seconds=$((end - $(date +%s)))
    [ $seconds -gt 60 ] && echo $((seconds / 60)) || echo 1
}
# threads that spin while they wait take the other phase's core
start() {  # PHASE THREADS [PROCESSES]
    exec env OMP_NUM_THREADS="$2" OMP_WAIT_POLICY=PASSIVE "$python" "$here/train.py" "$1" --threads "$2" --ranks "${3:-1}" --out "$out" ${from:+--from "$from"} --minutes "$(left)" --device "$device" \
        --workers "$workers" --scale "$scale" --size "$size"
}
run() { (start "$@"); }
towers() {
    [ "$device" = cpu ] || { run vision 1; run audio 1; return; }
    start vision 1 & vision=$!
    trap 'kill $vision 2> /dev/null || :' EXIT
    trap 'exit 130' INT TERM
    status=0
    run audio 1 || status=$?
    wait $vision || status=$?
    trap - EXIT INT TERM
    return $status
}

cores=$(nproc)
[ "$cores" -le 4 ] || cores=4
processes=$cores
[ "$device" = cpu ] || processes=1
case $only in
    '')
        run data 1
        towers
        run text 1 "$processes"
        run joint 1 "$processes"
        run polish 1 "$processes"
        run table "$cores"
        run suite 1
        run export 1
        ;;
    vision | audio) run data 1; run "$only" 1 ;;
    data | export) run "$only" 1 ;;
    text | joint | polish) run data 1; run "$only" 1 "$processes" ;;
    *) run data 1; run "$only" "$cores" ;;
esac
