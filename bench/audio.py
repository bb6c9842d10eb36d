"""The audio encoder beside torch: transformers' USM encoder in f32 on the CPU, and ours with its weights in f32 and in Q8_0, in alternation.

    python bench/audio.py [--seconds 30,10] [--rounds 5] [--threads 2] [--stream 600] [--build build/bench]

Random weights of the published shapes. torch starts from the features, ours from the sound. Results are compared first. Then, with --stream N,
our sides hear N seconds, the last minute second by second, in turns with a stream that has just begun: what a second costs each.
"""
import argparse
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools/oracle"))
import torch_setup  # noqa: E402, F401
import gguf
import numpy as np
import side_by_side
import torch
import tower_formula
import transformers
from safetensors.torch import save_file
from transformers import Gemma3nAudioConfig, Gemma3nAudioEncoder
from transformers.models.gemma3n.feature_extraction_gemma3n import Gemma3nAudioFeatureExtractor

RATE = 16000


def tower():
    torch.manual_seed(1)
    model = Gemma3nAudioEncoder(Gemma3nAudioConfig()).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(0.5 * torch.randn(p.shape) if name.endswith("per_dim_scale") else 1 + 0.1 * torch.randn(p.shape) if p.ndim == 1 else torch.randn(p.shape) * float(np.prod(p.shape[1:])) ** -0.5)
    return model


def write_f32(model, folder):
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type":"gemma3n"}')
    save_file({"model.audio_tower." + n: p.contiguous() for n, p in model.named_parameters()}, folder / "model.safetensors")


def write_blocks(model, path, kind):
    w = gguf.GGUFWriter(path, "clip")
    for name, p in model.named_parameters():
        a = p.detach().numpy()
        if a.ndim == 2:
            w.add_tensor("audio_tower." + name, gguf.quants.quantize(a, kind), raw_dtype=kind)
        else:
            w.add_tensor("audio_tower." + name, a)
    w.write_header_to_file(), w.write_kv_data_to_file(), w.write_tensors_to_file(), w.close()


def main():
    o = argparse.ArgumentParser()
    o.add_argument("--seconds", default="30,10")
    o.add_argument("--rounds", type=int, default=5)
    o.add_argument("--threads", type=int, default=2)
    o.add_argument("--stream", type=int, default=0)
    o.add_argument("--build", default=str(ROOT / "build/bench"))
    o = o.parse_args()
    torch.set_num_threads(o.threads)
    program = f"{o.build}/audio_ours"
    print(side_by_side.machine(), f"| torch {torch.__version__}, transformers {transformers.__version__}, {o.threads} threads")
    model, extractor = tower(), Gemma3nAudioFeatureExtractor()
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        folder = pathlib.Path(folder)
        write_f32(model, folder / "f32")
        write_blocks(model, folder / "q8_0.gguf", gguf.GGMLQuantizationType.Q8_0)
        files = {"f32": folder / "f32", "q8_0": folder / "q8_0.gguf"}
        for seconds in map(int, filter(None, o.seconds.split(","))):
            sound = tower_formula.sound(seconds * RATE)
            sound.tofile(folder / "sound")
            features = extractor([sound], return_tensors="pt")
            invalid = ~features["input_features_mask"].bool()
            result = model(features["input_features"], invalid)
            truth = result.last_hidden_state[0][~result.audio_mel_mask[0]].numpy()
            ours = {name: side_by_side.Ours(program, files[name], folder / "sound", o.threads, mode) for name, mode in side_by_side.KINDS.items()}
            roof = eval(ours["f32"].ask("roof"))
            what = f"{seconds} s of sound"
            side_by_side.check(what, ours, truth, folder)
            side_by_side.measure(what, lambda: model(features["input_features"], invalid), ours, roof, o.rounds, seconds, "s of sound a second")
            for side in ours.values():
                side.close()
        if o.stream:
            tower_formula.sound(o.stream * RATE).tofile(folder / "sound")
            for name, mode in side_by_side.KINDS.items():
                side = side_by_side.Ours(program, files[name], folder / "sound", o.threads, mode)
                print(f"a stream of {o.stream} s, {name}: {side.ask('stream').strip()}", flush=True)
                side.close()


if __name__ == "__main__":
    main()
