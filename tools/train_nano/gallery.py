"""What nano sees, hears and answers, as pictures for docs/nano.md: held-out questions with the answers of two sizes, right ones in green and wrong ones in red.

    python gallery.py COMMAND [--from models/nano] [--out docs/nano]
Writes pictures.png, sounds.png (log-mel spectrograms, as the encoder takes them) and videos.png. Of each task the first questions, and up to one
that the large size gets wrong.
"""
import argparse
import io
import json
import pathlib
import subprocess
import wave

from nano import batches, shipped  # sets torch up first
from nano.data.example import Clip
import numpy as np
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIDE, LINE, PAD, COLUMNS = 256, 17, 10, 4
GREEN, RED, GREY = "#1a7a3a", "#c02020", "#505050"
SIZES = ("full", "small")
FIRST, LOOKED_AT = 3, 40


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("command")
    p.add_argument("--from", dest="source", type=pathlib.Path, default=ROOT / "models/nano")
    p.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/nano")
    return p.parse_args()


class Gallery:
    def __init__(self, command: str, folder: pathlib.Path):
        self.command, self.folder = command, folder
        lines = [json.loads(line) for line in (folder / "suite/suite.jsonl").read_text().splitlines()]
        self.of = {kind: [line for line in lines if kind in line] for kind in ("image", "audio", "video")}
        self.font = ImageFont.truetype("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", 13)

    def said(self, kind: str, line: dict, size: str) -> str:
        done = subprocess.run([self.command, "run", self.folder / shipped.TEXT, f"--{kind}", self.folder / "suite" / line[kind], "--temp", "0", "-n", "40", "--size", size, line["prompt"]], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def chosen(self, kind: str) -> list[tuple[dict, dict[str, str]]]:
        out = []
        for task in sorted({line["task"] for line in self.of[kind]}):
            shown, wrong = [], None
            for line in [line for line in self.of[kind] if line["task"] == task][:LOOKED_AT]:
                if len(shown) == FIRST and wrong:
                    break
                answers = {size: self.said(kind, line, size) for size in (SIZES if len(shown) < FIRST else SIZES[:1])}
                if len(shown) < FIRST:
                    shown.append((line, answers))
                elif answers[SIZES[0]] != line["answer"]:
                    wrong = (line, answers | {size: self.said(kind, line, size) for size in SIZES[1:]})
            out += shown + ([wrong] if wrong else [])
        return out

    def sight(self, kind: str, path: pathlib.Path) -> Image.Image:
        if kind == "image":
            return Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.NEAREST)
        if kind == "audio":
            return spectrogram(path)
        return frames(path)

    def sheet(self, kind: str) -> Image.Image:
        cards = [self.card(kind, *c) for c in self.chosen(kind)]
        rows = [cards[i:i + COLUMNS] for i in range(0, len(cards), COLUMNS)]
        heights = [max(c.height for c in row) + PAD for row in rows]
        sheet = Image.new("RGB", (COLUMNS * (SIDE + PAD) + PAD, sum(heights) + PAD), "white")
        top = PAD
        for row, height in zip(rows, heights):
            for i, c in enumerate(row):
                sheet.paste(c, (PAD + i * (SIDE + PAD), top))
            top += height
        return sheet

    def card(self, kind: str, line: dict, answers: dict[str, str]) -> Image.Image:
        sight = self.sight(kind, self.folder / "suite" / line[kind])
        texts = [(f"{line['task']}: {line['prompt']}", GREY)]
        for size, said in answers.items():
            right = said == line["answer"]
            texts.append((f"{size}: {said}" + ("" if right else f"   (is: {line['answer']})"), GREEN if right else RED))
        wrapped = [(part, ink) for text, ink in texts for part in self.wrapped(text)]
        card = Image.new("RGB", (SIDE, sight.height + 4 + LINE * len(wrapped)), "white")
        card.paste(sight, (0, 0))
        pen = ImageDraw.Draw(card)
        for i, (text, ink) in enumerate(wrapped):
            pen.text((0, sight.height + 4 + LINE * i), text, fill=ink, font=self.font)
        return card

    def wrapped(self, text: str) -> list[str]:
        out = [""]
        for word in text.split(" "):
            longer = (out[-1] + " " + word).strip()
            if self.font.getlength(longer) <= SIDE:
                out[-1] = longer
            else:
                out.append(word)
        return out


def spectrogram(path: pathlib.Path) -> Image.Image:
    with wave.open(str(path)) as w:
        clip = Clip(np.frombuffer(w.readframes(w.getnframes()), "<i2"))
    features, _ = batches.features_of([clip])
    x = features[0].numpy().T[::-1]  # low tones below
    x = (x - x.min()) / (x.max() - x.min())
    colours = np.stack([np.clip(1.6 * x, 0, 1), np.clip(1.8 * x - 0.6, 0, 1), np.clip(0.5 * np.sin(3.1 * x) + (x > 0.8) * (x - 0.8) * 4, 0, 1)], -1)
    return Image.fromarray((255 * colours).astype(np.uint8)).resize((SIDE, SIDE // 2), Image.BILINEAR)


def frames(path: pathlib.Path) -> Image.Image:
    """The motion JPEG of an AVI file as suite.avi writes it, four in a row."""
    data, at, found = path.read_bytes(), 0, []
    while (at := data.find(b"00dc", at)) >= 0 and at < data.find(b"idx1"):
        n = int.from_bytes(data[at + 4:at + 8], "little")
        found.append(Image.open(io.BytesIO(data[at + 8:at + 8 + n])).convert("RGB"))
        at += 8 + n
    each = SIDE // 2
    out = Image.new("RGB", (SIDE, 2 * each), "white")
    for i, frame in enumerate(found[:4]):
        out.paste(frame.resize((each - 2, each - 2)), (i % 2 * each, i // 2 * each))
    return out


def main():
    a = parse()
    a.out.mkdir(parents=True, exist_ok=True)
    g = Gallery(a.command, a.source)
    for kind, name in (("image", "pictures"), ("audio", "sounds"), ("video", "videos")):
        g.sheet(kind).quantize(255, method=Image.Quantize.MAXCOVERAGE, kmeans=1).save(a.out / f"{name}.png", optimize=True)
        print(a.out / f"{name}.png")


if __name__ == "__main__":
    main()
