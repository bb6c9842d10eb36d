"""Proves that nothing the evaluation asks was ever trained on: every draw of the training is gone through, and every question.

    python prove_disjoint.py --out DIR [--scale X] [--questions N]     # scale 1: the whole training, six core-minutes

Keys are what the rules of nano/data/held_out.py are about; they are taken from what the data show and say, not from the rules. Pictures are
compared by their pixels too. Exit 1 if a key is on both sides.
"""
import argparse
import collections
import hashlib
import pathlib
import re
import sys

from nano import evaluate, mixtures, turns
from nano.data import clips, commands, held_out, pictures, talk
from nano.data.drawing import CELLS, COLOURS, SHAPES
from nano.data.example import Example, Picture
from nano.phases import joint, text, vision

_SUM = re.compile(r"(\d+) ?([-+*]|times) ?(\d+)")


def fingerprint(p: Picture) -> bytes:
    return hashlib.sha256(p.pixels.tobytes()).digest()


def moved(frames: list[Picture]) -> str:
    """What went where, by the cells of the first and the last frame; a motion crosses three cells or more, the other thing stands."""
    first, last = ({int(c): divmod(i, CELLS) for i, c in enumerate(p.cells.ravel()) if c >= 0} for p in (frames[0], frames[-1]))
    for what, (row, column) in first.items():
        down, right = last[what][0] - row, last[what][1] - column
        if max(abs(down), abs(right)) > 1:
            direction = ("down" if down > 0 else "up") if abs(down) > abs(right) else "right" if right > 0 else "left"
            return f"{list(COLOURS)[what // len(SHAPES)]} {SHAPES[what % len(SHAPES)]} {direction}"
    raise ValueError("nothing moves in a video: expected one thing that does")


class Seen:
    def __init__(self):
        self.keys: dict[str, set] = collections.defaultdict(set)

    def _sums(self, asked: str):
        for a, sign, b in _SUM.findall(asked):
            sign = "*" if sign == "times" else sign
            pair = int(a), int(b)
            self.keys["sums"].add((sign, *(pair if sign == "-" else sorted(pair))))

    def _written(self, asked: str):
        for head in (talk.TO_CALL, talk.TO_SPANISH):
            if asked.startswith(head):
                self.keys["written commands"].add(asked.removeprefix(head))

    def example(self, e: Example, of_groups: bool = True):
        self.keys["pictures"].update(fingerprint(p) for p in e.pictures)
        for p in e.pictures if of_groups else []:
            self.keys["groups of things"].update(collections.Counter(int(c) for c in p.cells.ravel() if 0 <= c < len(COLOURS) * len(SHAPES)).items())
        if len(e.pictures) > 1:
            self.keys["motions"].add(moved(e.pictures))
        for question, answer in e.turns:
            self._sums(question)
            self._written(question)
            if question == pictures.READ:
                self.keys["printed words"].add(answer)
            if answer == talk.UNKNOWN:
                self.keys["unknown words"].add(re.sub(r"^(What is|Define|What does) | mean\?$|[?.]$", "", question))


def trained(source: mixtures.Source, scale: float) -> Seen:
    """What the phases draw, step for step."""
    seen = Seen()
    for step in range(round(vision.AMOUNT * scale / vision.BATCH)):
        for e in source.picture_examples("vision", step, vision.BATCH):
            seen.example(e)
    for step in range(round(text.STEPS * scale)):
        for e in source.text_examples("text", step, text.BATCH):
            seen.example(e)
    for phase, (steps, *_) in joint.AMOUNTS.items():
        for step in range(round(steps * scale)):
            for e in source.joint_examples(phase, step)[1]:
                seen.example(e)
    return seen


def asked(questions: list[Example]) -> Seen:
    """Left of: nothing but the picture is new; the dictionary is memory; what is spoken is new by its voice."""
    seen = Seen()
    for e in questions:
        if e.skill not in ("left of", "dictionary (taught)"):
            seen.example(e, of_groups=e.skill == "colour, shape, count")
        seen.keys["pictures"].update(fingerprint(p) for p in e.pictures)
    return seen


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", type=pathlib.Path, required=True, help="the training's folder: tokenizer.json and clips")
    p.add_argument("--scale", type=float, default=1)
    p.add_argument("--questions", type=int, default=100)
    a = p.parse_args()
    source = mixtures.Source(turns.Turns(a.out / "tokenizer.json"), a.out / "clips")
    held = clips.Clips(a.out / "clips", held=True)
    mine, theirs = trained(source, a.scale), asked(evaluate.all_questions(a.questions, held))
    bad = 0

    def say(what: str, both: set, count: str = ""):
        nonlocal bad
        bad += bool(both)
        print(f"{'BOTH' if both else 'ok  '} {what}{count}" + (f", in both: {', '.join(sorted(map(str, both))[:5])}" if both else ""))

    for what in ("pictures", "groups of things", "printed words", "motions", "sums", "written commands", "unknown words"):
        say(what, mine.keys[what] & theirs.keys[what], f": {len(mine.keys[what])} trained, {len(theirs.keys[what])} asked")
    held_phrases = {c.said for c in commands.commands() if held_out.phrase(c.said)}
    say("voices", {v.split("+")[1] for v in source.clips.voice} & {v.split("+")[1] for v in held.voice})
    say("phrases that are held out and spoken in training", set(source.clips.said) & held_phrases)
    new = set(held.said) - set(source.clips.said)
    print(f"     of what the held-out voices say {len(new)} phrases are new, {len(set(held.said) - new)} are known from other voices")
    sys.exit(bad > 0)


main()
