#!/bin/sh
# Makes the virtual environment of the executable references at the folder given and leaves it usable; 1.2 GB on disk, about three minutes.
#   tests/oracle/setup.sh FOLDER
# Exit 0: it stands. 77: torch's CPU build cannot be had here, which one sentence says (a build for CUDA is gigabytes and is never taken).
# TORCH_CPU_INDEX names another index of CPU wheels than PyTorch's own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=$1
torch=2.13.0
index=${TORCH_CPU_INDEX:-https://download.pytorch.org/whl/cpu}
stamp=$venv/gemma3n-$(cat "$here/requirements.txt" "$0" | cksum | cut -d' ' -f1)
[ -e "$stamp" ] && exit 0

say() { echo "oracle: $*" >&2; }
if ! command -v python3 > /dev/null || ! python3 -c 'import venv, ensurepip' 2> /dev/null; then
    say "python3 with its venv module is not installed (Debian: apt install python3-venv): the live comparison is left out"
    exit 77
fi
say "setting up $venv"
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
pip() { "$venv/bin/pip" --disable-pip-version-check --quiet "$@"; }
# "+cpu" is the version's own name for the CPU build: no index can answer with another one
if ! pip install --only-binary :all: "torch==$torch+cpu" 2> /dev/null &&
   ! pip install --only-binary :all: --retries 1 --timeout 20 --extra-index-url "$index" "torch==$torch+cpu"; then
    say "torch $torch as a CPU build cannot be had from the configured package index nor from $index: the live comparison is left out"
    exit 77
fi
pip install -r "$here/requirements.txt" || { say "the packages of $here/requirements.txt cannot be had: the live comparison is left out"; exit 77; }
# without their dependencies: those would bring another torch
pip install --no-deps timm==1.0.31 torchvision==0.28.0 || { say "timm and torchvision cannot be had: the live comparison is left out"; exit 77; }
"$venv/bin/python" -c 'import torch, sys; sys.exit(torch.version.cuda is not None)' || { say "torch came as a build for CUDA, which is not used"; exit 77; }
touch "$stamp"
