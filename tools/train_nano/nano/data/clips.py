"""Spoken clips of espeak-ng, made once and cached: 16 kHz, 16 bit, silence cut off at both ends.

    FOLDER/000.npz ...   500 clips each: samples [all of them behind each other] i16, ends [500], said [500], voice [500]
Each file is whole or not there; a making that was killed goes on with the first one missing. About 18 clips a core-second.
"""
import os
import pathlib
import subprocess

import numpy as np

from .. import seeds
from . import commands, held_out
from .example import Clip

RATE = 16000
PER_FILE = 500
ACCENTS = ("en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-029", "en-us-nyc")
VARIANTS = ("m1 m2 m3 m4 m5 m6 m7 m8 f1 f2 f3 f4 f5 Alex Alicia Andrea Andy Annie Denis Gene Hugo Jacky Lee Marco Mario Michael Mike adam anika antonio aunty belinda benjamin boris caleb david ed edward "
            "grandma grandpa john linda max michel miguel norbert pablo paul pedro quincy rob robert steph travis victor zac").split()


def resampled(x: np.ndarray, rate: int) -> np.ndarray:
    """By its spectrum, cut off at the new half rate."""
    n = len(x) * RATE // rate
    spectrum = np.fft.rfft(x)
    return np.fft.irfft(spectrum[: n // 2 + 1], n) * (n / len(x))


def spoken(said: str, voice: str, speed: int, pitch: int) -> np.ndarray:
    wav = subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", said], check=True, capture_output=True).stdout
    rate = int.from_bytes(wav[24:28], "little")
    x = np.frombuffer(wav[44:len(wav) // 2 * 2], "<i2").astype(np.float64) / 32768  # the header's lengths are those of a pipe: not known
    x = resampled(x, rate)
    loud = np.flatnonzero(np.abs(x) > 0.01)
    if len(loud) == 0:
        raise ValueError(f"espeak-ng: voice {voice} says nothing for '{said}': expected sound")
    x = x[max(0, loud[0] - 400):loud[-1] + 800]
    return np.round(x * (0.7 / np.abs(x).max()) * 32767).astype(np.int16)


def plan(i: int, held: bool) -> tuple[str, str, int, int]:
    """What clip i says, in which voice, how fast (words a minute) and how high. Held out: the voices always, half of the commands too."""
    r = seeds.source("clip", "held" if held else "trained", i)
    variant = r.choice(held_out.VOICES) if held else r.choice([v for v in VARIANTS if v not in held_out.VOICES])
    if r.random() < 0.35:
        said = r.choice(commands.numbers()).said
    else:
        new = held and r.random() < 0.5
        said = r.choice([c.said for c in commands.commands() if held_out.phrase(c.said) == new])
    return said, f"{r.choice(ACCENTS)}+{variant}", r.randint(130, 200), r.randint(25, 75)


def _make(path: pathlib.Path, first: int, n: int, held: bool):
    said, voices, samples = [], [], []
    for i in range(first, first + n):
        text, voice, speed, pitch = plan(i, held)
        said.append(text)
        voices.append(voice)
        samples.append(spoken(text, voice, speed, pitch))
    partial = path.with_suffix(".partial")
    with open(partial, "wb") as f:
        np.savez(f, samples=np.concatenate(samples), ends=np.cumsum([len(s) for s in samples]), said=np.array(said), voice=np.array(voices))
        f.flush()
        os.fsync(f.fileno())
    partial.rename(path)


def make(folder: pathlib.Path, n: int, held: bool, progress=lambda done, total: None, per_file: int = PER_FILE):
    """n clips; also one more file that is nobody's training when held."""
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(-(-n // per_file)):
        path = folder / f"{'held' if held else ''}{k:03}.npz"
        if not path.exists():
            _make(path, k * per_file, min(per_file, n - k * per_file), held)
        progress(min(n, (k + 1) * per_file), n)


class Clips:
    """The cache, read: about 60 KB a clip in memory."""

    def __init__(self, folder: pathlib.Path, held: bool = False):
        files = sorted(folder.glob("held*.npz" if held else "[0-9]*.npz"))
        if not files:
            raise FileNotFoundError(f"{folder}: holds no {'held-out ' if held else ''}clips: expected files that the phase 'data' makes")
        self.samples, self.said, self.voice = [], [], []
        for f in files:
            with np.load(f) as z:
                self.samples += np.split(z["samples"], z["ends"][:-1])
                self.said += [str(s) for s in z["said"]]
                self.voice += [str(v) for v in z["voice"]]

    def __len__(self):
        return len(self.said)

    def clip(self, i: int) -> Clip:
        return Clip(self.samples[i], self.said[i])

    def worn(self, i: int, r) -> Clip:
        """With silence around, another loudness and noise on it."""
        x = self.samples[i].astype(np.float32) / 32768
        x = np.concatenate([np.zeros(r.randint(0, 3200), np.float32), x * r.uniform(0.25, 1), np.zeros(r.randint(400, 3200), np.float32)])
        g = np.random.Generator(np.random.PCG64(r.getrandbits(32)))
        noise = g.standard_normal(len(x), np.float32)
        if r.random() < 0.5:  # darker than white
            noise = np.convolve(noise, np.ones(4, np.float32) / 2, "same")
        x += noise * 10 ** r.uniform(-4, -2)
        return Clip((np.clip(x, -1, 1) * 32767).astype(np.int16), self.said[i])
