"""What the tests of the training share: its code, and a folder with a tokenizer and a few clips, made once for all of them."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = ROOT / "tools/train_nano"
sys.path.insert(0, str(TOOLS))
OUT = pathlib.Path(os.environ["NANO_TEST_OUT"])
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}


def train(*arguments, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, str(TOOLS / "train.py"), *map(str, arguments)], env=ENVIRONMENT, capture_output=True, text=True, **options)


def made() -> pathlib.Path:
    if not (OUT / "clips/held000.npz").exists():
        done = train("data", "--out", OUT, "--scale", 0.005)
        assert done.returncode == 0, done.stderr
    return OUT
