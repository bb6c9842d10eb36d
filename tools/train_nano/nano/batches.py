"""Examples to tensors. A batch holds conversations of one kind: media of all of them stand in one tensor, as the library wants them."""
import dataclasses

import numpy as np
import torch

from . import sizes, turns as t
from .data.example import Example


@dataclasses.dataclass
class Batch:
    ids: torch.Tensor              # [n, T], filled up with <pad> behind: causal attention never looks there
    wanted: torch.Tensor           # [n, T], turns.IGNORED where nothing is learned
    n_positions: int               # without filling
    pixels: torch.Tensor | None    # [pictures, 3, 128, 128] in 0 .. 1
    cells: torch.Tensor | None     # [pictures, 8, 8]
    features: torch.Tensor | None  # [clips, frames, 128]
    valid: torch.Tensor | None     # [clips, frames]
    said: list[str]

    def to(self, device: str) -> "Batch":
        return dataclasses.replace(self, **{k: v.to(device, non_blocking=True) for k, v in vars(self).items() if isinstance(v, torch.Tensor)})


def pixels_of(pictures) -> torch.Tensor:
    """[n, 3, 128, 128], byte / 255 as the processor has it."""
    return torch.from_numpy(np.stack([p.pixels for p in pictures])).permute(0, 3, 1, 2).float() * (1 / 255)


def cells_of(pictures) -> torch.Tensor | None:
    return torch.from_numpy(np.stack([p.cells for p in pictures])) if all(p.cells is not None for p in pictures) else None


def features_of(clips) -> tuple[torch.Tensor, torch.Tensor]:
    from .network import mel
    return mel.log_mel([c.samples for c in clips])


def collate(examples: list[Example], turns: t.Turns) -> Batch:
    rows = [turns.conversation(e) for e in examples]
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.full((len(rows), longest), sizes.PAD)
    wanted = torch.full((len(rows), longest), t.IGNORED)
    for i, (row, w) in enumerate(rows):
        ids[i, :len(row)] = torch.tensor(row)
        wanted[i, :len(w)] = torch.tensor(w)
    pictures = [p for e in examples for p in e.pictures]
    clips = [c for e in examples for c in e.clips]
    features, valid = features_of(clips) if clips else (None, None)
    return Batch(ids, wanted, sum(len(row) for row, _ in rows), pixels_of(pictures) if pictures else None, cells_of(pictures) if pictures else None, features, valid, [c.said for c in clips])
