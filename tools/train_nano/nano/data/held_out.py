"""What is never trained on. A key is held out by a hash of itself, so that whole unit digits or letters do not go with it; only the voices
are named. The evaluation draws from these alone; prove_disjoint.py goes through both sides."""
from .. import seeds
from .drawing import SHAPES

VOICES = ("f2", "m3")  # espeak-ng's voice variants, with every accent


def _held(kind: str, key: str, share: float) -> bool:
    return seeds.fraction("held out", kind, key) < share


def group(colour: str, shape: str, n: int) -> bool:
    """n things of one colour and shape in one picture; of n = 1 also an object in a scene or a video. A colour and a number lose one of the
    four shapes, or none: what is new is the three together, not two of them (a plain hash hid all that is five and yellow)."""
    lost = seeds.fraction("held out", "group", colour, n)
    return lost < 0.60 and shape == SHAPES[int(lost / 0.60 * len(SHAPES))]


def word(printed: str) -> bool:
    """A printed word of letters, or a number of two or more digits."""
    return _held("word", printed, 0.20)


def sum_of(a: int, sign: str, b: int) -> bool:
    """a + b and b + a go together: one gives the other away."""
    if sign in "+*":
        a, b = min(a, b), max(a, b)
    return _held("sum", f"{a}{sign}{b}", 0.10)


def motion(colour: str, shape: str, direction: str) -> bool:
    return _held("motion", f"{colour} {shape} {direction}", 0.15)


def phrase(spoken: str) -> bool:
    """A command, as a sound and as a text. Numbers by ear are held out by voice alone: there are only a hundred."""
    return _held("phrase", spoken, 0.10)


def unknown(word: str) -> bool:
    """A word to be answered with not knowing."""
    return _held("unknown", word, 0.10)
