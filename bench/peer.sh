#!/bin/sh
# Prints a Python that has llama-cpp-python 0.3.36, whose libllama the comparisons run: the one that PYTHON names, or a virtual environment
# of its own in GEMMA3N_CACHE (default ~/.cache/gemma3n), made once from the published source package (about six minutes on two cores).
# Exit 77: it cannot be had here, which one sentence says.
set -eu
version=0.3.36
say() { echo "peer: $*" >&2; }
if [ -n "${PYTHON:-}" ]; then
    "$PYTHON" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("llama_cpp") is None)' || {
        say "$PYTHON has no llama-cpp-python (pip install llama-cpp-python==$version)"; exit 77; }
    echo "$PYTHON"
    exit 0
fi
venv=${GEMMA3N_CACHE:-${HOME:?}/.cache/gemma3n}/llama-cpp
stamp=$venv/llama-cpp-python-$version
if [ ! -e "$stamp" ]; then
    python3 -c 'import venv, ensurepip' 2> /dev/null || { say "python3 with its venv module is not installed (Debian: apt install python3-venv)"; exit 77; }
    say "building llama.cpp from llama-cpp-python $version in $venv, once; about six minutes on two cores"
    mkdir -p "$(dirname "$venv")"
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv" >&2
    "$venv/bin/pip" --disable-pip-version-check --quiet install "llama-cpp-python==$version" >&2 || {
        say "llama-cpp-python $version cannot be had from the configured package index, or does not build here"; exit 77; }
    touch "$stamp"
fi
echo "$venv/bin/python"
