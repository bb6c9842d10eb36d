"""Shapes and letters on a square of 128 pixels, with what is centred in each of its 8 x 8 cells of 16 pixels: the soft tokens' own places."""
import functools
import math
import pathlib
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE, CELLS = 128, 8
CELL = SIDE // CELLS
ZOOM = 3  # drawn so much larger, then averaged
COLOURS = {"red": (214, 40, 40), "green": (40, 160, 60), "blue": (45, 80, 215), "yellow": (240, 205, 40), "purple": (135, 60, 170), "orange": (240, 130, 30)}
SHAPES = ("circle", "square", "triangle", "star")
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
N_CLASSES = len(COLOURS) * len(SHAPES) + len(CHARACTERS)
# Debian's fonts-dejavu-core, fonts-liberation2, fonts-roboto-unhinted, fonts-hack: free to use in pictures; no font is copied
FONTS = ("dejavu/DejaVuSans.ttf", "dejavu/DejaVuSans-Bold.ttf", "dejavu/DejaVuSerif-Bold.ttf", "dejavu/DejaVuSansMono-Bold.ttf", "liberation2/LiberationSans-Bold.ttf",
         "liberation2/LiberationSerif-Bold.ttf", "liberation2/LiberationMono-Bold.ttf", "roboto/unhinted/RobotoTTF/Roboto-Medium.ttf", "roboto/unhinted/RobotoCondensed-Bold.ttf", "hack/Hack-Bold.ttf")
_FOLDER = pathlib.Path("/usr/share/fonts/truetype")


def shape_class(colour: str, shape: str) -> int:
    return list(COLOURS).index(colour) * len(SHAPES) + SHAPES.index(shape)


def character_class(c: str) -> int:
    return len(COLOURS) * len(SHAPES) + CHARACTERS.index(c)


@functools.lru_cache(512)
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_FOLDER / name, size)


def _jittered(r: random.Random, rgb, by: int) -> tuple[int, int, int]:
    return tuple(max(0, min(255, v + r.randint(-by, by))) for v in rgb)


def _outline(shape: str, x: float, y: float, radius: float, turn: float) -> list[tuple[float, float]]:
    if shape == "star":
        corners = [(radius * (1.12 if i % 2 == 0 else 0.47), turn + math.pi * i / 5) for i in range(10)]
    else:
        n = 3 if shape == "triangle" else 4
        corners = [(radius * (1.15 if n == 3 else 1.2), turn + 2 * math.pi * i / n + (math.pi / 4 if n == 4 else 0)) for i in range(n)]
    return [(x + d * math.sin(a), y - d * math.cos(a)) for d, a in corners]


class Canvas:
    def __init__(self, r: random.Random):
        self.r = r
        self.dark = r.random() < 0.4
        base = r.randint(10, 60) if self.dark else r.randint(195, 255)
        self.image = Image.new("RGB", (SIDE * ZOOM, SIDE * ZOOM), _jittered(r, (base,) * 3, 12))
        self.pen = ImageDraw.Draw(self.image)
        self.cells = np.full((CELLS, CELLS), -1, np.int8)

    def _mark(self, x: float, y: float, what: int):
        self.cells[min(CELLS - 1, max(0, int(y) // CELL)), min(CELLS - 1, max(0, int(x) // CELL))] = what

    def shape(self, colour: str, shape: str, x: float, y: float, radius: float, rgb=None, turn: float | None = None):
        rgb = rgb or self.tint(colour)
        x0, y0, d = x * ZOOM, y * ZOOM, radius * ZOOM
        if shape == "circle":
            self.pen.ellipse((x0 - d, y0 - d, x0 + d, y0 + d), fill=rgb)
        else:
            self.pen.polygon(_outline(shape, x0, y0, d, self.r.uniform(-0.25, 0.25) if turn is None else turn), fill=rgb)
        self._mark(x, y, shape_class(colour, shape))

    def tint(self, colour: str) -> tuple[int, int, int]:
        return _jittered(self.r, COLOURS[colour], 18)

    def text(self, text: str):
        """One line, each character at least 16.5 pixels from the next, so that no two have their centres in one cell."""
        r = self.r
        size = r.randint(19, 25)
        font = _font(r.choice(FONTS), size * ZOOM)
        advance = [max(font.getlength(c) / ZOOM, 16.5) for c in text]
        if sum(advance) > SIDE - 4:  # wide letters in a long word
            advance = [min(a, (SIDE - 6) / len(text)) for a in advance]
        x, y = r.uniform(2, max(2.1, SIDE - 2 - sum(advance))), r.uniform(14, SIDE - 14)
        light = r.randint(200, 255) if self.dark else r.randint(0, 70)
        ink = _jittered(r, (light,) * 3, 25) if r.random() < 0.6 else _jittered(r, [v * (1 if self.dark else 0.65) for v in map(int, r.choice([c for n, c in COLOURS.items() if n != "yellow"]))], 10)
        ink = tuple(map(int, ink))
        tilt = r.uniform(-0.05, 0.05)
        for c, width in zip(text, advance):
            centre = x + width / 2
            at = y + tilt * (centre - SIDE / 2)
            self.pen.text((centre * ZOOM, at * ZOOM), c, fill=ink, font=font, anchor="mm")
            self._mark(centre, at, character_class(c))
            x += width

    def pixels(self) -> np.ndarray:
        """[128, 128, 3] u8, a little noise on it."""
        small = np.asarray(self.image.reduce(ZOOM), np.int16)
        grain = np.random.Generator(np.random.PCG64(self.r.getrandbits(32))).integers(-4, 5, small.shape, np.int16)
        return np.clip(small + grain, 0, 255).astype(np.uint8)
