#!/bin/sh
# Installs the build at the folder given into a temporary place and uses it as a stranger would: the command, and a program of four
# lines over the installed library, found through pkg-config alone.
set -eu
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/usr" > /dev/null
"$work/usr/bin/gemma3n" synth --size tiny -o "$work/tiny.gguf"
cat > "$work/user.cpp" << 'CPP'
#include <gemma3n/engine.h>
#include <cstdio>
int main(int, char** argv) {
    auto engine = gemma3n::Engine::load(argv[1]);
    if (!engine) return fprintf(stderr, "%s\n", engine.error().message.c_str()), 1;
    auto session = (*engine)->new_session();
    gemma3n::GenerateOptions options;
    options.max_tokens = 4;
    auto answer = (*session)->complete("hello", options);
    if (!answer) return fprintf(stderr, "%s\n", answer.error().message.c_str()), 1;
    return answer->ids.size() == 4 ? 0 : 2;
}
CPP
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name gemma3n.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
${CXX:-g++} -std=c++20 "$work/user.cpp" -o "$work/user" $(pkg-config --cflags --libs --static gemma3n)
"$work/user" "$work/tiny.gguf"
echo "install: the command and a program over the library run"
