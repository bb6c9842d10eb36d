"""First weights. The library's own (deviation 0.02, attention norms of 1) are made for widths of thousands: with them a network of this width hardly learns."""
import torch

from .. import sizes


def _deviation(name: str, p: torch.Tensor) -> float:
    if name.endswith("embed_tokens_per_layer.weight"):
        return sizes.PER_LAYER**-0.5  # as large as the normed projection that it is added to
    if name.endswith("_coefs.weight"):
        return 0.02                   # predict: copy; correct: the whole innovation
    if name.endswith("modality_router.weight"):
        return sizes.HIDDEN**0.5      # against its input's 1 / hidden
    return p[0].numel() ** -0.5       # an output as large as its input; embedding rows: times sqrt(hidden) rms 1


@torch.no_grad()
def initialise(module: torch.nn.Module, generator: torch.Generator):
    """Of a text network, audio encoder or embedder; timm's own is left to timm."""
    for name, p in module.named_parameters():
        if name.startswith("lm_head") or "timm_model" in name:
            continue
        if p.dim() > 1:
            p.copy_(torch.empty(p.shape).normal_(generator=generator) * _deviation(name, p))
            if "altup_projections" in name or "altup_unembed" in name:
                p.mul_(0.5).add_(torch.eye(sizes.HIDDEN))
        elif name.endswith(("q_norm.weight", "k_norm.weight")):
            p.fill_(sizes.HEAD_DIM**-0.25)  # scores are not scaled: with ones softmax begins saturated
        elif name.endswith(("post_attention_layernorm.weight", "post_feedforward_layernorm.weight", "post_laurel_norm.weight", "post_per_layer_input_norm.weight")):
            p.fill_(0.5)
        elif name.endswith(("correct_output_scale", "per_dim_scale", "bias")):
            p.zero_()
        else:
            p.fill_(1.0)


def grouped(named, rate: float, slow: tuple[str, ...] = (), slowness: float = 0.3) -> list[dict]:
    """AdamW's groups: matrices decay, tables and vectors do not; towers that are trained already go slower."""
    groups: dict[tuple[bool, bool], list] = {}
    for name, p in named:
        if not p.requires_grad or name.startswith("lm_head"):
            continue
        decays = p.dim() > 1 and "embed_tokens" not in name and not name.endswith("embedding.weight")
        groups.setdefault((decays, name.startswith(slow) if slow else False), []).append(p)
    return [{"params": params, "weight_decay": 0.1 if decays else 0.0, "rate": rate * (slowness if is_slow else 1)} for (decays, is_slow), params in groups.items()]
