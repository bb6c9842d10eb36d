"""The shipped nano in the engine and in transformers, from the same file: 50 held-out questions of all kinds, the same greedy text in f32.

    python torch_test.py COMMAND [FOLDER]      FOLDER: models/nano
The library's network takes the file's weights de-quantised, and what it is shown is read by Pillow and wave; of videos it takes the frames that the
engine decoded, since JPEG is decoded a step differently everywhere. Also: how many gates of the sparse layers are open.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import wave

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/train_nano"))
from nano import batches, shipped, sizes, turns  # noqa: E402  sets torch up first
from nano.data.example import Clip, Picture  # noqa: E402
from nano.network import build, fused  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from PIL import Image  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402

fused.use(False)  # the library's own
N = 50
TIE = 1e-3  # of the largest logit: a lead that small is decided by rounding


def spread(lines: list[dict], n: int) -> list[dict]:
    """n lines, of each task as many."""
    by_task: dict[str, list[dict]] = {}
    for line in lines:
        by_task.setdefault(line["task"], []).append(line)
    return [task[k] for k in range(n) for task in by_task.values() if k < len(task)][:n]


class Both:
    def __init__(self, command: str, folder: pathlib.Path, work: pathlib.Path):
        self.command, self.folder, self.work = command, folder, work
        self.model = shipped.network(folder).eval()
        self.turns = turns.Turns(folder / "training/tokenizer.json")
        self.open = [[0, 0] for _ in range(sizes.SPARSE)]  # gates that are not zero, gates
        for i in range(sizes.SPARSE):
            self._count(build.layers_of(self.model)[i].mlp, self.open[i])

    @staticmethod
    def _count(mlp, counts: list[int]):
        library = mlp._gaussian_topk

        def counted(gate):
            out = library(gate)
            counts[0] += int((out != 0).sum())
            counts[1] += out.numel()
            return out
        mlp._gaussian_topk = counted

    def flags(self, line: dict) -> list[str]:
        return [str(part) for kind in ("image", "audio", "video") if kind in line for part in (f"--{kind}", self.folder / "suite" / line[kind])]

    def said_here(self, line: dict) -> str:
        done = subprocess.run([self.command, "run", self.folder / shipped.TEXT, *self.flags(line), "--temp", "0", "-n", str(line["max_tokens"]), "--activations", "f32", line["prompt"]], stdin=subprocess.DEVNULL, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def media(self, line: dict) -> tuple[dict, int, int]:
        path = self.folder / "suite" / next((line[k] for k in ("image", "audio", "video") if k in line), "")
        if "image" in line:
            return {"pixel_values": batches.pixels_of([Picture(np.asarray(Image.open(path).convert("RGB")))])}, 1, 0
        if "audio" in line:
            with wave.open(str(path)) as w:
                clip = Clip(np.frombuffer(w.readframes(w.getnframes()), "<i2"))
            return dict(zip(("input_features", "input_features_mask"), batches.features_of([clip]))), 0, 1
        if "video" in line:
            out = self.work / "trace.safetensors"
            subprocess.run([self.command, "trace", self.folder / shipped.TEXT, *self.flags(line), "--activations", "f32", "-o", out, line["prompt"]], stdin=subprocess.DEVNULL, capture_output=True, check=True)
            got = load_file(out)
            frames = [got[k] for k in sorted(k for k in got if k.startswith("pixel_values"))]
            side = sizes.PICTURE_SIDE
            media = {"pixel_values": torch.from_numpy(np.concatenate([f.reshape(-1, 3, side, side) for f in frames]))}
            n = len(media["pixel_values"])
            features = [got[k] for k in sorted(k for k in got if k.startswith("input_features"))]
            if features:
                media |= {"input_features": torch.from_numpy(features[0]).reshape(1, -1, 128), "input_features_mask": torch.ones(1, features[0].size // 128, dtype=torch.bool)}
            return media, n, len(features)
        return {}, 0, 0

    @torch.no_grad()
    def said_there(self, line: dict) -> tuple[str, list[tuple[str, float]]]:
        """The text, and for each of its tokens how far it led, in parts of the largest logit, and the text so far."""
        media, *counts = self.media(line)
        ids = [sizes.BOS] + self.turns.prompt(line["prompt"], *counts)
        n, steps = len(ids), []
        while len(ids) < n + line["max_tokens"]:
            logits = self.model(input_ids=torch.tensor([ids]), use_cache=False, **media).logits[0, -1]
            best = logits.topk(2)
            ids.append(int(best.indices[0]))
            steps.append((self.turns.spelled(ids[n:]).strip(), float((best.values[0] - best.values[1]) / logits.abs().max())))
            if ids[-1] in (sizes.EOS, sizes.END_OF_TURN):
                break
        return steps[-1][0], steps


def main() -> int:
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "models/nano"
    lines = spread([json.loads(line) for line in (folder / "suite/suite.jsonl").read_text().splitlines()], N)
    same = ties = 0
    with tempfile.TemporaryDirectory() as work:
        both = Both(sys.argv[1], folder, pathlib.Path(work))
        for line in lines:
            here, (there, steps) = both.said_here(line), both.said_there(line)
            if here == there:
                same += 1
                continue
            lead = next((lead for so_far, lead in steps if not here.startswith(so_far)), steps[-1][1])  # of the token that parts them
            if lead < TIE:
                ties += 1
                print(f"{line['task']}: '{line['prompt']}': a tie ({lead:.1e}): '{here}' here, '{there}' there")
            else:
                print(f"{line['task']}: '{line['prompt']}': '{here}' here, '{there}' there; lead {lead:.1e}: expected the same")
    shares = [a / n for a, n in both.open]
    print(f"{same} of {len(lines)} answers the same, {ties} ties; open gates of layers 0..{sizes.SPARSE - 1}: " + ", ".join(f"{100 * s:.1f} %" for s in shares))
    sparse = all(0.02 < s < 0.08 for s in shares)
    return 0 if same + ties == len(lines) == N and ties <= N // 25 and sparse else 1


if __name__ == "__main__":
    sys.exit(main())
