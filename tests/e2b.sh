#!/bin/sh
# What a full-size E2B promises, on a synthetic Q4_0 file of 3.2 GB that is deleted afterwards: written in under a minute, ready in half a
# second once it is in the page cache, and a prompt of 2,048 ids spread over the whole vocabulary in at most 2.0e9 bytes of resident
# memory, file pages included. Times are printed; memory and load time are bounds.
#   tests/e2b.sh [gemma3n command]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
command=${1:-$root/build/release/gemma3n}
cache=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}
mkdir -p "$cache"
free_kb=$(df -Pk "$cache" | awk 'NR == 2 {print $4}')
[ "$free_kb" -gt 5000000 ] || { echo "e2b: $free_kb kB are free in $cache: 5 GB are needed, left out"; exit 77; }
work=$(mktemp -d "$cache/e2b.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
start=$(date +%s)
"$command" synth --size e2b --type q4_0 -o "$work/e2b.gguf"
seconds=$(($(date +%s) - start))
echo "e2b: written in $seconds s"
[ -e "$root/build/bench/compare_llama_ours" ] && [ -z "$(find "$root/src" "$root/include" "$root/bench" -newer "$root/build/bench/compare_llama_ours" -type f | head -1)" ] || {
    cmake -S "$root" --preset bench > /dev/null
    ninja -C "$root/build/bench" --quiet compare_llama_ours
}
"$root/build/bench/compare_llama_ours" "$work/e2b.gguf" --prefill 16 --at 16 --decode 1 > /dev/null  # warm
"$root/build/bench/compare_llama_ours" "$work/e2b.gguf" --prefill 2048 --at 16 --decode 16 | tee "$work/figures"
python3 - "$work/figures" "$seconds" << 'PY'
import json, sys
figures = json.load(open(sys.argv[1]))
bounds = {"vmhwm_bytes": 2.0e9, "load_s": 0.5}
wrong = [f"{key} is {figures[key]:.4g}: expected at most {bound:.4g}" for key, bound in bounds.items() if figures[key] > bound]
if int(sys.argv[2]) >= 60:
    wrong.append(f"writing took {sys.argv[2]} s: expected less than 60")
for sentence in wrong:
    print("e2b:", sentence)
sys.exit(bool(wrong))
PY
