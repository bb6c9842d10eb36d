"""MatFormer: one network at many sizes. A feed-forward uses its first `width` neurons; a layer of shared keys and values may be left out.

All weights stay the library's: two forwards are replaced, for every network in the process.
"""
import contextlib
import random

import torch.nn.functional as F
from transformers.models.gemma3n import modeling_gemma3n as library

from .. import sizes

_layer_forward = library.Gemma3nTextDecoderLayer.forward


def _mlp_forward(self, x):
    """x [.., hidden]; the statistics of a sparse layer are those of the active width."""
    w = getattr(self, "width", None)
    gate = F.linear(x, self.gate_proj.weight[:w])
    if self.activation_sparsity > 0:
        gate = self._gaussian_topk(gate)
    return F.linear(self.act_fn(gate) * F.linear(x, self.up_proj.weight[:w]), self.down_proj.weight[:, :w])


def _forward(self, x, *a, **k):
    return x if getattr(self, "skip", False) else _layer_forward(self, x, *a, **k)


library.Gemma3nTextMLP.forward = _mlp_forward
library.Gemma3nTextDecoderLayer.forward = _forward


def set_size(layers, kept, widths):
    """`kept`: layer numbers; `widths`: of each kept one."""
    width = dict(zip(kept, widths))
    for i, layer in enumerate(layers):
        layer.skip = i not in width
        layer.mlp.width = width.get(i)


@contextlib.contextmanager
def sized(layers, one: dict):
    """One of sizes.slices()."""
    set_size(layers, one["layers"], one["widths"])
    try:
        yield
    finally:
        set_size(layers, range(sizes.N_LAYERS), [sizes.FF] * sizes.N_LAYERS)


SHARES = {"full": 0.40, "small": 0.15, "half": 0.20, "random": 0.25}


def draw_size(r: random.Random, layers) -> str:
    """The size of a training step."""
    name = r.choices(list(SHARES), SHARES.values())[0]
    known = {one["name"]: one for one in sizes.slices()}
    if name != "random":
        set_size(layers, known[name]["layers"], known[name]["widths"])
        return name
    kept = [i for i in range(sizes.N_LAYERS) if i not in sizes.SKIPPED or r.random() < 0.8]
    set_size(layers, kept, [r.choice((sizes.FF_HALF, 384, sizes.FF)) for _ in kept])
    return name
