"""What a phase learns from, as functions of its step: a batch is the same whenever it is asked for."""
import pathlib
import random

from . import seeds
from .data import arithmetic, pictures, speech, talk, videos
from .data.clips import Clips
from .data.example import Example
from .turns import Turns

TEXT_TOKENS = 88  # a conversation is filled with turns up to about that length
# share of the turns: glosses need about 30 showings each, sums 200 to 300 thousand; they are short
TEXT_TURNS = ((0.60, arithmetic.turn), (0.25, talk.dictionary_turn), (0.07, talk.command_turn), (0.05, talk.refusal_turn), (0.03, talk.chat_turn))
# steps of each kind while all is trained together, and conversations in a batch
TOGETHER = {
    "joint": (("picture", 0.27, 16), ("speech", 0.25, 16), ("video", 0.24, 4), ("text", 0.24, 32)),
    # speech is learned by then; a video step shows four videos only, and their colours and the counts of pictures come last
    "polish": (("picture", 0.44, 16), ("speech", 0.08, 16), ("video", 0.36, 4), ("text", 0.12, 32)),
}
PICTURES = {"polish": (0.40, 0.25, 0.15, 0.20)}  # a phase that is not here takes pictures.SHARES


def text_example(r: random.Random, turns: Turns) -> Example:
    out, used = [], 1
    while True:
        asked, answer = r.choices([f for _, f in TEXT_TURNS], [w for w, _ in TEXT_TURNS])[0](r)
        used += len(turns.text(asked)) + len(turns.text(answer)) + 9  # 9: marks, roles and newlines
        if out and used > TEXT_TOKENS:
            return Example("text", out)
        out.append((asked, answer))


class Source:
    """Draws for the phases. Clips are read when the first is wanted."""

    def __init__(self, turns: Turns, clips: pathlib.Path, seed: str = "", share: tuple[int, int] = (0, 1)):
        """`share`: (which, of how many) parts of every batch that is drawn here."""
        self.turns, self._folder, self._clips, self.seed, self.share = turns, clips, None, seed, share

    def _mine(self, n: int) -> range:
        which, of = self.share
        return range(which % n, n, of)  # of a batch smaller than the parts each takes one, some the same

    @property
    def clips(self) -> Clips:
        if self._clips is None:
            self._clips = Clips(self._folder)
        return self._clips

    def text_examples(self, phase: str, step: int, n: int) -> list[Example]:
        return [text_example(seeds.source(self.seed, phase, step, i), self.turns) for i in self._mine(n)]

    def picture_examples(self, phase: str, step: int, n: int) -> list[Example]:
        return [pictures.example(seeds.source(self.seed, phase, step, i), PICTURES.get(phase, pictures.SHARES)) for i in self._mine(n)]

    def speech_examples(self, phase: str, step: int, n: int) -> list[Example]:
        return [speech.example(seeds.source(self.seed, phase, step, i), self.clips) for i in self._mine(n)]

    def video_examples(self, phase: str, step: int, n: int) -> list[Example]:
        # all of a batch speak or none does: their clips stand in one tensor
        out = []
        for i in self._mine(n):
            r = seeds.source(self.seed, phase, step, i)
            clip = self.clips.worn(r.randrange(len(self.clips)), r) if step % 2 else None
            out.append(videos.example(r, clip))
        return out

    def joint_examples(self, phase: str, step: int, size: float = 1) -> tuple[str, list[Example]]:
        """`size`: of the batch, 1 as TOGETHER has it."""
        kinds = TOGETHER[phase]
        kind, _, n = seeds.source(self.seed, phase, step).choices(kinds, [share for _, share, _ in kinds])[0]
        return kind, getattr(self, f"{kind}_examples")(phase, step, max(1, round(n * size)))
