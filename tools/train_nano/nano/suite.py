"""The held-out questions as files: suite.jsonl, one question a line, and its pictures, sounds and videos beside it.

Lines are those of `gemma3n eval` (docs/measure.md) with three more fields, each a path or a list of paths relative to the suite's folder: `image`,
`audio`, `video`; media stand in front of the prompt, pictures first, then sounds, then videos (their frames, then their sound track). The
type `words` counts words wrong too (insertions, deletions, changes), and `json` whether the answer is a JSON object.
"""
import json
import pathlib
import struct
import wave

import numpy as np
from PIL import Image

from . import evaluate, seeds
from .data import pictures, speech, videos
from .data.clips import RATE, Clips
from .data.example import Example


def write_wav(path: pathlib.Path, samples: np.ndarray):
    with wave.open(str(path), "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(RATE)
        w.writeframes(samples.astype("<i2").tobytes())


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _list(name: bytes, data: bytes) -> bytes:
    return _chunk(b"LIST", name + data)


def avi(frames: list[bytes], sound: np.ndarray | None, side: int) -> bytes:
    """Motion JPEG at one frame a second, and a second of 16-bit sound behind each frame."""
    n = len(frames)
    streams = 2 if sound is not None else 1
    header = struct.pack("<14I", 1_000_000, 0, 0, 0x10, n, 0, streams, 1 << 16, side, side, 0, 0, 0, 0)
    video = _list(b"strl", _chunk(b"strh", struct.pack("<4s4sIHHIIIIIIIIhhhh", b"vids", b"MJPG", 0, 0, 0, 0, 1, 1, 0, n, 1 << 16, 0xFFFFFFFF, 0, 0, 0, side, side)) +
                  _chunk(b"strf", struct.pack("<IiiHH4sIiiII", 40, side, side, 1, 24, b"MJPG", 3 * side * side, 0, 0, 0, 0)))
    audio = b"" if sound is None else _list(b"strl", _chunk(b"strh", struct.pack("<4s4sIHHIIIIIIIIhhhh", b"auds", b"\0\0\0\0", 0, 0, 0, 0, 1, RATE, 0, len(sound), 2 * RATE, 0xFFFFFFFF, 2, 0, 0, 0, 0)) +
                                             _chunk(b"strf", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16)))
    chunks, index, at = b"", b"", 4
    for i, frame in enumerate(frames):
        parts = [(b"00dc", frame)] + ([] if sound is None else [(b"01wb", sound[i * RATE:(i + 1) * RATE].astype("<i2").tobytes())])
        for name, data in parts:
            index += struct.pack("<4sIII", name, 0x10, at, len(data))
            chunks += _chunk(name, data)
            at += 8 + len(data) + len(data) % 2
    body = _list(b"hdrl", _chunk(b"avih", header) + video + audio) + _list(b"movi", chunks) + _chunk(b"idx1", index)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"AVI " + body


def _line(e: Example, **media) -> str:
    kind = "words" if e.skill in ("spoken words", "video: said") else "json" if "call" in e.skill else "exact"
    d = {"task": e.skill, "type": kind, "format": "chat", **media, "prompt": e.turns[0][0], "answer": e.turns[0][1], "max_tokens": 40}
    return json.dumps(d, ensure_ascii=False) + "\n"


def write(folder: pathlib.Path, n: int, held: Clips) -> int:
    """n questions of each skill, as evaluate.all_questions draws them."""
    media = folder / "media"
    media.mkdir(parents=True, exist_ok=True)
    lines = []
    for i in range(n):
        for name, draw in (("group", pictures.group_question), ("word", pictures.word_question), ("left", pictures.left_question)):
            e = draw(seeds.source("question", draw.__name__, i))
            Image.fromarray(e.pictures[0].pixels).save(media / f"{name}{i:03}.png")
            lines.append(_line(e, image=f"media/{name}{i:03}.png"))
        for name, which in (("write", speech.WRITE), ("call", speech.CALL), ("spanish", speech.SPANISH)):
            e = speech.question(seeds.source("question", which, i), held, which)
            write_wav(media / f"{name}{i:03}.wav", e.clips[0].samples)
            lines.append(_line(e, audio=f"media/{name}{i:03}.wav"))
    for i in range(2 * n):
        files, e = evaluate.video_question(seeds.source("question", "video", i), held)
        (media / f"video{i:03}.avi").write_bytes(avi(files, e.clips[0].samples if e.clips else None, videos.SIDE))
        lines.append(_line(e, video=f"media/video{i:03}.avi"))
    lines += [_line(e) for e in evaluate.text_questions(n)]
    (folder / "suite.jsonl").write_text("".join(sorted(lines, key=lambda line: json.loads(line)["task"])))
    return len(lines)
