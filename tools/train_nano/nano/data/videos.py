"""Four frames, one a second: something moves, something else may stand, someone may speak."""
import io
import random

import numpy as np
from PIL import Image

from . import held_out, pictures
from .clips import RATE
from .drawing import SIDE, Canvas
from .example import Clip, Example, Picture

N_FRAMES = 4
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
MOVES, SAID = "What moves where?", "What is said?"
COLOUR, SHAPE, WHERE = "What colour moves?", "What shape moves?", "Where does it move?"  # parts of MOVES, asked in training alone


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()


def from_jpeg(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def draw_motion(r: random.Random, held: bool) -> tuple[str, str, str]:
    while True:
        colour, shape = r.choice(pictures.singles())
        direction = r.choice(list(DIRECTIONS))
        if held_out.motion(colour, shape, direction) == held:
            return colour, shape, direction


def frames(r: random.Random, held: bool) -> tuple[list[bytes], list[np.ndarray], str]:
    """JPEG frames (a file holds them as they are), their cells, and the answer."""
    colour, shape, direction = draw_motion(r, held)
    dx, dy = DIRECTIONS[direction]
    radius, step, lane = r.uniform(12, 16), r.uniform(17, 24), r.uniform(20, SIDE - 20)
    start = r.uniform(radius + 2, SIDE - radius - 2 - 3 * step)  # along the motion
    other = None
    if r.random() < 0.5:  # beside the lane
        apart = [o for o in pictures.singles() if o[0] != colour and o[1] != shape]
        side = lane + (44 if lane < SIDE / 2 else -44)
        other = (*r.choice(apart), r.uniform(20, SIDE - 20), side)
    first = Canvas(r)
    rgb, background = first.tint(colour), first.image.getpixel((0, 0))
    other_rgb = first.tint(other[0]) if other else None
    turn = r.uniform(-0.2, 0.2)
    out, cells = [], []
    for i in range(N_FRAMES):
        canvas = Canvas(r)
        canvas.image.paste(background, (0, 0, *canvas.image.size))
        along = start + step * i
        if dx + dy < 0:
            along = SIDE - along
        if other:
            at = (other[2], other[3]) if dx else (other[3], other[2])
            canvas.shape(other[0], other[1], *at, 13, other_rgb, turn)
        canvas.shape(colour, shape, *((along, lane) if dx else (lane, along)), radius, rgb, turn)
        out.append(jpeg(canvas.pixels(), 92))
        cells.append(canvas.cells)
    return out, cells, f"{pictures.named(colour, shape)} moves {direction}"


def track(clip: Clip) -> Clip:
    """As long as the frames."""
    return Clip(np.pad(clip.samples, (0, max(0, N_FRAMES * RATE - len(clip.samples))))[:N_FRAMES * RATE], clip.said)


def conversation(r: random.Random, held: bool, clip: Clip | None) -> tuple[list[bytes], Example]:
    """`clip` is what is said, or None. The frames' files too."""
    files, cells, moved = frames(r, held)
    clip = clip and track(clip)
    asked = [(MOVES, moved)]
    if clip:
        asked.append((SAID, clip.said))
    return files, Example("video", asked, [Picture(from_jpeg(f), c) for f, c in zip(files, cells)], [clip] if clip else [])


def example(r: random.Random, clip: Clip | None) -> Example:
    """For training: up to three questions in an order of their own; text is cheap beside four pictures."""
    _, e = conversation(r, False, clip)
    _, colour, shape, _, direction = e.turns[0][1].split()
    e.turns += r.sample([(COLOUR, colour), (SHAPE, shape), (WHERE, direction)], 2)
    r.shuffle(e.turns)
    e.turns = e.turns[:3]
    return e
