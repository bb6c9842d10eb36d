#!/bin/sh
# Every unit test under the address and undefined-behaviour sanitizers.
set -eu
cd "$(dirname "$0")/.."
cmake --preset sanitizers > /dev/null
ninja -C build/sanitizers --quiet
for test in build/sanitizers/test_*; do
    echo "== $test"
    "$test" --gtest_brief=1
done
