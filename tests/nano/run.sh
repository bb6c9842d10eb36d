#!/bin/sh
# The shipped nano: its answers to held-out questions of every skill, and those of transformers on the same weights.
#   tests/nano/run.sh COMMAND
# Exit 77: PyTorch cannot be had here (tests/oracle/setup.sh says why); the answers were compared.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command=$1
python3 "$here/answers_test.py" "$command"
cache=${GEMMA3N_CACHE:-$HOME/.cache/gemma3n}
"$root/tools/packages.sh" nano
"$root/tests/oracle/setup.sh" "$cache/oracle"
OMP_NUM_THREADS=2 exec "$cache/oracle/bin/python" "$here/torch_test.py" "$command"
