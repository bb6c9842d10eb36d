"""One conversation: turns of (what is asked, what is answered), and the media of its first turn."""
import dataclasses

import numpy as np


@dataclasses.dataclass
class Picture:
    pixels: np.ndarray                 # [128, 128, 3] u8
    cells: np.ndarray | None = None    # [8, 8] i8: the class of what is centred in each cell, -1 nothing


@dataclasses.dataclass
class Clip:
    samples: np.ndarray                # [n] i16, 16 kHz
    said: str = ""


@dataclasses.dataclass
class Example:
    skill: str
    turns: list[tuple[str, str]]
    pictures: list[Picture] = dataclasses.field(default_factory=list)  # stand first, in order,
    clips: list[Clip] = dataclasses.field(default_factory=list)        # then these, then the first turn's text
