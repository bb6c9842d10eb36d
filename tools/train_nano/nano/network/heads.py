"""Linear heads that warm the towers up, and stay on beside the text while all is trained together. No part of the model."""
import torch
import torch.nn.functional as F
from torch import nn

from .. import sizes
from ..data import commands
from ..data.drawing import N_CLASSES

LETTERS = " abcdefghijklmnopqrstuvwxyz"


class CellHead(nn.Module):
    """What is centred in each of the 64 cells. One softmax with a class for nothing does not learn: nothing is 95 % of the cells."""

    def __init__(self):
        super().__init__()
        self.read = nn.Linear(sizes.VISION_WIDTH, 1 + N_CLASSES)

    def forward(self, features, cells):
        """features [n, 192, 8, 8], cells [n, 8, 8] -> loss, and per picture whether every cell is right."""
        out = self.read(features.flatten(2).transpose(1, 2))  # [n, 64, 61]
        wanted = cells.flatten(1).long()
        occupied = wanted >= 0
        there, what = out[..., 0], out[..., 1:]
        loss = 2 * F.binary_cross_entropy_with_logits(there, occupied.float(), pos_weight=torch.tensor(3.0, device=out.device))
        if occupied.any():
            loss = loss + F.cross_entropy(what[occupied], wanted[occupied])
        got = torch.where(there > 0, what.argmax(-1), -1)
        return loss, (got == wanted).all(-1)


class SpeechHead(nn.Module):
    """CTC over words, and over letters at half weight: letters start sooner. Features are frames of 40 ms."""

    def __init__(self):
        super().__init__()
        self.words = nn.Linear(sizes.AUDIO_WIDTH, 1 + len(commands.spoken_words()))
        self.letters = nn.Linear(sizes.AUDIO_WIDTH, 1 + len(LETTERS))

    def forward(self, features, valid, said: list[str]):
        """features [n, T, 96], valid [n, T] -> loss, [words wrong, words] of the batch by the likeliest path."""
        lengths = valid.sum(1)
        by_words = self.words(features).log_softmax(-1).transpose(0, 1)  # [T, n, classes]
        by_letters = self.letters(features).log_softmax(-1).transpose(0, 1)
        loss = self._ctc(by_words, lengths, [word_ids(s) for s in said]) + 0.5 * self._ctc(by_letters, lengths, [[1 + LETTERS.index(c) for c in s] for s in said])
        with torch.no_grad():
            paths = by_words.argmax(-1).T.tolist()
        wrong = sum(edits(collapsed(p[:n]), word_ids(s)) for p, n, s in zip(paths, lengths.tolist(), said))
        return loss, (wrong, sum(len(s.split()) for s in said))

    @staticmethod
    def _ctc(log_p, lengths, wanted):
        n = torch.tensor([len(w) for w in wanted])
        flat = torch.tensor([i for w in wanted for i in w])
        return F.ctc_loss(log_p, flat.to(log_p.device), lengths.cpu(), n, zero_infinity=True)


def word_ids(said: str) -> list[int]:
    return [1 + commands.spoken_words().index(w) for w in said.split()]


def collapsed(path: list[int]) -> list[int]:
    return [p for i, p in enumerate(path) if p and (i == 0 or p != path[i - 1])]


def edits(a, b) -> int:
    """Insertions, deletions and changes from a to b."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]
