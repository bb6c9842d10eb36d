"""The vision tower beside torch: timm's MobileNet-V5 in f32 on the CPU, and ours with its weights in f32 and in Q8_0, in alternation.

    python bench/vision.py [--sides 256,512,768] [--rounds 5] [--threads 2] [--build build/bench]

Random weights of the published shapes. Each round runs every side once, in an order that changes; before that, the results are compared.
Prints seconds and their ratio to torch's (smallest, middle, largest), frames a second, multiplications a second and their share of the roof.
"""
import argparse
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/oracle"))
import torch_setup  # noqa: E402
import gguf
import numpy as np
import side_by_side
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
    print(side_by_side.machine(), f"| torch {torch.__version__}, timm {timm.__version__}, {o.threads} threads")
    model = tower()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        folder = pathlib.Path(folder)
        write_f32(model, folder / "f32")
        write_blocks(model, folder / "q8_0.gguf", gguf.GGMLQuantizationType.Q8_0)
        files = {"f32": folder / "f32", "q8_0": folder / "q8_0.gguf"}
        if o.channels_last:
            model = model.to(memory_format=torch.channels_last)
        for side in map(int, o.sides.split(",")):
            n = 3 * side * side
            pixels = torch.from_numpy(((np.arange(n, dtype=np.uint64) * np.uint64(2654435761) % np.uint64(256)).astype(np.float32) / np.float32(255)).reshape(1, 3, side, side))
            if o.channels_last:
                pixels = pixels.contiguous(memory_format=torch.channels_last)
            ours = {name: side_by_side.Ours(program, files[name], side, o.threads, mode) for name, mode in side_by_side.KINDS.items()}
            roof = eval(ours["f32"].ask("roof"))
            truth = model(pixels)[0].flatten(1).T.numpy() * np.float32(2048**0.5)
            what = f"{side} px"
            side_by_side.check(what, ours, truth, folder)
            side_by_side.measure(what, lambda: model(pixels), ours, roof, o.rounds, 1, "frames a second")
            for one in ours.values():
                one.close()


if __name__ == "__main__":
    main()
