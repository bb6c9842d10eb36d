"""Slices against transformers: a slice run in place, the model that `gemma3n slice` exports, and transformers on the exported directory.

    python tests/oracle/slices.py build/release/gemma3n [--seed TEXT]

A tiny Gemma 3n of fifteen layers with fresh weights: the E2B that lies in it, two mixes by layers, one by blocks, and one that no list has
(layers that own keys and values skipped, odd widths). Then the slices that a synthetic GGUF file lists, exported as directories and as GGUF
files. In f32, all logits of a prompt longer than the window: in place and exported the same bits; transformers within 2e-4 of the largest.
"""
import argparse
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/oracle"))
import tiny_cases  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

TOLERANCE = 2e-4  # of the largest logit
NARROW, WIDE, LAYERS = 32, 64, 15


def widths(wide, skip=()):
    return [WIDE if l in wide else NARROW for l in range(LAYERS) if l not in skip]


SLICES = {
    "e2b-like": {"skip": [5, 6, 7, 8, 9], "widths": widths([], range(5, 10))},
    "layers-full": {"skip": [], "widths": widths([4, 9, 14])},
    "layers-upper": {"skip": [5, 6, 7, 8, 9], "widths": widths([4, 10, 12], range(5, 10))},
    "block": {"skip": [], "widths": widths(range(5, 10))},
    "unlisted": {"skip": [1, 6, 13], "widths": [17, 64, 1, 40, 33, 64, 64, 5, 50, 60, 31, 12]},
}


def trace(command, model, ids, out, *more):
    subprocess.run([command, "trace", str(model), "--ids", ",".join(map(str, ids)), "--only", "^logits$", "--activations", "f32", "-o", str(out), *more], check=True)
    return load_file(out)["logits"]


def check(command, model, name, size, ids, work):
    out, exported = work / f"{name}.safetensors", [work / name] + ([work / f"{name}.gguf"] if model.suffix == ".gguf" else [])
    in_place = trace(command, model, ids, out, "--size", size)
    for path in exported:
        subprocess.run([command, "slice", str(model), "-o", str(path), "--to", size], check=True, stderr=subprocess.PIPE)
    same = all(np.array_equal(in_place, trace(command, path, ids, out)) for path in exported)
    theirs = transformers.Gemma3nForCausalLM.from_pretrained(work / name, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        expected = theirs(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()
    difference = float(np.abs(in_place - expected).max() / np.abs(expected).max())
    good = same and np.isfinite(difference) and difference <= TOLERANCE
    print(f"{'ok  ' if good else 'FAIL'} {name:<13} transformers {difference:.1e} of the largest logit; in place and exported {'the same bits' if same else 'DIFFER'}", flush=True)
    return good, in_place


def main():
    p = argparse.ArgumentParser()
    p.add_argument("command")
    p.add_argument("--seed", default=secrets.token_hex(4))
    a = p.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    command = os.path.abspath(a.command)
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, seed {a.seed}")
    case = tiny_cases.gemma3n("elastic", "fifteen layers, of which ten share", num_hidden_layers=LAYERS, num_kv_shared_layers=10, intermediate_size=WIDE, hidden_size=32,
                              activation_sparsity_pattern=[0.95] * 3 + [0.0] * 12)
    tiny = tiny_cases.Tiny(case, f"{a.seed}/slices/")
    ids = tiny.prompt()
    bad, seen = [], []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        tiny.save(work / "whole")
        runs = []
        for name, slice_ in SLICES.items():
            (work / f"{name}.json").write_text(json.dumps(slice_))
            runs.append((work / "whole", name, str(work / f"{name}.json"), ids))
        gguf = work / "whole.gguf"
        subprocess.run([command, "synth", "--size", "elastic", "--type", "f32", "--seed", str(zlib.crc32(a.seed.encode())), "-o", str(gguf)], check=True)
        runs += [(gguf, name, name, ids) for name in ("small", "mix", "block")]
        for model, name, size, prompt in runs:
            try:
                good, logits = check(command, model, f"{model.suffix[1:]}{'-' if model.suffix else ''}{name}", size, prompt, work)
                if any(np.array_equal(logits, other) for other in seen):
                    raise AssertionError("gives another slice's logits: the size was not taken")
                seen.append(logits)
            except (AssertionError, subprocess.CalledProcessError) as e:
                print(f"FAIL {name}: {e}")
                good = False
            if not good:
                bad.append(name)
    if bad:
        print(f"failed: {', '.join(bad)} (again with --seed {a.seed})")
    sys.exit(bool(bad))


main()
