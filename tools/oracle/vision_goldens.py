"""Goldens of the vision tower: timm's MobileNet-V5 in f32 on the CPU, every weight and the picture from a formula of its name.

    python tools/oracle/vision_goldens.py [full] [scaled] [nano]     # -> tests/model/data/vision/<case>.txt

A file lists the tensors (name, shape), and for each picture's side the maps: channels x height x width, mean, rms, least, greatest, and
the 64 values at j * 2654435761 mod size, j = 0..63, in that order of dimensions. full: the published tower at 256, 512 and 768 pixels; scaled,
nano: other widths, with a fusion of 16 and 8 pixels a side, and sides at which the fusion averages, enlarges and neither.
"""
import pathlib
import sys

import numpy as np
import torch_setup  # noqa: F401, before timm
import torch
import timm
from timm.models._efficientnet_builder import decode_arch_def
from tower_formula import bits, check, weight

SCALED = [["er_r1_k3_s2_e4_c16", "er_r1_k3_s1_e4_c16"], ["uir_r1_a3_k5_s2_e6_c32", "uir_r1_a5_k0_s1_e4_c32"],
          ["uir_r1_a5_k5_s2_e6_c48", "uir_r1_a0_k0_s1_e1_c48", "mqa_r1_k3_h4_v2_s1_d8_c48", "uir_r1_a0_k0_s1_e2_c48"],
          ["uir_r1_a5_k5_s2_e6_c64", "mqa_r1_k3_h4_s1_d16_c64", "uir_r1_a0_k0_s1_e2_c64"]]
NANO = [["er_r1_k3_s2_e4_c24", "er_r1_k3_s1_e3_c24"], ["uir_r1_a3_k5_s2_e4_c48", "uir_r1_a5_k0_s1_e3_c48", "uir_r1_a3_k0_s1_e3_c48"],
        ["uir_r1_a5_k5_s2_e4_c96", "uir_r1_a5_k0_s1_e3_c96"] + 2 * ["mqa_r1_k3_h4_v2_s1_d32_c96", "uir_r1_a0_k0_s1_e2_c96"],
        ["uir_r1_a5_k5_s2_e4_c128"] + 2 * ["mqa_r1_k3_h4_s1_d32_c128", "uir_r1_a0_k0_s1_e2_c128"]]
CASES = {  # maker, soft tokens, sides
    "full": (lambda: timm.create_model("mobilenetv5_300m_enc", pretrained=False), 256, (256, 512, 768)),
    "scaled": (lambda: timm.create_model("mobilenetv5_300m_enc", pretrained=False, block_args=decode_arch_def(SCALED), stem_size=8), 256, (96, 256, 512)),
    "nano": (lambda: timm.create_model("mobilenetv5_300m", pretrained=False, num_classes=0, block_args=decode_arch_def(NANO), stem_size=16, fix_stem=True, num_features=192,
                                       msfa_output_resolution=8, pad_type="same", global_pool="", layer_scale_init_value=0.5), 64, (32, 128, 160, 256)),
}
PREFIX = "vision_tower.timm_model."


def picture(side: int) -> np.ndarray:
    """[3, side, side]"""
    return ((bits("pixel_values", 3 * side * side) >> np.uint32(24)).astype(np.float32) * np.float32(1 / 255)).reshape(3, side, side)


def numbers(v) -> str:
    return " ".join(f"{x:.9g}" for x in v)


def line_of(name: str, x: torch.Tensor) -> str:
    a = x[0].numpy()
    d = a.astype(np.float64)
    if a.ndim == 2:  # attn.key: [keys, d]
        side = int(round(a.shape[0] ** 0.5))
        a = a.T.reshape(a.shape[1], side, side)
    flat = a.reshape(-1)
    at = (np.arange(64, dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(flat.size)
    stats = (d.mean(), np.sqrt((d * d).mean()), d.min(), d.max())
    return f"map {name} {a.shape[0]} {a.shape[1]} {a.shape[2]} {numbers(stats)} {numbers(flat[at])}"


def watched(model) -> list[str]:
    names = ["conv_stem"]
    for s, stage in enumerate(model.blocks):
        names += [f"blocks.{s}.{i}" for i in range(len(stage))] + [f"blocks.{s}"]
        attention = [i for i, b in enumerate(stage) if hasattr(b, "attn")]
        names += [f"blocks.{s}.{i}.{part}" for i in attention[:1] for part in ("norm", "attn.key", "attn")]
    return names + ["msfa.ffn", "msfa"]


def make(case: str) -> None:
    maker, n_tokens, sides = CASES[case]
    model = maker().eval()
    out = [f"tokens {n_tokens}"]
    with torch.no_grad():
        for name, p in model.state_dict().items():
            out.append(f"tensor {name} " + " ".join(map(str, p.shape)))
            p.copy_(torch.from_numpy(weight(PREFIX + name, tuple(p.shape))))
        names = watched(model)
        if case == "full":  # one of each kind
            names = [n for n in names if n.count(".") != 2 or n.split(".")[2] in ("0", "1", "2", "8", "9", "10")]
        seen = {}
        for name in names:
            model.get_submodule(name).register_forward_hook(lambda m, i, o, name=name: seen.__setitem__(name, o))
        for side in sides:
            seen.clear()
            model(torch.from_numpy(picture(side))[None])
            out.append(f"picture {side}")
            for name in names:
                out.append(line_of(name, seen[name]))
    path = pathlib.Path(__file__).resolve().parents[2] / "tests/model/data/vision" / f"{case}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(out) + "\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    check()
    for case in sys.argv[1:] or CASES:
        make(case)
