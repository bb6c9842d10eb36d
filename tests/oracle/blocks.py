"""Whole tiny models of every block type against transformers on the de-quantised weights: `gemma3n trace` in f32 activations must give all
logits within 2e-4 of the largest, on every kernel table that runs here; 8-bit activations stay near.

    python tests/oracle/blocks.py build/release/gemma3n [--seed TEXT] [--type q4_1]
"""
import argparse
import os
import pathlib
import platform
import secrets
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools/oracle"))
import block_models  # noqa: E402
import numpy as np  # noqa: E402
import transformers  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

TOLERANCE = 2e-4  # of the largest logit, in f32
NOISE_8_BIT = 0.15  # with 8-bit activations, five times what is measured; logits that know nothing of each other differ by 1 and more


TABLES = ["reference", "avx2", "avx512vnni"] if platform.machine() == "x86_64" else ["reference", "neon", "neon-dotprod", "neon-i8mm"]


def trace(command: str, file: pathlib.Path, ids: list[int], out: pathlib.Path, activations: str, table: str) -> np.ndarray:
    subprocess.run([command, "trace", str(file), "--ids", ",".join(map(str, ids)), "--only", "^logits$", "--activations", activations, "--kernels", table,
                    "-o", str(out)], check=True)
    return load_file(out)["logits"]


def tables(command: str, file: pathlib.Path, out: pathlib.Path) -> list[str]:
    runs = {t: subprocess.run([command, "trace", str(file), "--ids", "2", "--only", "^logits$", "--kernels", t, "-o", str(out)], stderr=subprocess.PIPE, text=True)
            for t in TABLES}
    for t, r in runs.items():
        if r.returncode:
            print(f"kernels {t}: skipped: {r.stderr.strip()}")
    return [t for t, r in runs.items() if r.returncode == 0]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("command")
    p.add_argument("--seed", default=secrets.token_hex(4))
    p.add_argument("--type")
    a = p.parse_args()
    command = os.path.abspath(a.command)
    transformers.logging.set_verbosity_error()
    print(f"transformers {transformers.__version__}, gguf de-quantising, seed {a.seed}")
    start, bad, run = time.time(), [], []
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for kind in block_models.HALVES:
            name = kind.name.lower()
            if a.type and a.type != name:
                continue
            model = block_models.BlockModel(kind, f"{a.seed}/{name}/")
            file = work / f"{name}.gguf"
            model.write(file)
            ids = model.tiny.prompt()
            expected = model.tiny.logits(ids)
            largest = np.abs(expected).max()
            run = run or tables(command, file, work / "trace.safetensors")
            exact, q8 = (max(float(np.abs(trace(command, file, ids, work / "trace.safetensors", how, t) - expected).max() / largest) for t in run)
                         for how in ("f32", "q8"))
            good = exact <= TOLERANCE and q8 <= NOISE_8_BIT
            print(f"{'ok  ' if good else 'FAIL'} {name:<7} {file.stat().st_size:>8} bytes, {len(ids)} positions: difference {exact:.1e} of the largest logit, "
                  f"with 8-bit activations {q8:.1e} ({', '.join(run)})", flush=True)
            if not good:
                bad.append(name)
            file.unlink()
    print(f"{time.time() - start:.0f} s" + (f"; failed: {', '.join(bad)} (again with --seed {a.seed})" if bad else ""))
    sys.exit(bool(bad))


main()
