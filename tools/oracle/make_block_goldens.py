"""Writes tests/kernels/data/blocks.bin: blocks of every quantised type and their values as the gguf package de-quantises them.

    python tools/oracle/make_block_goldens.py

Random bytes with finite halves, and edges: all bits clear, all set but the halves, the largest and the smallest halves of either sign,
zeros. Halves that are infinite or NaN are left out: such a weight is no number in any program. Format, little endian, for each type:
its ggml number, blocks, bytes a block, values a block (u32 each), the blocks, the values (f32).
"""
import importlib.metadata
import pathlib
import struct

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize

# type: byte offsets of the halves
HALVES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2],
          T.Q6_K: [208], T.IQ4_NL: [0], T.IQ4_XS: [0]}
EDGES = [0x0000, 0x8000, 0x0001, 0x8001, 0x03FF, 0x83FF, 0x0400, 0x7BFF, 0xFBFF, 0x3C00, 0xBC00]  # zeros, denormals, least normal, largest, one
RANDOM = 6


def finite_half(r) -> int:
    while True:
        h = int(r.integers(0x10000))
        if h & 0x7C00 != 0x7C00:
            return h


def blocks(kind, halves) -> np.ndarray:
    values, size = gguf.GGML_QUANT_SIZES[kind]
    r = np.random.default_rng(int(kind))
    out = []
    for fill in (0x00, 0xFF, 0x80, 0x7F):
        b = np.full(size, fill, np.uint8)
        out.append((b, [0x2E66] * 2))  # 0.1
    out.append((np.zeros(size, np.uint8), [0, 0]))
    for i, h in enumerate(EDGES):
        out.append((r.integers(0, 256, size, np.uint8), [h, EDGES[(3 * i + 1) % len(EDGES)]]))
    for _ in range(RANDOM):
        out.append((r.integers(0, 256, size, np.uint8), [finite_half(r), finite_half(r)]))
    for b, h in out:
        for at, value in zip(halves, h):
            b[at:at + 2] = np.frombuffer(struct.pack("<H", value), np.uint8)
    return np.stack([b for b, _ in out])


def main():
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/kernels/data/blocks.bin"
    path.parent.mkdir(exist_ok=True)
    with open(path, "wb") as f:
        for kind, halves in HALVES.items():
            raw = blocks(kind, halves)
            values = dequantize(raw, kind)
            assert np.isfinite(values).all() and values.dtype == np.float32
            f.write(struct.pack("<4I", int(kind), *raw.shape, values.shape[1]))
            f.write(raw.tobytes() + values.astype("<f4").tobytes())
            print(f"{kind.name}: {len(raw)} blocks")
    print(f"gguf {importlib.metadata.version('gguf')}: {path.stat().st_size} bytes")


main()
