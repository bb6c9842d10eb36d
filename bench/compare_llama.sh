#!/bin/sh
# Ours against llama.cpp on the same GGUF file, in alternation, so that the machine's moods fall on both:
#   bench/compare_llama.sh MODEL.gguf [PAIRS] [-t 2] [--prefill 512,2048] [--at 16,512] [--decode 64] [--kernels NAME]
# PAIRS: 5 unless told; fewer say nothing. --kernels: our side's kernel table. llama.cpp is built from its published package where it is
# missing (peer.sh; PYTHON names a Python that has it). BUILD (default build/bench) is where both programs are or will be built. Prints
# every run, then the ratio ours/theirs of each figure over the pairs: smallest, middle, largest. Exit 77: llama.cpp cannot be had here.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 MODEL.gguf [PAIRS] [-t 2] [--prefill 512,2048] [--at 16,512] [--decode 64] [--kernels NAME]" >&2; exit 2; }
model=$1; shift
[ -f "$model" ] || { echo "compare_llama: $model is not a file" >&2; exit 2; }
pairs=5
case ${1:-} in [0-9]*) pairs=$1; shift ;; esac
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$root/build/bench}
python=$("$root/bench/peer.sh") || exit $?
if [ ! -x "$build/compare_llama_theirs" ]; then
    packages=$("$python" -c 'import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec("llama_cpp").origin).parents[1])')
    cmake -S "$root" --preset bench -B "$build" -DLLAMA_CPP_DIR="$packages" >&2
fi
ninja -C "$build" compare_llama_ours compare_llama_theirs >&2
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
sed -n 's/^model name[^:]*: */CPU: /p' /proc/cpuinfo | head -1
"$python" -c 'import importlib.metadata as m; print("llama.cpp: the library of llama-cpp-python", m.version("llama-cpp-python"))'
i=0
while [ $i -lt "$pairs" ]; do
    i=$((i + 1))
    # which side goes first changes from pair to pair
    if [ $((i % 2)) = 1 ]; then order="theirs ours"; else order="ours theirs"; fi
    for side in $order; do
        check="--logits $work/$side.f32"
        if [ "$side" = ours ] && [ -f "$work/theirs.f32" ]; then check="--against $work/theirs.f32"; fi
        # shellcheck disable=SC2086
        "$build/compare_llama_$side" "$model" $check "$@" > "$work/run" || { echo "compare_llama: the run of $side failed" >&2; exit 1; }
        tee -a "$work/$side.json" < "$work/run"
    done
done
"$python" - "$work/ours.json" "$work/theirs.json" <<'PY'
import json, statistics, sys
ours, theirs = ([json.loads(line) for line in open(p)] for p in sys.argv[1:3])
for key in theirs[0]:
    if key in ("side", "correlation"):
        continue
    ratios = sorted(a[key] / b[key] for a, b in zip(ours, theirs))
    a, b = (statistics.median(r[key] for r in runs) for runs in (ours, theirs))
    print(f"{key:>20}: ours {a:.4g}, llama.cpp {b:.4g} (medians); ratio {ratios[0]:.3f} / {statistics.median(ratios):.3f} / {ratios[-1]:.3f} (smallest, middle, largest of {len(ratios)})")
PY
