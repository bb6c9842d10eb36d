#!/usr/bin/env python3
"""quantize against llama.cpp's own quantisers, with fresh weights:

    tests/oracle/quant.py COMMAND [--seed N]

A synthetic tiny model is quantised by the command, type by type; every matrix that has the type is read back with the gguf package
and its error held against that of ggml_quantize_chunk (libggml-base of llama-cpp-python) on the same matrix, with and without an
importance matrix made by the command. Then every mix is held against llama_model_quantize, type of tensor by type of tensor. Exit 0: at
most 1.02 of its error and its types everywhere; 1: not so somewhere; 77: a package cannot be had.
"""
import argparse
import ctypes
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools" / "oracle"))
try:
    import gguf
    import numpy as np

    from quant_goldens import TYPES, ggml_library, ggml_quantise
except ImportError as e:
    print(f"quant: {e.name} is not installed: left out", file=sys.stderr)
    sys.exit(77)

BOUND = 1.02
MIXES = "Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K_M Q4_K_S Q4_K_M Q5_K_S Q5_K_M Q6_K IQ4_NL IQ4_XS".split()


def tensors(path):
    return {t.name: t for t in gguf.GGUFReader(path).tensors}


def values(t):
    return np.ascontiguousarray(gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32))


def run(command, *arguments):
    return subprocess.run([command, *map(str, arguments)], capture_output=True, text=True)


def importance_of(sums, llama_cpp):
    """An importance matrix in llama.cpp's own form: a list that a nameless entry ends. The second value keeps its memory."""
    entries, kept = [], []
    for name in sums:
        if name.endswith(".in_sum2"):
            tensor = name.removesuffix(".in_sum2")
            w = np.ascontiguousarray((sums[name].data / sums[tensor + ".counts"].data).astype(np.float32).reshape(-1))
            kept.append(w)
            entries.append((tensor.encode(), w.ctypes.data_as(ctypes.POINTER(ctypes.c_float)), w.size))
    return (llama_cpp.llama_model_imatrix_data * (len(entries) + 1))(*entries), kept


def types_differing(command, source, folder, importance=None):
    """Mixes whose tensors have types that llama.cpp's do not have, without or with an importance matrix."""
    import llama_cpp

    guide = importance_of(tensors(importance), llama_cpp) if importance else None

    def types(path):
        return {t.name: t.tensor_type for t in gguf.GGUFReader(path).tensors}

    n = 0
    for mix in MIXES:
        parameters = llama_cpp.llama_model_quantize_default_params()
        parameters.ftype = getattr(llama_cpp, "LLAMA_FTYPE_MOSTLY_" + mix)
        if guide:
            parameters.imatrix = guide[0]
        theirs, ours = folder / "theirs.gguf", folder / "ours.gguf"
        if llama_cpp.llama_model_quantize(str(source).encode(), str(theirs).encode(), ctypes.byref(parameters)):
            raise RuntimeError(f"llama.cpp does not quantise to {mix}")
        done = run(command, "quantize", source, "--type", mix.lower(), "-o", ours, *(["--imatrix", importance] if importance else []))
        if done.returncode:
            raise RuntimeError(f"{mix}: {done.stderr.strip()}")
        a, b = types(theirs), types(ours)
        wrong = [f"{name} is {b[name].name}, not {a[name].name}" for name in a if a[name] != b[name]]
        print(f"{mix:7} {'guided' if guide else 'plain':6} {len(a)} tensors, {len(wrong)} of another type than llama.cpp's", *wrong[:5], sep="\n    ")
        n += bool(wrong)
    return n


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    o = parser.parse_args()
    library = ggml_library()
    if library is None:
        print("quant: llama-cpp-python is not installed: left out", file=sys.stderr)
        return 77
    print("seed", o.seed)
    worst_of_all = 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        source, out, rules, importance = folder / "f32.gguf", folder / "out.gguf", folder / "rules", folder / "importance.gguf"
        text = pathlib.Path(__file__).resolve().parents[1] / "data" / "lighthouse.txt"
        for step in (["synth", "--size", "tiny", "--type", "f32", "--seed", o.seed, "-o", source], ["imatrix", source, text, "-o", importance]):
            done = run(o.command, *step)
            if done.returncode:
                print(done.stderr, file=sys.stderr)
                return 1
        before, sums = tensors(source), tensors(importance)
        for name in TYPES:
            kind = gguf.GGMLQuantizationType[name]
            rules.write_text(f"(attn_[qkv]|attn_output|ffn_(up|gate|down))\\. {name.lower()}\n")
            for weighted in (False, True):
                done = run(o.command, "quantize", source, "--type", "q8_0", "--rules", rules, "-o", out, *(["--imatrix", importance] if weighted else []))
                if done.returncode:
                    print(f"{name}: {done.stderr.strip()}", file=sys.stderr)
                    return 1
                worst, n = 0, 0
                for t in gguf.GGUFReader(out).tensors:
                    if t.tensor_type != kind or not t.name.startswith("blk.") or (weighted and t.name + ".in_sum2" not in sums):
                        continue
                    x, w, n = values(before[t.name]), None, n + 1
                    if weighted:
                        w = np.ascontiguousarray((sums[t.name + ".in_sum2"].data / sums[t.name + ".counts"].data).astype(np.float32).reshape(-1))
                    ours, theirs = (np.sqrt(((x.astype(np.float64) - y) ** 2 * (1 if w is None else w)).mean()) for y in (values(t), ggml_quantise(library, x, kind, w)))
                    worst = max(worst, ours / theirs)
                if n == 0:
                    print(f"{name}: no matrix has the type", file=sys.stderr)
                    return 1
                print(f"{name:7} {'weighted' if weighted else 'plain':9} {n} matrices, at most {worst:.4f} of llama.cpp's error")
                worst_of_all = max(worst_of_all, worst)
        differing = types_differing(o.command, source, folder) + types_differing(o.command, source, folder, importance)
    return int(not worst_of_all <= BOUND or differing > 0)


if __name__ == "__main__":
    sys.exit(main())
