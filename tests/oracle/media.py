"""Live comparison of pictures and sound with transformers, from files to logits: its processor, its towers, its text network, in f32.

    python tests/oracle/media.py build/release/gemma3n --media FOLDER [--tokenizer TOKENIZER.json] [--seed N] [--case NAME]

A scaled model with every kind of block (its weights are synth's, with a fresh seed), and, where the tokenizer is given, towers of the
published shapes with the published ids on a tiny text network. For each conversation:
  input_ids       the same
  pixel_values    the same on 99.6 % of the values, within 1/255 on all
  input_features  within 1e-3 (16 kHz; of other sound ours are given to the reference)
  soft_tokens     of every picture and clip within 5e-4 of the largest, on our pixels and features
  logits          of all positions within 5e-4 of the largest
and, of the scaled model, greedy tokens the same: the best token at each position of prompt and answer.
"""
import argparse
import codecs
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time
import wave

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/oracle"))
import media_models  # noqa: E402
import numpy as np  # noqa: E402
import transformers  # noqa: E402
from PIL import Image, ImageOps  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

TOLERANCE = 5e-4
SAME_PIXELS = 0.996
MEL = 1e-3
N_GREEDY = 8
MIN_LEAD = 4e-4  # greedy choices nearer than that are no comparison; logits differ by 1e-5 at most

# name, side of pictures, files of the folder in the order of the flags and the text behind them; text among pictures has its goldens in
# tests/runtime
SCALED = [
    ("picture", 256, ["astronaut.png", "What is it?"]),
    ("jpeg", 256, ["china.jpg", "What is it?"]),
    ("512", 512, ["coffee.png", "How many people?"]),
    ("768", 768, ["flower.jpg", "How many people?"]),
    ("two-pictures", 256, ["chelsea.png", "rocket.jpg", "Which one?"]),
    ("speech", 256, ["austen.wav", "Write it down"]),
    ("two-clips", 256, ["card.wav", "austen2.wav", "Which one?"]),
    ("speech-48k", 256, ["center48k.wav", "Write it down"]),
    ("all", 256, ["astronaut.png", "chelsea.png", "austen.wav", "card.wav", "What is it?"]),
    ("order", 256, ["card.wav", "coffee.png", "austen2.wav", "flower.jpg", " And now?\n"]),
]
TRUE = [
    ("true-256", 256, ["china.jpg", "austen2.wav", "What is it?"]),
    ("true-768", 768, ["astronaut.png", "What is it?"]),
]


def is_picture(part):
    return part.endswith((".png", ".jpg"))


def is_sound(part):
    return part.endswith(".wav")


def read_picture(path):
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def read_sound(path):
    with wave.open(str(path)) as w:
        assert w.getnchannels() == 1 and w.getsampwidth() == 2, path
        return np.frombuffer(w.readframes(w.getnframes()), "<i2").astype(np.float32) / 32768, w.getframerate()


def rel(a, b):
    assert a.shape == b.shape, f"shape {a.shape}, expected {b.shape}"
    d = float(np.abs(a - b).max() / np.abs(b).max())
    return d if np.isfinite(d) else float("inf")


