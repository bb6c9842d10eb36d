"""Pictures, sound and conversations of the committed goldens; tests/runtime/media_case.h makes the same."""
import formula
import numpy as np
from PIL import Image


def image(name: str, side: int = 256) -> Image.Image:
    """Of the model's own side, so that no resizing takes part: bytes floor(128 (r + 1)) of the formula, row-major RGB."""
    r = formula.unit(formula.seed(name), side * side * 3)
    return Image.fromarray(np.floor(128 * (r + 1)).astype(np.uint8).reshape(side, side, 3))


def sound(name: str, n: int) -> np.ndarray:
    """Two tones and noise."""
    t = np.arange(n, dtype=np.float64) / 16000
    u = formula.unit(formula.seed(name), n)
    return (0.3 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 1234.5 * t + 0.5) + 0.05 * u).astype(np.float32)


MEDIA = {"image.0": lambda: image("image.0"), "image.1": lambda: image("image.1"), "audio.0": lambda: sound("audio.0", 30000), "audio.1": lambda: sound("audio.1", 12345)}

# A turn's parts in order; what is a name of MEDIA stands for it.
CASES = {
    "picture": ["image.0", "What is it?"],
    "sound": ["Listen:\n", "audio.0"],
    "picture-after-text": ["What is it?", "image.1"],
    "all": ["Two of them: ", "image.0", "image.1", "audio.1", "and one more", "audio.0", "so what?"],
}
