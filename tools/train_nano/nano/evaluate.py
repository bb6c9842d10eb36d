"""What is right of the held-out questions, skill by skill and size by size. An answer is right when each of its tokens is the likeliest one
behind those before it: what a greedy answer would be, with no loop. Words wrong are counted in the same tokens."""
import collections
import dataclasses
import json

import numpy as np
import torch
import torch.nn.functional as F

from . import seeds, sizes
from .batches import collate
from .data import arithmetic, pictures, speech, talk, videos
from .data.clips import Clips
from .data.example import Example
from .network import build, heads, nested
from .turns import IGNORED, Turns

TOGETHER = 20


@dataclasses.dataclass
class Score:
    n: int = 0
    right: int = 0
    words: int = 0
    wrong_words: int = 0
    calls: int = 0  # that are JSON
    tokens: int = 0
    losses: list[float] = dataclasses.field(default_factory=list)  # of each answer, in nats: they tell sizes apart where right answers are too few to

    @property
    def percent(self) -> float:
        return 100 * self.right / max(1, self.n)


def _draws(n: int, draw, name: str, *extra) -> list[Example]:
    return [draw(seeds.source("question", name, i), *extra) for i in range(n)]


def text_questions(n: int) -> list[Example]:
    out = []
    for draw in (arithmetic.question, talk.dictionary_question, talk.refusal_question):
        out += _draws(n, draw, draw.__name__)
    return out + _draws(2 * n, talk.command_question, "command")


def video_question(r, held: Clips) -> tuple[list[bytes], Example]:
    """Silent half of the time, for the motion; the other half for what is said."""
    clip = held.worn(r.randrange(len(held)), r) if r.random() < 0.5 else None
    files, e = videos.conversation(r, True, clip)
    return files, dataclasses.replace(e, skill="video: said" if clip else "video: motion", turns=[e.turns[-1]])


def all_questions(n: int, held: Clips | None) -> list[Example]:
    """n of each skill; the same whenever they are drawn."""
    out = []
    for draw in (pictures.group_question, pictures.word_question, pictures.left_question):
        out += _draws(n, draw, draw.__name__)
    if held:
        for which in (speech.WRITE, speech.CALL, speech.SPANISH):
            out += _draws(n, speech.question, which, held, which)
        out += [video_question(seeds.source("question", "video", i), held)[1] for i in range(2 * n)]
    return out + text_questions(n)


def _groups(examples: list[Example]) -> list[list[Example]]:
    """Those that can stand in one batch: as many pictures and clips each, and, so that a clip's last frames do not depend on its neighbours, clips one by one."""
    by_kind = collections.defaultdict(list)
    for e in examples:
        by_kind[len(e.pictures), len(e.clips), len(e.clips[0].samples) if e.clips else 0].append(e)
    return [g[i:i + TOGETHER] for g in by_kind.values() for i in range(0, len(g), TOGETHER)]


def _is_json(s: str) -> bool:
    try:
        return isinstance(json.loads(s), dict)
    except ValueError:
        return False


@torch.no_grad()
def score(model, turns: Turns, questions: list[Example], device: str = "cpu") -> dict[str, Score]:
    """The model as it is now; the caller has set its size."""
    scores: dict[str, Score] = {}
    for group in _groups(questions):
        b = collate(group, turns).to(device)
        media = {} if b.pixels is None else {"pixel_values": b.pixels}
        if b.features is not None:
            media |= {"input_features": b.features, "input_features_mask": b.valid}
        logits = model(input_ids=b.ids, use_cache=False, **media).logits
        for e, scored, got, wanted in zip(group, logits, logits.argmax(-1), b.wanted):
            s = scores.setdefault(e.skill, Score())
            answer = wanted != IGNORED
            said = turns.spelled(got[answer].tolist())
            s.tokens += int(answer.sum())
            s.losses.append(float(F.cross_entropy(scored[answer], wanted[answer], reduction="sum")))
            s.n += 1
            s.right += bool((got[answer] == wanted[answer]).all())
            s.words += len(e.turns[0][1].split())
            s.wrong_words += heads.edits(said.split(), e.turns[0][1].split())
            s.calls += _is_json(said)
    return scores


def table(model, turns: Turns, questions: list[Example], names=None, device: str = "cpu", progress=lambda name: None) -> dict[str, dict[str, Score]]:
    """Slice -> skill -> score."""
    out = {}
    for one in sizes.slices():
        if names and one["name"] not in names:
            continue
        progress(one["name"])
        with nested.sized(build.layers_of(model), one):
            out[one["name"]] = score(model, turns, questions, device)
    return out


def figures(model, turns: Turns, questions: list[Example], names, device: str) -> dict[str, float]:
    return {f"{skill}, {name}": s.percent for name, scores in table(model, turns, questions, names, device).items() for skill, s in scores.items()}


def markdown(result: dict[str, dict[str, Score]]) -> str:
    names = list(result)
    lines = ["| skill | n | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for skill, first in next(iter(result.values())).items():
        lines.append(f"| {skill}, right | {first.n} | " + " | ".join(f"{result[n][skill].percent:.1f} %" for n in names) + " |")
        if skill in ("spoken words", "video: said"):
            lines.append(f"| {skill}, word error rate | {first.words} words | " + " | ".join(f"{100 * result[n][skill].wrong_words / max(1, result[n][skill].words):.1f} %" for n in names) + " |")
        if "call" in skill:
            lines.append(f"| {skill}, valid JSON | {first.n} | " + " | ".join(f"{100 * result[n][skill].calls / max(1, result[n][skill].n):.1f} %" for n in names) + " |")
    tokens = max(1, sum(s.tokens for s in next(iter(result.values())).values()))
    losses = {n: np.array([x for s in scores.values() for x in s.losses]) for n, scores in result.items()}  # the same questions in the same order
    lines.append(f"| all answers, nats a token | {tokens} tokens | " + " | ".join(f"{losses[n].sum() / tokens:.4f}" for n in names) + " |")
    if "full" in names:
        more = {n: losses[n] - losses["full"] for n in names}
        lines.append(f"| more than full, with its standard error | {len(losses['full'])} answers | " +
                     " | ".join(f"{m.sum() / tokens:.4f} ± {m.std() * len(m) ** 0.5 / tokens:.4f}" if n != "full" else "" for n, m in more.items()) + " |")
    return "\n".join(lines) + "\n"
