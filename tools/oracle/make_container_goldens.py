"""Writes tests/media/data/sound and tests/media/data/video with the command ffmpeg, and what it says is in them.

    python tools/oracle/make_container_goldens.py

The sound is three tones of 0.7 seconds; speech.flac is a bit-exact copy of speech.wav. Each picture of a *.mkv has one colour, whose red is
ten times its number, so that the time rule can be told from any pixel. video/expected.txt, a line for each frame that the time rule picks:
file, fps, number, width, height, CRC-32 of the RGB pixels that ffmpeg itself makes of that frame (exact rounding), turned as ffmpeg turns it
(which does that ahead of RGB, so that pixels differ a little: the quarter turn nearest to its picture is taken).
"""
import pathlib
import subprocess
import tempfile
import zlib

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2] / "tests/media/data"
EXACT = ["-sws_flags", "bilinear+accurate_rnd+full_chroma_int+bitexact"]
PLAIN = ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]


def ffmpeg(*arguments, given=None):
    return subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], input=given, check=True, capture_output=True).stdout


def tones(rate):
    t = np.arange(int(0.7 * rate)) / rate
    return sum(a * np.sin(2 * np.pi * f * t) for a, f in ((0.4, 330), (0.3, 1000), (0.2, 2750))).astype("<f4")


def sounds(out):
    out.mkdir(parents=True, exist_ok=True)
    raw = ["-f", "f32le", "-ar", "22050", "-ac", "1", "-i", "-"]
    given = tones(22050).tobytes()
    ffmpeg(*raw, "-c:a", "pcm_s16le", *PLAIN, out / "speech.wav", given=given)
    ffmpeg("-i", out / "speech.wav", "-compression_level", "12", *PLAIN, out / "speech.flac")
    ffmpeg(*raw, "-b:a", "32k", *PLAIN, out / "speech.mp3", given=given)
    ffmpeg(*raw, "-c:a", "libvorbis", "-q:a", "0", *PLAIN, out / "speech.ogg", given=given)
    ffmpeg(*raw, "-c:a", "libopus", "-b:a", "32k", *PLAIN, out / "speech.webm", given=given)
    ffmpeg(*raw, "-c:a", "aac", "-b:a", "48k", *PLAIN, out / "speech.m4a", given=given)
    ffmpeg(*raw, "-c:a", "adpcm_ima_wav", *PLAIN, out / "adpcm.wav", given=given)
    with tempfile.TemporaryDirectory() as work:
        cover = pathlib.Path(work) / "cover.png"
        ffmpeg("-f", "lavfi", "-i", "color=red:s=16x16:d=1", "-frames:v", "1", cover)
        ffmpeg("-i", out / "speech.mp3", "-i", cover, "-map", "0", "-map", "1", "-c", "copy", "-id3v2_version", "3", "-disposition:v", "attached_pic", *PLAIN, out / "cover.mp3")


def videos(out):
    out.mkdir(parents=True, exist_ok=True)
    moving = ["-f", "lavfi", "-i", "testsrc2=s=80x48:r=10:d=2"]
    tone = ["-f", "lavfi", "-i", "sine=500:r=44100:d=2"]
    ffmpeg(*moving, *tone, "-c:v", "libx264", "-preset", "slow", "-crf", "30", "-g", "10", "-c:a", "aac", "-b:a", "24k", "-movflags", "+faststart", *PLAIN, out / "h264.mp4")
    ffmpeg(*moving, *tone, "-c:v", "libvpx-vp9", "-b:v", "30k", "-c:a", "libopus", "-b:a", "16k", *PLAIN, out / "vp9.webm")
    for turn in (90, 180, 270):
        ffmpeg("-i", out / "h264.mp4", "-an", "-t", "0.3", "-c", "copy", "-metadata:s:v", f"rotate={turn}", out / f"turned{turn}.mp4")
    colours = b"".join(np.full((16, 16, 3), (10 * i, 255 - 10 * i, 7 * i), np.uint8).tobytes() for i in range(13))
    coloured = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "16x16", "-r", "10", "-i", "-"]
    lossless = ["-c:v", "ffv1", "-pix_fmt", "bgr0", "-fps_mode", "passthrough", *PLAIN]
    # frame N begins at N^2 / 50 seconds
    ffmpeg(*coloured, "-vf", "settb=1/1000,setpts=N*N*20", "-enc_time_base", "1:1000", *lossless, out / "irregular.mkv", given=colours)
    # sound that begins half a second after the pictures, and half a second before
    ffmpeg(*coloured, "-itsoffset", "0.5", *tone, "-map", "0", "-map", "1", "-c:a", "flac", "-ar", "16000", "-sample_fmt", "s16", "-t", "1.3", *lossless, out / "late-sound.mkv", given=colours)
    ffmpeg(*coloured, *tone, "-vf", "settb=1/1000,setpts=N*100+500", "-enc_time_base", "1:1000", "-map", "0", "-map", "1", "-c:a", "flac", "-ar", "16000", "-sample_fmt", "s16", "-t", "1.8", *lossless, out / "early-sound.mkv", given=colours)
    # a tenth of a second of sound at the beginning, and another 3000 seconds later
    ffmpeg(*coloured, "-f", "lavfi", "-i", "sine=500:r=16000:d=0.2:samples_per_frame=320", "-af", "asetpts=if(gte(T\\,0.1)\\,PTS+3000/TB\\,PTS)", "-map", "0", "-map", "1", "-c:a", "pcm_s16le", *lossless, out / "sound-with-hole.mkv", given=colours)
    # two holes of 2700 seconds, more than are filled
    holes = "asetpts=if(gte(T\\,0.2)\\,PTS+5400/TB\\,if(gte(T\\,0.1)\\,PTS+2700/TB\\,PTS))"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32:r=10:d=1", "-f", "lavfi", "-i", "sine=500:r=16000:d=0.3:samples_per_frame=320", "-af", holes, "-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "pcm_s16le", out / "sound-with-holes.mkv")


def frames(path, width, height, *before):
    return np.frombuffer(ffmpeg(*before, "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", *EXACT, "-fps_mode", "passthrough", "-"), np.uint8).reshape(-1, height, width, 3)


def expected(out):
    lines = []
    for name, fps, source_fps in (("h264.mp4", 1, 10), ("h264.mp4", 5, 10), ("vp9.webm", 5, 10), ("turned90.mp4", 5, 10), ("turned180.mp4", 5, 10), ("turned270.mp4", 5, 10)):
        raw = frames(out / name, 80, 48, "-noautorotate")
        if "turned" in name:
            turned = frames(out / name, *((80, 48) if "180" in name else (48, 80)))
            turns = [np.rot90(raw, k, axes=(1, 2)) for k in range(4)]
            raw = np.ascontiguousarray(min((t for t in turns if t.shape == turned.shape), key=lambda t: np.abs(t.astype(int) - turned).mean()))
        height, width = raw.shape[1:3]
        for number in range(100):
            frame = int(number * source_fps / fps + 1e-9)
            if frame >= len(raw):
                break
            lines.append(f"{name} {fps} {number} {width} {height} {zlib.crc32(raw[frame].tobytes()):08x}\n")
    (out / "expected.txt").write_text("".join(lines))
    print("".join(lines))


def main():
    sounds(ROOT / "sound")
    videos(ROOT / "video")
    expected(ROOT / "video")
    for folder in ("sound", "video"):
        files = sorted((ROOT / folder).iterdir())
        print(", ".join(f"{f.name} {f.stat().st_size}" for f in files), sum(f.stat().st_size for f in files))


main()
