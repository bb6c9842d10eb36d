"""The vision tower beside torch: timm's MobileNet-V5 in f32 on the CPU, and ours with its weights in f32 and in Q8_0, in alternation.

    python bench/vision.py [--sides 256,512,768] [--rounds 5] [--threads 2] [--build build/bench]

Random weights of the published shapes. Each round runs every side once, in an order that changes; before that, the results are compared.
Prints seconds, their ratio to torch's (smallest, middle, largest), multiplications per second and their share of the machine's roof.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/oracle"))
import torch_setup  # noqa: E402
import gguf
import numpy as np
import timm
import torch
from safetensors.torch import save_file


def tower():
    torch.manual_seed(1)
    model = timm.create_model("mobilenetv5_300m_enc", pretrained=False).eval()
    with torch.no_grad():
        for name, p in model.state_dict().items():
            if p.ndim == 1:
                p.copy_(0.5 + 0.1 * torch.randn(p.shape) if name.endswith("gamma") else 0.1 * torch.randn(p.shape) if name.endswith("bias") else 1 + 0.1 * torch.randn(p.shape))
            else:
                p.copy_(torch.randn(p.shape) * float(np.prod(p.shape[1:])) ** -0.5)
    return model


def write_f32(model, folder):
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type":"gemma3n"}')
    save_file({"model.vision_tower.timm_model." + n: p.contiguous() for n, p in model.state_dict().items()}, folder / "model.safetensors")


def write_blocks(model, path, kind):
    w = gguf.GGUFWriter(path, "clip")
    for name, p in model.state_dict().items():
        a = p.numpy()
        stored = "v." + name.replace("blocks.", "blk.", 1) if name.startswith("blocks.") else "v." + name
        if a.ndim == 4 and a.shape[2:] == (1, 1):
            w.add_tensor(stored, gguf.quants.quantize(a.reshape(a.shape[:2]), kind), raw_dtype=kind)
        else:
            w.add_tensor(stored, a.astype(np.float16) if a.ndim == 4 else a)
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()


class Ours:
    def __init__(self, program, file, side, threads, mode):
        self.process = subprocess.Popen([program, file, str(side), str(threads), mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, order):
        print(order, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("bench/vision.py: our side ended")
        return answer

    def run(self):
        return float(self.ask("run").split()[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main():
    o = argparse.ArgumentParser()
    o.add_argument("--sides", default="256,512,768")
    o.add_argument("--rounds", type=int, default=5)
    o.add_argument("--threads", type=int, default=2)
    o.add_argument("--build", default=str(ROOT / "build/bench"))
    o.add_argument("--channels-last", action="store_true", help="torch's maps and weights channels last")
    o = o.parse_args()
    torch.set_num_threads(o.threads)
    program = f"{o.build}/vision_ours"
    print(next(line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), f"| torch {torch.__version__}, timm {timm.__version__}, {o.threads} threads")
    model = tower()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        folder = pathlib.Path(folder)
        write_f32(model, folder / "f32")
        write_blocks(model, folder / "q8_0.gguf", gguf.GGMLQuantizationType.Q8_0)
        if o.channels_last:
            model = model.to(memory_format=torch.channels_last)
        for side in map(int, o.sides.split(",")):
            n = 3 * side * side
            pixels = torch.from_numpy(((np.arange(n, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(256)).astype(np.float32) / np.float32(255)).reshape(1, 3, side, side))
            if o.channels_last:
                pixels = pixels.contiguous(memory_format=torch.channels_last)
            ours = {"f32": Ours(program, folder / "f32", side, o.threads, "exact"), "q8_0": Ours(program, folder / "q8_0.gguf", side, o.threads, "fast")}
            roof = eval(ours["f32"].ask("roof"))
            truth = model(pixels)[0].flatten(1).T.numpy() * np.float32(2048**0.5)
            for name, side_of in ours.items():
                side_of.run()
                side_of.ask(f"save {folder}/rows")
                rows = np.fromfile(folder / "rows", dtype=np.float32).reshape(truth.shape)
                off = float(np.sqrt(((rows - truth).astype(np.float64) ** 2).mean() / (truth.astype(np.float64) ** 2).mean()))
                print(f"{side} px, {name}: rms distance from torch {off:.1e}")
                if off > (1e-4 if name == "f32" else 0.2):
                    sys.exit("bench/vision.py: the results differ, no figure would mean anything")

            def torch_run():
                begin = time.perf_counter()
                model(pixels)
                return time.perf_counter() - begin

            runs = {"torch": torch_run, **{name: side_of.run for name, side_of in ours.items()}}
            seconds = {name: [] for name in runs}
            for r in range(o.rounds):
                for name in list(runs)[r % 3:] + list(runs)[:r % 3]:
                    seconds[name].append(runs[name]())
            for name, s in seconds.items():
                ratios = sorted(t / mine for t, mine in zip(seconds["torch"], s))
                rate = roof["gmac"] / statistics.median(s)
                share = rate / roof["int8_gmac" if name == "q8_0" else "f32_gmac"]
                print(f"{side} px, {name:>5}: {min(s):.3f} / {statistics.median(s):.3f} / {max(s):.3f} s; times torch's speed {ratios[0]:.2f} / {statistics.median(ratios):.2f} / {ratios[-1]:.2f}; "
                      f"{rate:.0f} GMAC/s, {100 * share:.0f} % of the roof of {'int8' if name == 'q8_0' else 'f32'}")
            for side_of in ours.values():
                side_of.close()


if __name__ == "__main__":
    main()
