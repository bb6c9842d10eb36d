"""Negative log-likelihoods of tests/data/five_books.txt under Gemma 3 270M, Q4_K_M, window by window: transformers in f32 on the
de-quantised weights (the truth) and llama.cpp on the file itself.

    python tools/oracle/perplexity_270m.py MODEL.gguf [--golden] [--gemma3n build/release/gemma3n] [--windows N]

Windows are those of llama.cpp's perplexity program: the whole text with <bos> in front is cut into runs of 512 ids, the first id of each
is replaced by <bos>, and the ids of its second half are scored (255 a window). --golden writes tests/measure/data/perplexity_270m.json: the
sum of each window, natural logarithms. --gemma3n runs `gemma3n perplexity` on the same text and fails when f32 activations are more than
0.1 % away in perplexity, or 8-bit ones further than llama.cpp (root mean square over windows of the difference in mean log-likelihood).
Exit 77: llama-cpp-python, which gives the ids and the bar, is not installed.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

import torch_setup  # noqa: F401  before transformers
import numpy as np
import torch
import transformers

import gemma3_270m

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = ROOT / "tests/data/five_books.txt"
GOLDEN = ROOT / "tests/measure/data/perplexity_270m.json"
N_CTX = 512
FIRST = N_CTX // 2   # the logits of this position are the first that are scored


def window_sum(logits: np.ndarray, ids: list) -> float:
    """Sum over the window's second half; logits [N_CTX - FIRST, V] are those of positions FIRST .. N_CTX - 1."""
    total = 0.0
    for row, target in zip(logits[:-1], ids[FIRST + 1:]):
        total -= float(gemma3_270m.log_softmax(row.astype(np.float64))[target])
    return total


def perplexity(sums: list) -> float:
    return math.exp(sum(sums) / (len(sums) * (N_CTX - 1 - FIRST)))


def distance(sums: list, truth: list) -> float:
    return math.sqrt(sum((a - b) ** 2 for a, b in zip(sums, truth)) / len(truth)) / (N_CTX - 1 - FIRST)


def make(model: str, n_windows: int) -> dict:
    try:
        import llama_cpp
    except ImportError:
        print("perplexity_270m: llama-cpp-python is not installed (pip install llama-cpp-python==0.3.36)", file=sys.stderr)
        sys.exit(77)
    llama = llama_cpp.Llama(model, n_ctx=N_CTX, n_batch=N_CTX, logits_all=True, n_threads=1, n_threads_batch=1, verbose=False)
    ids = llama.tokenize(TEXT.read_bytes(), add_bos=True, special=False)
    windows = [ids[i:i + N_CTX] for i in range(0, len(ids) - N_CTX + 1, N_CTX)][:n_windows]
    for w in windows:
        w[0] = llama.token_bos()
    theirs = []
    for i, w in enumerate(windows):
        llama.reset()
        llama.eval(w)
        theirs.append(window_sum(llama.scores[FIRST:N_CTX], w))
        print(f"llama.cpp {i + 1}/{len(windows)}: {perplexity(theirs):.4f}", flush=True)
    version = llama_cpp.__version__
    del llama
    truth_model = gemma3_270m.truth_model(model)
    truth = []
    for i, w in enumerate(windows):
        with torch.no_grad():
            logits = truth_model(input_ids=torch.tensor([w]), use_cache=False, logits_to_keep=N_CTX - FIRST).logits[0].numpy()
        truth.append(window_sum(logits, w))
        print(f"transformers {i + 1}/{len(windows)}: {perplexity(truth):.4f}", flush=True)
    return {"text": TEXT.name, "n_ctx": N_CTX, "n_tokens": len(ids), "scored_per_window": N_CTX - 1 - FIRST,
            "made_by": f"transformers {transformers.__version__}, torch {torch.__version__}, float32, eager, on the de-quantised weights",
            "llama_cpp_python": version, "transformers": [round(x, 6) for x in truth], "llama_cpp": [round(x, 6) for x in theirs]}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--golden", action="store_true")
    arguments.add_argument("--gemma3n")
    arguments.add_argument("--windows", type=int, default=1 << 30)
    a = arguments.parse_args()
    transformers.logging.set_verbosity_error()
    result = make(a.model, a.windows) if a.golden or not GOLDEN.exists() else json.loads(GOLDEN.read_text())
    if a.golden:
        GOLDEN.parent.mkdir(parents=True, exist_ok=True)
        GOLDEN.write_text(json.dumps(result) + "\n")
    truth = result["transformers"][:a.windows]
    bar = distance(result["llama_cpp"][:a.windows], truth)
    print(f"{len(truth)} windows; transformers {perplexity(truth):.4f}; llama.cpp {perplexity(result['llama_cpp'][:a.windows]):.4f}, distance {bar:.2e}")
    wrong = False
    for activations in ("f32", "q8") if a.gemma3n else ():
        out = subprocess.run([a.gemma3n, "perplexity", a.model, str(TEXT), "--json", "--windows", str(len(truth)), "--activations", activations],
                             check=True, stdout=subprocess.PIPE)
        ours = json.loads(out.stdout)["window_nll"]
        far, ratio = distance(ours, truth), perplexity(ours) / perplexity(truth)
        print(f"gemma3n --activations {activations}: {perplexity(ours):.4f}, ratio {ratio:.6f}, distance {far:.2e}")
        wrong |= abs(ratio - 1) > 1e-3 if activations == "f32" else far > bar
    sys.exit(wrong)


if __name__ == "__main__":
    main()
