"""Goldens of small audio encoders: rows that transformers' feature extractor and encoder give for clips of lengths at every edge, with the
fact sheet's formula weights; and the last rows of ten minutes, with the norms' sums in double precision where transformers has f32.
Writes tests/model/data/audio/NAME.{json,f32} and long.f32.

    python tools/oracle/make_audio_goldens.py
"""
import json
import pathlib

import torch_setup  # noqa: F401
import numpy as np
import torch
import tower_formula
from transformers import Gemma3nAudioConfig, Gemma3nAudioEncoder
from transformers.models.gemma3n import modeling_gemma3n
from transformers.models.gemma3n.feature_extraction_gemma3n import Gemma3nAudioFeatureExtractor

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/model/data/audio"

# one frame made by hand, the shortest with one, frames that begin in the padding's 128, exact multiples of a row, whole seconds
LENGTHS = [1, 100, 512, 513, 640, 641, 672, 673, 2560, 2561, 2688, 10240, 16000, 23456, 80000]

CASES = {
    # published but for its size; queries large enough that the cap, the window and the relative term show
    "small": (dict(hidden_size=32, conf_num_hidden_layers=2, conf_num_attention_heads=4, sscp_conv_channel_size=(16, 8)), 12.0),
    # every number another, none a multiple of a vector's length
    "odd": (
        dict(hidden_size=42, conf_num_hidden_layers=3, conf_num_attention_heads=3, sscp_conv_channel_size=(9, 5), conf_conv_kernel_size=3,
             conf_attention_chunk_size=4, conf_attention_context_left=6, conf_attention_logit_cap=7.0, conf_reduction_factor=3, conf_residual_weight=0.75,
             sscp_conv_group_norm_eps=5e-3),
        8.0,
    ),
}


LONG, LAST_ROWS = 600 * 16000, 8  # of "small"


def swelling(n):
    """The sheet's sound, louder and softer every 25 seconds."""
    t = np.arange(n, dtype=np.float64)
    return (tower_formula.sound(n).astype(np.float64) * (0.55 + 0.45 * np.sin(2 * np.pi * t / 400000))).astype(np.float32)


def norm_in_double(self, x):
    """The cumulative norm from its definition, x [batch, time, ...]."""
    v = x.double()
    axes = tuple(range(2, v.dim()))
    n = np.prod(v.shape[2:]) * torch.arange(1, v.shape[1] + 1, dtype=torch.float64).view(1, -1, *[1] * len(axes))
    mean = v.sum(axes, keepdim=True).cumsum(1) / n
    variance = (v - mean).pow(2).sum(axes, keepdim=True).cumsum(1) / n
    return ((v - mean) / (variance + self.eps).sqrt() * self.weight.double()).float()


def encoder(settings, q_factor):
    m = Gemma3nAudioEncoder(Gemma3nAudioConfig(**settings)).eval()
    for name, p in m.named_parameters():
        v = tower_formula.weight("audio_tower." + name, tuple(p.shape))
        p.data.copy_(torch.from_numpy(v * np.float32(q_factor) if name.endswith("q_proj.weight") else v))
    return m


def rows(m, extractor, samples, **how):
    if len(samples) < 513:  # would give no frame
        samples = np.concatenate([samples, np.zeros(513 - len(samples), np.float32)])
    f = extractor([samples], return_tensors="pt", **how)
    invalid = ~f["input_features_mask"].bool()
    with torch.no_grad():
        o = m(f["input_features"], invalid)
    return o.last_hidden_state[0][~o.audio_mel_mask[0]].numpy()


def main():
    tower_formula.check()
    OUT.mkdir(parents=True, exist_ok=True)
    extractor = Gemma3nAudioFeatureExtractor()
    sound = tower_formula.sound(max(LENGTHS))
    for name, (settings, q_factor) in CASES.items():
        m = encoder(settings, q_factor)
        got = [rows(m, extractor, sound[:n]) for n in LENGTHS]
        c = m.config
        case = dict(
            width=c.hidden_size, layers=c.conf_num_hidden_layers, heads=c.conf_num_attention_heads, channels=list(c.sscp_conv_channel_size), kernel=c.conf_conv_kernel_size,
            chunk=c.conf_attention_chunk_size, context_left=c.conf_attention_context_left, logit_cap=c.conf_attention_logit_cap, reduction=c.conf_reduction_factor,
            residual_weight=c.conf_residual_weight, group_norm_eps=c.sscp_conv_group_norm_eps, q_factor=q_factor, lengths=LENGTHS, rows=[len(r) for r in got],
        )
        (OUT / f"{name}.json").write_text(json.dumps(case, indent=1) + "\n")
        np.concatenate(got).astype("<f4").tofile(OUT / f"{name}.f32")
        print(name, case["rows"], "rms", float(np.sqrt(np.mean(np.concatenate(got) ** 2))))

    m = encoder(*CASES["small"])
    modeling_gemma3n.Gemma3nAudioCumulativeGroupNorm.forward = norm_in_double
    got = rows(m, extractor, swelling(LONG), truncation=False, max_length=None)
    got[-LAST_ROWS:].astype("<f4").tofile(OUT / "long.f32")
    print("long", got.shape)


if __name__ == "__main__":
    main()