class Case:
    def __init__(self, command, directory, folder, reference):
        self.command, self.directory, self.folder, self.reference = command, directory, folder, reference
        # as the file says it: the library's class counts <mask> among them too, which no file does
        self.special = {t["content"] for t in json.loads((directory / "tokenizer.json").read_text())["added_tokens"] if t["special"]}

    def trace(self, arguments, only, work):
        out = work / "trace.safetensors"
        subprocess.run([self.command, "trace", str(self.directory), *arguments, "--only", only, "--activations", "f32", "-o", str(out)], check=True)
        return load_file(out)

    def arguments(self, parts):
        """The flags, and the text."""
        *files, text = parts
        return [a for f in files for a in ("--image" if is_picture(f) else "--audio", str(self.folder / f))], text

    def spelled(self, ids):
        """Text of an answer: bytes joined first, for a random model writes broken UTF-8; one U+FFFD for each byte that belongs to no character, as
        the tokenizers library has it (Python's own "replace" writes one for a whole cut-off character). An end of text or turn ends it."""
        out, tokenizer = b"", self.reference.processor.tokenizer
        for i in ids:
            piece = tokenizer.convert_ids_to_tokens(i)
            if piece in ("<eos>", "<end_of_turn>"):
                break
            if piece not in self.special:
                out += bytes.fromhex(piece[3:5]) if piece.startswith("<0x") else piece.replace("\u2581", " ").encode()
        return out.decode(errors="each byte")

    def run(self, parts, work, greedy):
        media, text = self.arguments(parts)
        got = self.trace([*media, text], r"^(input_ids|logits|pixel_values(\.\d+)?|input_features(\.\d+)?|soft_tokens\..*)$", work)
        files = [p for p in parts if is_picture(p) or is_sound(p)]
        loaded = [("image", read_picture(self.folder / p)) if is_picture(p) else ("audio", read_sound(self.folder / p)[0]) if is_sound(p) else p for p in parts]
        notes, good = [], True

        def say(what, value, bound, fine):
            nonlocal good
            good &= fine
            notes.append(f"{'' if fine else '!! '}{what} {value}" + ("" if fine else f" (expected {bound})"))

        ids = self.reference.ids(loaded)
        say("ids", len(ids), "the same", got["input_ids"].tolist() == ids)
        images, sounds = [], []
        for p in files:
            if is_picture(p):
                i = len(images)
                mine, theirs = got[f"pixel_values.{i}"].reshape(1, 3, *got[f"pixel_values.{i}"].shape[-2:]), self.reference.pixels(read_picture(self.folder / p))
                same, worst = float((mine == theirs).mean()), float(np.abs(mine - theirs).max())
                say(f"pixels {i}", f"{100 * same:.2f} % the same", f">= {100 * SAME_PIXELS} %, within 1/255", same >= SAME_PIXELS and worst < 1.01 / 255)
                soft = self.reference.image_tokens(mine)
                images.append(soft)
                difference = rel(got[f"soft_tokens.image.{i}"], soft)
                say(f"picture {i}", f"{difference:.1e}", TOLERANCE, difference <= TOLERANCE)
            else:
                i = len(sounds)
                mine = got[f"input_features.{i}"].reshape(-1, 128)
                samples, rate = read_sound(self.folder / p)
                n_samples = len(samples)
                if rate == 16000:
                    theirs = self.reference.features(samples)
                    worst = float(np.abs(mine[: len(theirs)] - theirs).max()) if len(mine) >= len(theirs) else float("inf")
                    say(f"mel {i}", f"{worst:.1e}", MEL, worst <= MEL)
                else:
                    n_samples = n_samples * 16000 // rate
                soft = self.reference.audio_tokens(mine, n_samples)
                sounds.append(soft)
                difference = rel(got[f"soft_tokens.audio.{i}"], soft)
                say(f"clip {i}", f"{difference:.1e}", TOLERANCE, difference <= TOLERANCE)
        logits = self.reference.logits(ids, images, sounds)
        difference = rel(got["logits"], logits)
        say("logits", f"{difference:.1e}", TOLERANCE, difference <= TOLERANCE)
        if greedy:
            answer, lead = self.reference.greedy(ids, images, sounds, N_GREEDY)
            if lead < MIN_LEAD:
                notes.append("greedy choices near to each other or of marks: not compared")
            else:
                best = int(got["logits"][-1].argmax())
                say("greedy", f"token {best}", answer[0], best == answer[0])
                said = subprocess.run([self.command, "run", str(self.directory), *media, text, "--temp", "0", "-n", str(N_GREEDY), "--activations", "f32"],
                                      check=True, capture_output=True).stdout.decode(errors="replace").removesuffix("\n")
                expected = self.spelled(answer)
                say("answer", repr(said), repr(expected), said.strip() == expected.strip())
        return good, notes


codecs.register_error("each byte", lambda e: ("\ufffd" * (e.end - e.start), e.end))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("command")
    p.add_argument("--media", type=pathlib.Path, required=True)
    p.add_argument("--tokenizer", type=pathlib.Path)
    p.add_argument("--seed", type=int, default=secrets.randbelow(1 << 30))
    p.add_argument("--case")
    a = p.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    command = os.path.abspath(a.command)
    print(f"transformers {transformers.__version__}, seed {a.seed}")
    start, bad, n = time.time(), [], 0
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for cases, make, greedy in ((SCALED, lambda d: media_models.scaled(command, d, a.seed), True), (TRUE, lambda d: media_models.true_towers(d, a.tokenizer, a.seed), False)):
            cases = [c for c in cases if not a.case or c[0] == a.case]
            if not cases or (cases[0] in TRUE and not a.tokenizer):
                continue
            directory = work / cases[0][0]
            make(directory)
            for name, side, parts in cases:
                begin = time.time()
                try:
                    media_models.with_size(directory, side)
                    reference = media_models.Reference(directory)
                    good, notes = Case(command, directory, a.media.resolve(), reference).run(parts, work, greedy)
                except (AssertionError, KeyError, subprocess.CalledProcessError) as e:
                    good, notes = False, [f"{type(e).__name__}: {e}"]
                n += 1
                if not good:
                    bad.append(name)
                print(f"{'ok  ' if good else 'FAIL'} {name:<12} {', '.join(notes)}; {time.time() - begin:.0f} s", flush=True)
    print(f"{n} conversations, {time.time() - start:.0f} s" + (f"; failed: {', '.join(bad)} (again with --seed {a.seed})" if bad else ""))
    sys.exit(bool(bad) or n == 0)


main()
