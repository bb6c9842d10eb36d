#!/bin/sh
# Cross-builds for arm64 and runs the kernels' tests and the whole program under qemu, as an old core, one with dot products and one with
# 8-bit matrix instructions:
#   tests/arm64.sh [the native gemma3n command, for a comparison of answers]
# Libraries of the other architecture go into GEMMA3N_CACHE/arm64, not into the system. Exit 77: the tools cannot be had here.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
native=${1:-$root/build/release/gemma3n}
cache=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}
sysroot=$cache/arm64
build=$root/build/arm64
say() { echo "arm64: $*" >&2; }
for tool in aarch64-linux-gnu-g++ qemu-aarch64-static apt-get dpkg-deb; do
    command -v $tool > /dev/null || { say "$tool is not installed: left out"; exit 77; }
done
if [ ! -e "$sysroot/.done" ]; then
    rm -rf "$sysroot"
    mkdir -p "$sysroot/apt/lists/partial" "$sysroot/apt/cache/archives/partial"
    apt() {
        apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= -o Dir::State::lists="$sysroot/apt/lists" \
            -o Dir::State::status=/dev/null -o Dir::Cache="$sysroot/apt/cache" "$@"
    }
    (cd "$sysroot" && apt update && apt download libsimdjson-dev libsimdjson14 libgtest-dev) ||
        { say "the arm64 packages libsimdjson-dev and libgtest-dev cannot be had here: left out"; exit 77; }
    for package in "$sysroot"/*.deb; do dpkg-deb -x "$package" "$sysroot"; done
    rm -rf "$sysroot/apt" "$sysroot"/*.deb
    touch "$sysroot/.done"
fi
[ -e "$build/build.ninja" ] || cmake -S "$root" --preset arm64 -DCMAKE_PREFIX_PATH="$sysroot/usr" -DCMAKE_FIND_ROOT_PATH="$sysroot" > /dev/null
ninja -C "$build" --quiet gemma3n test_kernels test_runtime

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$native" synth --size tiny --type q8_0 --seed 7 -o "$work/q8.gguf"
"$native" synth --size tiny --type q4_k_m --seed 7 -o "$work/q4k.gguf"
answer() {  # command..., model: text that does not depend on the instruction set
    of=$1; shift
    "$@" run "$of" --activations f32 --temp 0 -n 24 --raw "the cat" < /dev/null
}
for model in q8 q4k; do answer "$work/$model.gguf" "$native" > "$work/$model.native"; done
# a cross build has no network part: it says so, and names still find what the cache holds
said=$(qemu-aarch64-static -L /usr/aarch64-linux-gnu "$build/gemma3n" pull acme/x 2>&1) && { echo "arm64: pull succeeds without a network part"; exit 1; }
case $said in *"this build has no network part"*) ;; *) echo "arm64: pull says '$said'"; exit 1 ;; esac
for pair in cortex-a72=neon cortex-a76=neon-dotprod max=neon-i8mm; do
    QEMU_CPU=${pair%=*}; table=${pair#*=}
    export QEMU_CPU
    arm() { program=$1; shift; qemu-aarch64-static -L /usr/aarch64-linux-gnu "$build/$program" "$@"; }
    echo "== $QEMU_CPU"
    runs=$(arm gemma3n show "$work/q8.gguf" --json | sed -n 's/.*"kernels": "\(.*\)".*/\1/p')
    [ "$runs" = "$table" ] || { echo "arm64: on $QEMU_CPU the kernels '$runs' run: expected '$table'"; exit 1; }
    name=$(echo "$table" | tr - _)  # the tables below it ran on the cores before; all but the 8-bit products is neon's own
    if [ "$table" = neon ]; then tests="*/$name"; else tests="*Q8*/$name:*TableTest*/$name"; fi
    arm test_kernels --gtest_brief=1 --gtest_filter="Chooser.*:$tests"
    arm test_runtime --gtest_brief=1 --gtest_filter="*GoldenFormula*/$name:*Transformers*/*_$name"
    for model in q8 q4k; do
        answer "$work/$model.gguf" arm gemma3n > "$work/$model.arm"
        cmp "$work/$model.native" "$work/$model.arm" || { echo "arm64: $model answers otherwise on $QEMU_CPU"; exit 1; }
        arm gemma3n run "$work/$model.gguf" --temp 0 -n 8 --raw "the cat" < /dev/null > /dev/null
    done
done
