"""The shipped pair of GGUF files as weights of the library's network, de-quantised to f32: what tests compare the engine with, and what a later
training may begin from. The names are written down here once more, apart from the engine's, so that each checks the other."""
import pathlib

import gguf
import numpy as np
import torch

from .network import build

TEXT, TOWERS = "nano-Q8_0.gguf", "mmproj-nano-Q8_0.gguf"

_TEXT = {
    "token_embd.weight": "embed_tokens.weight", "per_layer_token_embd.weight": "embed_tokens_per_layer.weight", "per_layer_model_proj.weight": "per_layer_model_projection.weight",
    "per_layer_proj_norm.weight": "per_layer_projection_norm.weight", "output_norm.weight": "norm.weight"}
_STACKED = {"altup_proj.weight": "altup_projections", "altup_unembd_proj.weight": "altup_unembed_projections"}
_LAYER = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm", "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "post_ffw_norm": "post_feedforward_layernorm", "inp_gate": "per_layer_input_gate", "proj": "per_layer_projection", "post_norm": "post_per_layer_input_norm",
    "altup_correct_coef": "altup.correction_coefs", "altup_predict_coef": "altup.prediction_coefs", "altup_router": "altup.modality_router", "altup_router_norm": "altup.router_norm",
    "laurel_l": "laurel.linear_left", "laurel_r": "laurel.linear_right", "laurel_post_norm": "laurel.post_laurel_norm"}
_VISION = {"v.conv_stem.": "vision_tower.timm_model.conv_stem.", "v.blk.": "vision_tower.timm_model.blocks.", "v.msfa.": "vision_tower.timm_model.msfa."}
_EMBEDDER = {"embedding": "embedding", "hard_emb_norm": "hard_embedding_norm", "soft_emb_norm": "soft_embedding_norm", "input_projection": "embedding_projection"}
_AUDIO = {"a.conv1d.0.weight": "conv_0.conv.weight", "a.conv1d.0.norm.weight": "conv_0.norm.weight", "a.conv1d.1.weight": "conv_1.conv.weight", "a.conv1d.1.norm.weight": "conv_1.norm.weight",
          "a.pre_encode.out.weight": "input_proj_linear.weight"}
_CONFORMER = {
    "layer_pre_norm": "norm", "ln1": "attention.pre_attn_norm", "ln2": "attention.post_norm", "attn_q": "attention.attn.q_proj", "attn_k": "attention.attn.k_proj", "attn_v": "attention.attn.v_proj",
    "linear_pos": "attention.attn.relative_position_embedding.pos_proj", "attn_out": "attention.post", "ffn_norm": "ffw_layer_start.pre_layer_norm", "ffn_up": "ffw_layer_start.ffw_layer_1",
    "ffn_down": "ffw_layer_start.ffw_layer_2", "ffn_post_norm": "ffw_layer_start.post_layer_norm", "ffn_norm_1": "ffw_layer_end.pre_layer_norm", "ffn_up_1": "ffw_layer_end.ffw_layer_1",
    "ffn_down_1": "ffw_layer_end.ffw_layer_2", "ffn_post_norm_1": "ffw_layer_end.post_layer_norm", "conv_norm": "lconv1d.pre_layer_norm", "conv_pw1": "lconv1d.linear_start",
    "conv_dw": "lconv1d.depthwise_conv1d", "norm_conv": "lconv1d.conv_norm", "conv_pw2": "lconv1d.linear_end"}


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    return {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32) for t in gguf.GGUFReader(path).tensors}


def _text_names(name: str, w: np.ndarray) -> dict[str, np.ndarray]:
    if name in _STACKED:
        return {f"{_STACKED[name]}.{i}.weight": one for i, one in enumerate(w)}
    if name in _TEXT:
        return {_TEXT[name]: w}
    kind, layer, rest = (name.split(".", 2) + ["", ""])[:3]
    if kind != "blk" or (rest != "altup_correct_scale.weight" and rest.removesuffix(".weight") not in _LAYER):
        raise ValueError(f"{TEXT}: tensor '{name}' is not known: expected those of Gemma 3n's text")
    if rest == "altup_correct_scale.weight":
        return {f"layers.{layer}.altup.correct_output_scale": w}
    return {f"layers.{layer}.{_LAYER[rest.removesuffix('.weight')]}.weight": w}


def _tower_name(name: str) -> str:
    for mine, theirs in _VISION.items():
        if name.startswith(mine):
            return theirs + name.removeprefix(mine)
    if name.startswith("mm."):
        kind, rest = ("audio", name[5:]) if name.startswith("mm.a.") else ("vision", name[3:])
        return f"embed_{kind}.{_EMBEDDER[rest.removesuffix('.weight')]}.weight"
    if name in _AUDIO:
        return "audio_tower.subsample_conv_projection." + _AUDIO[name]
    kind, _, layer, rest = (name.split(".", 3) + ["", "", ""])[:4]
    if kind != "a" or (rest != "per_dim_scale" and rest.removesuffix(".weight") not in _CONFORMER):
        raise ValueError(f"{TOWERS}: tensor '{name}' is not known: expected those of Gemma 3n's towers")
    inner = "attention.attn.per_dim_scale" if rest == "per_dim_scale" else _CONFORMER[rest.removesuffix(".weight")] + ".weight"
    return f"audio_tower.conformer.{layer}.{inner}"


def load(model, folder: pathlib.Path):
    """Into a network of build.whole()'s shape; every weight of it is given, or a ValueError says which is not."""
    found = {}
    for name, w in _read(folder / TEXT).items():
        found |= {"model.language_model." + k: v for k, v in _text_names(name, w).items()}
    found |= {"model." + _tower_name(name): w for name, w in _read(folder / TOWERS).items()}
    wanted = {k: v for k, v in model.named_parameters() if not k.startswith("lm_head")}
    if wanted.keys() != found.keys():
        raise ValueError(f"{folder}: its tensors are not those of nano: {sorted(wanted.keys() ^ found.keys())[:4]} and others stand on one side only")
    with torch.no_grad():
        for k, p in wanted.items():
            w = found[k]
            if k.endswith("embed_tokens_per_layer.weight"):
                w = w[:len(p)]  # rows beyond the vocabulary are fillers
            # 1 x 1 convolutions of the towers are matrices in the file, and a scale of channels has four dimensions
            if [n for n in w.shape if n > 1] != [n for n in p.shape if n > 1]:
                raise ValueError(f"{folder}: tensor '{k}' is {list(w.shape)}: expected {list(p.shape)}")
            p.copy_(torch.from_numpy(w.copy()).view(p.shape))
    model.tie_weights()
    return model


def network(folder: pathlib.Path):
    return load(build.whole(), folder)
