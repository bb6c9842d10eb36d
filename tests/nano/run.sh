#!/bin/sh
# The shipped nano: its answers to held-out questions of every skill, and those of transformers on the same weights.
#   tests/nano/run.sh COMMAND
# Exit 77: PyTorch cannot be had here (tests/oracle/setup.sh says why), the answers were compared; or the model is not in this tree.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command=$1
if [ ! -f "$root/models/nano/nano-Q8_0.gguf" ]; then
    echo "nano: models/nano/nano-Q8_0.gguf is not in this tree: a whole checkout has it"
    exit 77
fi
python3 "$here/answers_test.py" "$command"
cache=${GEMMA3N_CACHE:-$HOME/.cache/gemma3n}
"$root/tools/packages.sh" nano
"$root/tests/oracle/setup.sh" "$cache/oracle"
OMP_NUM_THREADS=2 exec "$cache/oracle/bin/python" "$here/torch_test.py" "$command"
