#!/bin/sh
# Puts photographs and recorded speech for the live comparison into a folder; nothing of it is committed.
#   tests/oracle/media_files.sh FOLDER PYTHON
# Photographs lie in the packages of scikit-image and scikit-learn (only the pictures are unpacked), speech in Debian's pocketsphinx-testdata
# (16 kHz, LibriVox and commands) and alsa-utils (48 kHz). Exit 77: they cannot be had here, which one sentence says.
set -eu
folder=$1
python=$2
[ -e "$folder/complete" ] && exit 0
say() { echo "media: $*" >&2; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if ! "$python" -m pip --disable-pip-version-check --quiet download --no-deps --only-binary :all: scikit-image==0.26.0 scikit-learn==1.9.1 2> /dev/null; then
    say "the packages scikit-image and scikit-learn, which hold the photographs, cannot be had: the comparison is left out"
    exit 77
fi
"$python" - "$folder" << 'UNPACK'
import glob, os, sys, zipfile
wanted = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "china.jpg", "flower.jpg")
for wheel in glob.glob("*.whl"):
    with zipfile.ZipFile(wheel) as z:
        for name in z.namelist():
            if os.path.basename(name) in wanted and ("/data/" in name or "/images/" in name):
                with open(os.path.join(sys.argv[1], os.path.basename(name)), "wb") as f:
                    f.write(z.read(name))
UNPACK
if ! apt-get download pocketsphinx-testdata alsa-utils > /dev/null 2>&1; then
    say "Debian's packages pocketsphinx-testdata and alsa-utils, which hold the speech, cannot be had: the comparison is left out"
    exit 77
fi
for p in *.deb; do dpkg-deb -x "$p" tree; done
cp tree/usr/share/sounds/alsa/Front_Center.wav "$folder/center48k.wav"
cp tree/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0870.wav "$folder/austen.wav"
cp tree/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0880.wav "$folder/austen2.wav"
cp tree/usr/share/pocketsphinx/test/data/cards/001.wav "$folder/card.wav"
touch "$folder/complete"
