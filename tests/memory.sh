#!/bin/sh
# Plans of memory against the truth, on full-size synthetic Q4_0 files with towers: E2B (3.8 GB), with --long E4B too (5.2 GB), in
# GEMMA3N_MODELS if they are there, else written and deleted afterwards.
#   tests/memory.sh COMMAND MEMORY_TURN [--long [budgets | groups]]     behind --long one half of it
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
case "$#:${3:-}:${4:-}" in 2:: | 3:--long: | 4:--long:budgets | 4:--long:groups) ;; *) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;; esac
command=$1 turn=$2 long=${3:-} half=${4:-}
sizes=e2b
[ -z "$long" ] || sizes="e2b e4b"
cache=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}
files=
work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT INT TERM
for size in $sizes; do
    file=${GEMMA3N_MODELS:-/nowhere}/$size-q4_0.gguf
    if [ ! -e "$file" ]; then
        mkdir -p "$cache"
        free_kb=$(df -Pk "$cache" | awk 'NR == 2 {print $4}')
        [ "$free_kb" -gt 7000000 ] || { echo "memory: $free_kb kB are free in $cache: 7 GB are needed, left out"; exit 77; }
        [ -n "$work" ] || work=$(mktemp -d "$cache/memory.XXXXXX")
        file=$work/$size-q4_0.gguf
        "$command" synth --size "$size" --type q4_0 --towers -o "$file"
    fi
    files="$files $file"
done
# shellcheck disable=SC2086
python3 "$root/tests/memory/truth.py" "$command" "$turn" $files $long $half
