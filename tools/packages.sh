#!/bin/sh
# Installs the Debian packages that a part of the project needs, those that are missing only:
#   tools/packages.sh PART...   build, test, fuzz, arm64, nano
# Elsewhere than on Debian and its kin it says what is needed and goes on: the build then tells what is missing.
set -eu
wanted=
for part in "$@"; do
    case $part in
        build)
            wanted="$wanted g++ cmake ninja-build libsimdjson-dev libcli11-dev libcurl4-openssl-dev libssl-dev ca-certificates python3 python3-venv"
            wanted="$wanted pkg-config libjpeg62-turbo-dev libpng-dev libwebp-dev libavformat-dev libavcodec-dev libavutil-dev libswscale-dev libavdevice-dev" ;;
        test) wanted="$wanted libgtest-dev pkg-config python3-venv" ;;
        fuzz) wanted="$wanted clang-14 libclang-rt-14-dev" ;;
        arm64) wanted="$wanted g++-aarch64-linux-gnu qemu-user-static" ;;
        nano) wanted="$wanted python3-venv python3-dev g++ espeak-ng wordnet-base fonts-dejavu-core fonts-liberation2 fonts-roboto-unhinted fonts-hack" ;;
        *) echo "packages: unknown part '$part'" >&2; exit 2 ;;
    esac
done
if ! command -v apt-get > /dev/null; then
    echo "packages: this is no Debian system; needed here, under their Debian names:$wanted" >&2
    exit 0
fi
missing=
for p in $wanted; do
    dpkg-query -W -f '${Status}' "$p" 2> /dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0
as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || { echo "packages: needed and not installed:$missing (run as root: apt-get install$missing)" >&2; exit 1; }
    as_root=sudo
fi
echo "packages: installing$missing" >&2
# shellcheck disable=SC2086
install() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null; }
install 2> /dev/null || { $as_root apt-get update -qq >&2; install; }
