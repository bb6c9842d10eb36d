"""Pictures and what is asked of them: groups of equal things, two or three things side by side, printed words and numbers."""
import math
import random

from . import held_out, words
from .drawing import COLOURS, SHAPES, SIDE, Canvas
from .example import Example, Picture

COUNTS = ("no", "one", "two", "three", "four", "five")
WHAT, HOW_MANY, LEFT_OF, COLOUR_OF, SHAPE_OF, READ = ("What do you see?", "How many are there?", "What is left of the {}?", "What colour is the {}?", "What shape is {}?", "What does it say?")


def named(colour: str, shape: str, n: int = 1) -> str:
    return f"{COUNTS[n]} {colour} {shape}{'s' if n != 1 else ''}" if n != 1 else f"a{'n' if colour[0] == 'o' else ''} {colour} {shape}"


def singles() -> list[tuple[str, str]]:
    """Objects that may stand alone in training."""
    return [(c, s) for c in COLOURS for s in SHAPES if not held_out.group(c, s, 1)]


def places(r: random.Random, n: int, radius: float) -> list[tuple[float, float]]:
    """n points that keep their distance: two things never overlap nor share a cell."""
    apart = 2.45 * radius  # corners of squares reach 1.2
    while True:
        out: list[tuple[float, float]] = []
        for _ in range(60):
            p = r.uniform(radius + 2, SIDE - radius - 2), r.uniform(radius + 2, SIDE - radius - 2)
            if all(math.dist(p, q) > apart for q in out):
                out.append(p)
                if len(out) == n:
                    return out


def group(r: random.Random, held: bool) -> tuple[Picture, list[tuple[str, str]]]:
    while True:
        colour, shape, n = r.choice(list(COLOURS)), r.choice(SHAPES), r.randint(1, 5)
        if held_out.group(colour, shape, n) == held:
            break
    canvas = Canvas(r)
    radius = r.uniform(12, 24 if n < 3 else 17)
    rgb = canvas.tint(colour)
    for x, y in places(r, n, radius):
        canvas.shape(colour, shape, x, y, radius * r.uniform(0.92, 1), rgb)
    asked = [(WHAT, named(colour, shape, n)), (HOW_MANY, COUNTS[n]), ("What colour?", colour), ("What shape?", shape)]
    return Picture(canvas.pixels(), canvas.cells), asked


def crowd(r: random.Random) -> tuple[Picture, list[tuple[str, str]]]:
    """Two groups of one shape or of one colour, in training alone: numbers that the colour and the shape do not give away. Counted only:
    named, four red things beside a green one would begin as a group of four does."""
    while True:
        n, m = r.choice(((2, 1), (3, 1), (4, 1), (3, 2)))
        colours, shapes = r.sample(list(COLOURS), 2), r.sample(SHAPES, 2)
        one_shape = r.random() < 0.5
        first, second = (colours[0], shapes[0]), (colours[1], shapes[0]) if one_shape else (colours[0], shapes[1])
        if not held_out.group(*first, n) and not held_out.group(*second, m):
            break
    canvas = Canvas(r)
    radius = r.uniform(12, 17)
    tints = {c: canvas.tint(c) for c in colours}
    for i, (x, y) in enumerate(places(r, n + m, radius)):
        colour, shape = first if i < n else second
        canvas.shape(colour, shape, x, y, radius * r.uniform(0.92, 1), tints[colour])
    parts = [(f"How many are {kind[0]}?" if one_shape else f"How many {kind[1]}s are there?", COUNTS[k]) for kind, k in ((first, n), (second, m))]
    return Picture(canvas.pixels(), canvas.cells), [(HOW_MANY, COUNTS[n + m]), *parts]


def scene(r: random.Random) -> tuple[Picture, list[tuple[str, str]]]:
    """Two or three different things, no two in one column: left and right are plain."""
    n = r.choice((2, 2, 3))
    things = r.sample(singles(), n)
    while len({c for c, _ in things}) < n or len({s for _, s in things}) < n:  # so that a colour or a shape names one
        things = r.sample(singles(), n)
    canvas = Canvas(r)
    column = SIDE / n
    for i, (colour, shape) in enumerate(things):
        radius = r.uniform(12, 17 if n == 3 else 22)
        canvas.shape(colour, shape, column * (i + 0.5) + r.uniform(-1, 1) * max(0.0, column / 2 - radius - 2), r.uniform(radius + 3, SIDE - radius - 3), radius)
    i = r.randrange(1, n)
    k = r.randrange(n)
    colour, shape = things[k]
    asked = [(LEFT_OF.format(" ".join(things[i])), named(*things[i - 1])), (COLOUR_OF.format(shape), colour), (SHAPE_OF.format(colour), shape),
             (WHAT, ", ".join(named(*t) for t in things))]
    return Picture(canvas.pixels(), canvas.cells), asked


def text_to_print(r: random.Random, held: bool) -> str:
    while True:
        text = r.choice(words.printed()) if r.random() < 0.7 else str(r.randint(10, 10 ** r.randint(2, 5) - 1))
        if held_out.word(text) == held:
            return text


def print_of(r: random.Random, held: bool) -> tuple[Picture, list[tuple[str, str]]]:
    text = text_to_print(r, held)
    canvas = Canvas(r)
    canvas.text(text)
    return Picture(canvas.pixels(), canvas.cells), [(READ, text)]


SHARES = (0.35, 0, 0.25, 0.40)  # of groups, crowds, scenes and print


def example(r: random.Random, shares=SHARES) -> Example:
    """For training: two to four questions in an order of their own, one of print."""
    draw = r.choices((lambda: group(r, False), lambda: crowd(r), lambda: scene(r), lambda: print_of(r, False)), shares)[0]
    picture, asked = draw()
    r.shuffle(asked)
    return Example("picture", asked[:r.randint(2, 4)], [picture])


def group_question(r: random.Random) -> Example:
    picture, asked = group(r, True)
    return Example("colour, shape, count", asked[:1], [picture])


def word_question(r: random.Random) -> Example:
    picture, asked = print_of(r, True)
    return Example("printed words", asked, [picture])


def left_question(r: random.Random) -> Example:
    """Objects and orders are not held out, the picture is new."""
    picture, asked = scene(r)
    return Example("left of", asked[:1], [picture])
