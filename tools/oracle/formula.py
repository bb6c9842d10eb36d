"""Weights from a formula: a tensor's values follow from its name alone. The other half of tests/model/formula.h, where it is told."""
import numpy as np


def seed(name: str) -> int:
    h = 0xCBF29CE484222325
    for b in name.encode():
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def unit(s: int, n: int) -> np.ndarray:
    """The first n values r in [-1, 1) of seed s."""
    with np.errstate(over="ignore"):
        z = np.uint64(s) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return 2.0 * ((z >> np.uint64(11)).astype(np.float64) / 2.0**53) - 1.0


def values(name: str, shape, center: float, spread: float, salt: str = "") -> np.ndarray:
    n = int(np.prod(shape))
    return (center + spread * unit(seed(salt + name), n)).astype(np.float32).reshape(shape)


def check() -> None:
    """Fails unless this is the generator the goldens were made with."""
    assert seed("norm.weight") == 0xE45E883176C5CE0F
    assert list(unit(seed("norm.weight"), 2)) == [-0.4741046280904526, -0.9461704171342378]
