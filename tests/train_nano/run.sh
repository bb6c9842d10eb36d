#!/bin/sh
# The training of nano on a small scale, one thread, about four minutes of a core: data, network, phases, kill and resume, export beside the engine.
#   tests/train_nano/run.sh COMMAND [TEST]     TEST: data, network, training, export, or first_steps, which is run only when named
# Exit 77: PyTorch cannot be had here (tests/oracle/setup.sh says why).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
command=$1
cache=${GEMMA3N_CACHE:-$HOME/.cache/gemma3n}
"$root/tools/packages.sh" nano
status=0
"$root/tests/oracle/setup.sh" "$cache/oracle" || status=$?
[ $status -eq 0 ] || exit $status
NANO_TEST_OUT=$(mktemp -d)
trap 'rm -rf "$NANO_TEST_OUT"' EXIT
export NANO_TEST_OUT OMP_NUM_THREADS=1 GEMMA3N_COMMAND="$command"
cd "$here"
failed=0
for test in ${2:-data network training export}; do
    echo "== $test"
    "$cache/oracle/bin/python" "${test}_test.py" || failed=1
done
exit $failed
