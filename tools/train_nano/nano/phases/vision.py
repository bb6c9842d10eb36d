"""1a: the vision tower alone, by naming what is centred in each cell. 110 thousand pictures, one cycle."""
import torch

from .. import batches, seeds
from ..data import pictures
from ..network import build, heads, initial

BATCH, AMOUNT = 8, 110_000


class Vision:
    name, first_rate, last_rate, line_every = "vision", 1.5e-3, 0.05, 50

    def __init__(self, source, scale: float = 1, device: str = "cpu"):
        self.n_steps = max(20, round(AMOUNT * scale / BATCH))
        self.device = device
        self.tower, self.head = build.vision_tower(), heads.CellHead()
        initial.initialise(self.head, torch.Generator().manual_seed(11))
        self.modules = {"tower": self.tower, "head": self.head}
        self.line_every = min(self.line_every, max(1, self.n_steps // 10))
        self.source = source

    def groups(self):
        return initial.grouped([(f"{n}.{k}", p) for n, m in self.modules.items() for k, p in m.named_parameters()], self.first_rate)

    def batch(self, step: int):
        shown = [e.pictures[0] for e in self.source.picture_examples(self.name, step, BATCH)]
        return batches.pixels_of(shown), batches.cells_of(shown)

    def loss(self, step: int, batch):
        pixels, cells = (x.to(self.device) for x in batch)
        loss, _ = self.head(self.tower(pixels), cells)
        return loss, BATCH, BATCH * 64

    def evaluate(self, step: int) -> dict[str, float]:
        """Whole pictures right, of groups and words that are held out."""
        out = {}
        for what, draw in (("groups", pictures.group), ("words", pictures.print_of)):
            right = 0
            for k in range(6):
                shown = [draw(seeds.source("vision figures", what, k, i), True)[0] for i in range(25)]
                _, good = self.head(self.tower(batches.pixels_of(shown).to(self.device)), batches.cells_of(shown).to(self.device))
                right += int(good.sum())
            out[f"{what}, all cells"] = right / 1.5
        return out
