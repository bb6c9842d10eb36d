"""What is asked of a spoken clip: its words, its call, its Spanish."""
import functools
import random

from . import clips as cache
from . import commands
from .example import Example

WRITE, CALL, SPANISH = "Write it down.", "Make the call.", "Translate to Spanish."


@functools.cache
def _meaning() -> dict[str, commands.Command]:
    return {c.said: c for c in commands.commands() + commands.numbers()}


def asked_of(said: str) -> list[tuple[str, str]]:
    c = _meaning()[said]
    return [(WRITE, said)] + ([(CALL, c.call)] if c.call else []) + ([(SPANISH, c.spanish)] if c.spanish else [])


def example(r: random.Random, clips: cache.Clips) -> Example:
    clip = clips.worn(r.randrange(len(clips)), r)
    asked = asked_of(clip.said)
    if r.random() < 0.4:
        asked = asked[:1]  # plain writing is what the others stand on
    r.shuffle(asked)
    return Example("speech", asked[:r.randint(1, 2)], clips=[clip])


def question(r: random.Random, held: cache.Clips, which: str) -> Example:
    skill = {WRITE: "spoken words", CALL: "spoken calls", SPANISH: "spoken to Spanish"}[which]
    while True:
        clip = held.worn(r.randrange(len(held)), r)
        for turn in asked_of(clip.said):
            if turn[0] == which:
                return Example(skill, [turn], clips=[clip])
