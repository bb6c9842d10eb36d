#!/bin/sh
# The whole way on a fresh Debian 12: installs what is needed, builds, and shows nano, the small model that lies in models/nano.
#   ./run.sh                       a picture, speech, a video and text, each at two sizes, then (in a terminal) a chat
#   ./run.sh PROMPT [options]      nano's answer, likeliest words first; options as in `gemma3n run --help`
#   ./run.sh --270m [PROMPT]       another small model, Gemma 3 270M: fetched once, 253 MB
#   MODEL=file.gguf ./run.sh ...   a model of yours: a GGUF file, a Hugging Face directory, or a name
#   ./run.sh --help                this text
set -eu
cd "$(dirname "$0")"
command=build/release/gemma3n
nano=models/nano/nano-Q8_0.gguf
media=models/nano/suite/media
picture=$media/group001.png
speech=$media/write001.wav
video=$media/video000.avi

say() { echo "$*" >&2; }

case ${1:-} in
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' run.sh; exit 0 ;;
    --270m) which=270m; shift ;;
    *) which=${MODEL:+theirs} ;;
esac
if [ -z "$which" ]; then
    for f in "$nano" "${nano%/*}/mmproj-${nano##*/}" "$picture" "$speech" "$video"; do
        [ -f "$f" ] || { say "run: $f is not here: a whole checkout of the repository has it (./run.sh --270m fetches another model)"; exit 1; }
    done
fi

tools/packages.sh build
[ -x $command ] || say "Building, about a minute on two cores"
[ -f build/release/build.ninja ] || cmake --preset release -DGEMMA3N_TESTS=OFF > /dev/null
if [ -t 2 ]; then ninja -C build/release gemma3n >&2
else ninja -C build/release --quiet gemma3n >&2; fi

# What was typed can be typed again.
typed() {
    line=$command
    for word in "$@"; do
        case $word in
            *[!A-Za-z0-9_./=-]*) line="$line \"$word\"" ;;
            *) line="$line $word" ;;
        esac
    done
    say "$line"
}

if [ "$which" = 270m ]; then
    file=$(tools/fetch_270m.sh)
    # a base model: it continues text, it does not chat; hence --raw
    if [ $# -gt 0 ]; then exec $command run "$file" --raw "$@"; fi
    prompt="Water boils at"
    set -- run "$file" --raw --temp 0 -n 18 --stats "$prompt"
    typed "$@"
    printf '%s' "$prompt"
    $command "$@" < /dev/null
    if [ -t 0 ] && [ -t 1 ]; then
        say "Now yours: begin a text, it is continued (a small base model: it does not chat)."
        exec $command run "$file" --raw -n 64
    fi
    exit 0
fi
if [ "$which" = theirs ]; then exec $command run "$MODEL" "$@"; fi
if [ $# -gt 0 ]; then
    for option in "$@"; do
        case $option in --temp | --temp=*) exec $command run $nano "$@" ;; esac
    done
    exec $command run $nano --temp 0 "$@"
fi

# show OPTIONS... QUESTION: what it is about is drawn once, and asked about at both sizes
show() {
    draw=
    [ $# -eq 1 ] || [ "${drawn:-}" = "$2" ] || draw=--draw
    drawn=${2:-}
    for size in small full; do
        say ""
        typed run $nano --size $size --temp 0 -n 40 --stats=short $draw "$@"
        $command run $nano --size $size --temp 0 -n 40 --stats=short $draw "$@" < /dev/null
        draw=
    done
}
built_with() { grep -q "^GEMMA3N_MEDIA:BOOL=ON" build/release/CMakeCache.txt && grep -q "^G3N_$1_FOUND:INTERNAL=1" build/release/CMakeCache.txt; }

say "Nano: 12.5 million parameters, trained from nothing by tools/train_nano; small is a part of full, in the same file."
if built_with PNG; then show --image $picture "What do you see?"
else say "run: this build has no libpng: the picture is left out"; fi
show --audio $speech "Write it down."
show --audio $speech "Make the call."
if built_with FFMPEG; then
    show --video $video "What moves where?"
    show --video $video "What is said?"
else say "run: this build has no FFmpeg: the video is left out"; fi
show "60-17"
if [ -t 0 ] && [ -t 1 ]; then
    say ""
    say "Now yours. Nano knows sums, commands, some words and what it was shown above: try Define lamp. or /image $picture"
    typed run $nano --temp 0
    exec $command run $nano --temp 0
fi
