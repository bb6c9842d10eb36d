#!/bin/sh
# What works with threads under the thread sanitizer: the pool, products and steps on it, live streams of media, sessions over one engine.
set -eu
cd "$(dirname "$0")/.."
cmake --preset threads > /dev/null
ninja -C build/threads --quiet test_parallel test_ops test_steps test_media test_runtime
# FFmpeg is not built for the sanitizer, which then does not see how its threads agree
printf 'race:libavutil.so\nrace:libavcodec.so\nrace:libavformat.so\n' > build/threads/suppressions
export TSAN_OPTIONS="suppressions=$PWD/build/threads/suppressions halt_on_error=1"
for test in parallel ops steps media; do
    echo "== $test"
    "build/threads/test_$test" --gtest_brief=1
done
echo "== runtime"
build/threads/test_runtime --gtest_brief=1 --gtest_filter='*Contract*:*Attach*'
