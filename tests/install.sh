#!/bin/sh
# Installs the build at the folder given into a temporary place and uses it as a stranger would: the command, and a program of four
# lines over the installed library, found through pkg-config alone; and the model that comes with it, by its name.
set -eu
build=$1
work=$(cd "$(mktemp -d)" && pwd -P)
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
nano=nano-Q8_0.gguf
if [ -f "models/nano/$nano" ]; then
    installed=$(find "$work/usr" -path "*/gemma3n/nano/$nano")
    found=$("$work/usr/bin/gemma3n" pull nano)
    [ -n "$installed" ] && [ "$found" = "$installed" ] || { echo "install: nano is '$found': expected the installed one, '$installed'" >&2; exit 1; }
    for file in models/nano/* models/nano/suite/*; do
        [ -e "$(dirname "$installed")/${file#models/nano/}" ] || { echo "install: $file has not been installed" >&2; exit 1; }
    done
    "$work/usr/bin/gemma3n" run nano --temp 0 -n 8 "Who are you?" < /dev/null > /dev/null
    echo "install: nano is found and runs"
else
    echo "install: models/nano/$nano is not in this tree: that an installed command finds it is not checked"
fi
