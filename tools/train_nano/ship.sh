#!/bin/sh
# From a finished training to what the repository ships: weights in 8 bit, held-out questions, curves.
#   tools/train_nano/ship.sh COMMAND [OUT [PHASE]]     OUT: ~/.cache/gemma3n/nano; PHASE: whose weights, polish or joint
# Fills models/nano. The questions are the same for every version: made once, then left alone.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
command=$1
out=${2:-$HOME/.cache/gemma3n/nano}
of=${3:-polish}
python=${NANO_PYTHON:-${GEMMA3N_CACHE:-$HOME/.cache/gemma3n}/oracle/bin/python}
nano=$root/models/nano

"$python" "$here/train.py" table --out "$out" --of "$of" --threads "$(nproc)"
rm -rf "$out/nano"
"$python" "$here/train.py" export --out "$out" --of "$of"
mkdir -p "$nano/training"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$command" quantize "$out/nano" --type q8_0 -o "$work/nano-Q8_0.gguf"
mv "$work"/*.gguf "$nano/"
cp "$out/tokenizer.json" "$out/heads.safetensors" "$out/table.md" "$nano/training/"
for phase in vision audio text joint polish; do
    [ ! -f "$out/$phase.csv" ] || cp "$out/$phase.csv" "$out/$phase.png" "$nano/training/"
done
cp "$here/LICENSE.wordnet" "$nano/"
if [ ! -f "$nano/suite/suite.jsonl" ]; then
    rm -rf "$out/suite" "$nano/suite"
    "$python" "$here/train.py" suite --out "$out" --questions 40
    cp -r "$out/suite" "$nano/suite"
fi
du -sh "$nano"/* >&2
