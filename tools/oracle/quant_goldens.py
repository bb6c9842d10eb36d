#!/usr/bin/env python3
"""Writes tests/quant/data/llama_rms.txt: the root mean square error of llama.cpp's own quantisers on data that a formula makes.

    python tools/oracle/quant_goldens.py      # needs numpy, gguf and llama-cpp-python (for its libggml-base)

A line: type, data (normal, weights), importance (plain, weighted), rms. tests/quant/formula_data.h makes the same data in C++.
"""
import ctypes
import pathlib
import sys

import numpy as np

ROWS, COLS = 64, 512
TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"]


def splitmix(i):
    z = (i.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def normal():
    """Sums of four uniform 16-bit numbers: exact in f32."""
    h = splitmix(np.arange(ROWS * COLS, dtype=np.uint64))
    s = sum(((h >> np.uint64(16 * k)) & np.uint64(0xFFFF)).astype(np.int64) for k in range(4)) - 131070
    return s.reshape(ROWS, COLS)


def weights():
    """The same with columns and rows of different size and one value in 97 three times as large."""
    column = 1 + (splitmix(np.arange(COLS, dtype=np.uint64) + np.uint64(1 << 32)) % np.uint64(8)).astype(np.int64)
    row = 1 + np.arange(ROWS, dtype=np.int64) % 4
    outlier = np.where(splitmix(np.arange(ROWS * COLS, dtype=np.uint64) + np.uint64(1 << 33)) % np.uint64(97) == 0, 3, 1).astype(np.int64)
    return normal() * column[None, :] * row[:, None] * outlier.reshape(ROWS, COLS)


def importance():
    k = (splitmix(np.arange(COLS, dtype=np.uint64) + np.uint64(1 << 34)) & np.uint64(1023)).astype(np.int64)
    return ((k * k + 1024) * 2.0**-20).astype(np.float32)


def ggml_quantise(library, x, kind, w):
    import gguf

    block, size = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros((x.shape[0], x.shape[1] // block * size), np.uint8)
    library.ggml_quantize_chunk(int(kind), x.ctypes.data, out.ctypes.data, 0, x.shape[0], x.shape[1], None if w is None else w.ctypes.data)
    return gguf.quants.dequantize(out, kind)


def ggml_library():
    """libggml-base of llama-cpp-python, or None."""
    import importlib.util

    spec = importlib.util.find_spec("llama_cpp")
    path = spec and pathlib.Path(spec.origin).parent / "lib" / "libggml-base.so"
    if not path or not path.exists():
        return None
    library = ctypes.CDLL(str(path))
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    return library


def main():
    import gguf

    library = ggml_library()
    if library is None:
        sys.exit("llama-cpp-python is not installed here: its libggml-base makes the numbers")
    lines = []
    for name in TYPES:
        kind = gguf.GGMLQuantizationType[name]
        for data, values in (("normal", normal()), ("weights", weights())):
            x = np.ascontiguousarray((values * 2.0**-17).astype(np.float32))
            for how, w in (("plain", None), ("weighted", importance())):
                y = ggml_quantise(library, x, kind, w)
                error = (x.astype(np.float64) - y) ** 2 * (1 if w is None else w[None, :])
                lines.append(f"{name.lower()} {data} {how} {np.sqrt(error.mean()):.9e}\n")
    path = pathlib.Path(__file__).resolve().parents[2] / "tests" / "quant" / "data" / "llama_rms.txt"
    path.write_text("".join(lines))
    print(path, len(lines), "numbers")


if __name__ == "__main__":
    main()
