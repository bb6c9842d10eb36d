"""Live comparison with transformers: every tiny case of tools/oracle with fresh weights, saved as a checkpoint, run by the gemma3n command.

    python tests/oracle/live.py build/release/gemma3n [--seed TEXT] [--case NAME]

For each case: all logits of a prompt longer than the window within 2e-4 of the largest, in f32, and 64 greedy tokens the same (the
command traces prompt and greedy tokens; the best token at each position must be the one that transformers went on with). Where
transformers can read the saved directory itself, it must give the same logits as the model that was saved: the checkpoint means what
we think it means.
"""
import argparse
import json
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/oracle"))
import tiny_cases  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

TOLERANCE = 2e-4  # of the largest logit
N_GREEDY = 64
MIN_LEAD = 4 * TOLERANCE  # a greedy choice closer than this is not a comparison: another seed is taken


def trace(command: str, directory: pathlib.Path, ids: list[int], out: pathlib.Path) -> np.ndarray:
    subprocess.run([command, "trace", str(directory), "--ids", ",".join(map(str, ids)), "--only", "^logits$", "--activations", "f32", "-o", str(out)], check=True)
    return load_file(out)["logits"]


def rel(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape, f"logits have shape {a.shape}, expected {b.shape}"
    d = float(np.abs(a - b).max() / np.abs(b).max())
    return d if np.isfinite(d) else float("inf")


def reread(case, tiny, directory: pathlib.Path, ids: list[int], expected: np.ndarray) -> str:
    if case.old_config:  # names and forms that only the config class of transformers still reads
        config = json.loads((directory / "config.json").read_text())["text_config"]
        if case.extra.get("scalar_sparsity"):
            config["activation_sparsity_pattern"] = [config["activation_sparsity_pattern"]] * config["num_hidden_layers"]
        again = type(tiny.config)(**config)
        for field in ("rope_parameters", "intermediate_size", "layer_types", "sliding_window", "hidden_size"):
            assert getattr(again, field) == getattr(tiny.config, field), f"transformers reads another {field} from the old config.json"
        return "config.json read back by transformers"
    classes = {"gemma3n": transformers.Gemma3nForCausalLM, "gemma3": transformers.Gemma3ForCausalLM}
    model = classes[case.family].from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()
    with torch.no_grad():
        again = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()
    difference = rel(again, expected)
    if difference > 1e-6:
        raise AssertionError(f"transformers reads another model from the directory: {difference:.1e}")
    return "read back by transformers"


def check(case, seed: str, command: str, work: pathlib.Path) -> bool:
    for attempt in range(100):
        tiny = tiny_cases.Tiny(case, f"{seed}/{attempt}/{case.name}/")
        ids = tiny.prompt()
        greedy, lead = tiny.greedy(ids, N_GREEDY, MIN_LEAD)
        if lead >= MIN_LEAD:
            break
    else:
        raise AssertionError("no seed gives greedy tokens that lead clearly")
    directory = work / case.name
    tiny.save(directory)
    expected = tiny.logits(ids + greedy[:-1])
    how = reread(case, tiny, directory, ids, tiny.logits(ids))
    got = trace(command, directory, ids + greedy[:-1], work / "trace.safetensors")
    difference = rel(got, expected)
    same = [int(i) for i in got[len(ids) - 1:].argmax(-1)] == greedy
    good = difference <= TOLERANCE and same
    print(f"{'ok  ' if good else 'FAIL'} {case.name:<18} difference {difference:.1e} of the largest logit, {N_GREEDY} greedy tokens "
          f"{'the same' if same else 'DIFFER'}, {how}; salt {tiny.salt}", flush=True)
    return good


def main():
    p = argparse.ArgumentParser()
    p.add_argument("command")
    p.add_argument("--seed", default=secrets.token_hex(4))
    p.add_argument("--case")
    a = p.parse_args()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(f"transformers {transformers.__version__}, torch {torch.__version__}, seed {a.seed}")
    start, bad = time.time(), []
    with tempfile.TemporaryDirectory() as work:
        for case in tiny_cases.cases():
            if a.case and case.name != a.case:
                continue
            try:
                good = check(case, a.seed, os.path.abspath(a.command), pathlib.Path(work))
            except (AssertionError, subprocess.CalledProcessError) as e:
                print(f"FAIL {case.name}: {e}")
                good = False
            if not good:
                bad.append(case.name)
    print(f"{time.time() - start:.0f} s" + (f"; failed: {', '.join(bad)} (again with --seed {a.seed})" if bad else ""))
    sys.exit(bool(bad))


main()
