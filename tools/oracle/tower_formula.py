"""The formula weights of the towers' fact sheet. The other half of tests/model/tower_formula.h, where it is told."""
import numpy as np


def fnv(name: str) -> int:
    h = 0x811C9DC5
    for b in name.encode():
        h = ((h ^ b) * 0x01000193) & 0xFFFFFFFF
    return h


def bits(name: str, n: int) -> np.ndarray:
    with np.errstate(over="ignore"):
        x = np.uint32(fnv(name)) ^ (np.arange(n, dtype=np.uint32) * np.uint32(0x9E3779B9))
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        return x ^ (x >> np.uint32(16))


def unit(name: str, n: int) -> np.ndarray:
    return (bits(name, n) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def weight(name: str, shape) -> np.ndarray:
    u = unit(name, int(np.prod(shape)))
    if name.endswith("layer_scale.gamma"):
        v = np.float32(0.5) + np.float32(0.25) * u
    elif name.endswith(".bias"):
        v = np.float32(0.1) * u
    elif name.endswith("per_dim_scale"):
        v = np.float32(0.5) * u
    elif name.endswith("embedding.weight"):
        v = u
    elif len(shape) == 1:
        v = np.float32(1) + np.float32(0.25) * u
    else:
        v = np.float32(np.sqrt(3 / np.prod(shape[1:]))) * u
    return v.reshape(shape)


def sound(n: int) -> np.ndarray:
    t = np.arange(n, dtype=np.float64)
    s = 0.3 * np.sin(2 * np.pi * 440 * t / 16000) + 0.2 * np.sin(2 * np.pi * 1234.5 * t / 16000 + 0.5) + 0.05 * unit("audio", n).astype(np.float64)
    return s.astype(np.float32)


def check() -> None:
    """Fails unless this is the generator the fact sheet's numbers were made with."""
    assert fnv("conv_stem") == 0x5062A889
    assert np.allclose(unit("a", 3), [-0.79294765, -0.86454046, -0.4554764], rtol=0, atol=1e-8)
    assert np.allclose(sound(3), [0.07504398, 0.19441943, 0.3466558], rtol=1e-7, atol=0)
