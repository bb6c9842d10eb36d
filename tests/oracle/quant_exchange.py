#!/usr/bin/env python3
"""What quantize writes, in llama.cpp, on real weights:

    tests/oracle/quant_exchange.py COMMAND MODEL.gguf

Gemma 3 270M is quantised by the command, mix by mix, some with an importance matrix of its own making; llama.cpp
(llama-cpp-python) loads each file, and its logits over a text are held against the command's on the same file. Both round activations to
8 bit, each in its own way, so that they differ on the published file too: that mean KL, measured first, is what no file of ours may exceed.
Exit 0: none does; 1: one does; 77: a package cannot be had.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
try:
    import llama_cpp
    import numpy as np
    from safetensors.numpy import load_file
except ImportError as e:
    print(f"quant_exchange: {e.name} is not installed: left out", file=sys.stderr)
    sys.exit(77)

TEXT = ROOT / "tests" / "data" / "lighthouse.txt"
CASE = ROOT / "tests" / "runtime" / "data" / "gemma3_270m" / "case.json"


def log_probabilities(logits):
    x = logits.astype(np.float64)
    x -= x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def mean_kl(of, to):
    total = 0.0
    for a, b in zip(of, to):  # row by row: nothing of [T, V] in double precision is held
        p, q = log_probabilities(a), log_probabilities(b)
        total += float((np.exp(p) * (p - q)).sum())
    return total / len(of)


def main():
    command, model = sys.argv[1], sys.argv[2]
    ids = json.loads(CASE.read_text())["ids"]
    bound, wrong = None, 0
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        out, importance, trace = folder / "out.gguf", folder / "importance.gguf", folder / "trace.safetensors"
        subprocess.run([command, "imatrix", model, TEXT, "-o", importance], check=True)
        for mix, guided in (("", False), ("q8_0", False), ("q4_0", False), ("q5_k_m", False), ("q4_0", True), ("iq4_xs", True)):
            file = out if mix else model
            if mix:
                subprocess.run([command, "quantize", model, "--type", mix, "-o", out, *(["--imatrix", importance] if guided else [])], check=True, stderr=subprocess.DEVNULL)
            llama = llama_cpp.Llama(str(file), n_ctx=1024, n_batch=1024, logits_all=True, n_threads=2, verbose=False)
            llama.eval(ids)
            theirs = llama.scores[: len(ids)].copy()
            llama.close()
            subprocess.run([command, "trace", file, "--ids", ",".join(map(str, ids)), "--only", "^logits$", "-o", trace], check=True)
            kl = mean_kl(theirs, load_file(trace)["logits"])
            print(f"{mix or 'as it is':8} {'guided' if guided else 'plain':6} mean KL between llama.cpp and gemma3n {kl:.3e}", flush=True)
            bound = bound if mix else kl * (1 + 1e-6)  # a file may hold the published tensors unchanged
            wrong += not kl <= bound
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
