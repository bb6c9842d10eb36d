#!/bin/sh
# Installs what is needed, builds, and runs every test.
#   ./test.sh          the units, the command line, goldens, transformers live, arm64 under emulation, ten seconds of each fuzz target,
#                      a full-size E2B in 2 GB
#   ./test.sh --long   also the units under sanitizers, what has threads under the one for threads, true sizes, and five minutes of each
#                      fuzz target, two at a time
#   ./test.sh NAME     only the tests whose names match (ctest -R)
set -eu
cd "$(dirname "$0")"
long=
only=
case ${1:-} in
    --long) long=yes ;;
    --*) echo "test: unknown option '$1': expected --long or a name" >&2; exit 2 ;;
    ?*) only=$1 ;;
esac
tools/packages.sh build test fuzz arm64
[ -t 2 ] && quiet= || quiet=--quiet
cmake --preset release -DGEMMA3N_TESTS=ON > /dev/null
echo "Building" >&2
ninja -C build/release $quiet
tools/fetch_270m.sh > /dev/null || echo "test: the tests on real weights will say that they are skipped" >&2
set -- --test-dir build/release --output-on-failure --timeout 1500 --parallel 2  # tests/tests.cmake says which want the machine for themselves
[ -n "$long" ] || set -- "$@" -LE long
[ -z "$only" ] || set -- "$@" -R "$only"
exec ctest "$@"
