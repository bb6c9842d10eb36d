"""Tiny configurations that between them use every feature of both families, and transformers models of them.

Weights come from formula.py, with a scale per kind of tensor that keeps a random network well conditioned: f32 noise stays near
1e-5 of the largest logit, while a mistake in any feature moves the logits by 1e-3 or more. A case is a config for transformers
plus how the checkpoint is stored (type, shards, names, form of config.json), so that one list covers mathematics and loading.
"""
import contextlib
import copy
import json
import math
import pathlib
from dataclasses import dataclass, field

import formula
import torch_setup  # noqa: F401  before transformers
import numpy as np
import torch
import transformers
from safetensors.torch import save_file

S, F = "sliding_attention", "full_attention"


@dataclass
class Case:
    name: str
    about: str
    family: str                      # gemma3n or gemma3
    config: dict                     # for Gemma3nTextConfig / Gemma3TextConfig
    dtype: str = "float32"           # as stored
    shards: int = 1
    prefix: str = "model."           # of the stored names
    old_config: bool = False         # config.json as it was written before transformers 5, nested as in published files
    dead_tensors: bool = False       # also k_proj, v_proj, k_norm of layers that share, and tensors of towers
    n_prompt: int = 48
    extra: dict = field(default_factory=dict)


def gemma3n(name, about, *, stored=None, **config):
    base = dict(vocab_size=96, vocab_size_per_layer_input=80, hidden_size=32, intermediate_size=48, num_hidden_layers=10,
                num_attention_heads=4, num_key_value_heads=2, head_dim=8, hidden_size_per_layer_input=8, laurel_rank=4, sliding_window=4,
                num_kv_shared_layers=5, activation_sparsity_pattern=[0.95] * 3 + [0.0] * 7, pad_token_id=0, bos_token_id=2, eos_token_id=1,
                max_position_embeddings=1024)
    return Case(name, about, "gemma3n", base | config, **(stored or {}))


def gemma3(name, about, *, stored=None, **config):
    base = dict(vocab_size=96, hidden_size=48, intermediate_size=80, num_hidden_layers=7, num_attention_heads=4, num_key_value_heads=1, head_dim=16,
                query_pre_attn_scalar=16, sliding_window=5, pad_token_id=0, bos_token_id=2, eos_token_id=1, max_position_embeddings=1024)
    return Case(name, about, "gemma3", base | config, **(stored or {}))


def cases() -> list[Case]:
    return [
        gemma3n("published-layout", "four local layers, then one global; five layers share; ids beyond the per-layer table; so long that windows give pages back",
                stored=dict(n_prompt=220)),
        gemma3n("odd-sizes", "hidden 39, widths that divide by no block, a list of FFN widths, sparsities that differ", hidden_size=39,
                num_attention_heads=3, num_key_value_heads=1, head_dim=10, intermediate_size=[37, 70, 21, 50, 33, 64, 45, 91], num_hidden_layers=8,
                hidden_size_per_layer_input=7, laurel_rank=5, sliding_window=7, num_kv_shared_layers=3, vocab_size=101,
                vocab_size_per_layer_input=67, activation_sparsity_pattern=[0.95, 0.5, 0.0, 0.9, 0.0, 0.7, 0.0, 0.95],
                layer_types=[S, S, F, S, F, S, S, F]),
        gemma3n("no-sharing", "every layer owns its cache, as many key heads as query heads, no sparsity", hidden_size=72, num_attention_heads=6,
                num_key_value_heads=6, head_dim=12, num_hidden_layers=6, num_kv_shared_layers=0, intermediate_size=100, laurel_rank=8,
                activation_sparsity_pattern=[0.0] * 6, sliding_window=16, vocab_size_per_layer_input=96),
        gemma3n("irregular", "irregular layer types, donors that are not neighbours, thetas of its own", num_hidden_layers=9, num_kv_shared_layers=4,
                layer_types=[F, S, S, F, S, F, S, F, S], head_dim=32, num_key_value_heads=1, sliding_window=3, intermediate_size=64,
                activation_sparsity_pattern=[0.8] * 9, hidden_size=40, laurel_rank=3,
                rope_parameters={F: {"rope_type": "default", "rope_theta": 50000.0}, S: {"rope_type": "default", "rope_theta": 700.0}}),
        gemma3n("two-streams", "two AltUp streams, no output scale, a low soft cap", altup_num_inputs=2, altup_correct_scale=False,
                final_logit_softcapping=5.0, num_hidden_layers=5, num_kv_shared_layers=0, activation_sparsity_pattern=[0.95] * 2 + [0.0] * 3),
        gemma3n("three-streams", "three AltUp streams, the second one active, coefficients beyond no clip, two layers share", altup_num_inputs=3,
                altup_active_idx=1, num_hidden_layers=6, num_kv_shared_layers=2, layer_types=[S, S, F, S, S, F], final_logit_softcapping=12.0,
                activation_sparsity_pattern=[0.0, 0.95, 0.0, 0.0, 0.6, 0.0], rms_norm_eps=1e-5),
        gemma3n("published-files", "bf16 in three shards under the published names, config.json of old with scalars and fields that are not used, "
                "dead keys and values of sharing layers, tensors of towers", num_hidden_layers=12, num_kv_shared_layers=5, hidden_size=64,
                head_dim=16, intermediate_size=128, activation_sparsity_pattern=[0.95] * 10 + [0.0] * 2, sliding_window=16, laurel_rank=8,
                layer_types=[S, S, S, S, F] * 2 + [S, F],
                stored=dict(dtype="bfloat16", shards=3, prefix="model.language_model.", old_config=True, dead_tensors=True, n_prompt=64)),
        gemma3n("half-names", "f16 under another program's names, one sparsity for all layers as a scalar", num_hidden_layers=5, num_kv_shared_layers=0,
                activation_sparsity_pattern=[0.95] * 5, intermediate_size=72,
                stored=dict(dtype="float16", prefix="language_model.model.", old_config=True, extra={"scalar_sparsity": True})),
        gemma3("gemma3-pattern", "Gemma 3: five local layers, then one global; one key head; so long that windows give pages back", stored=dict(n_prompt=220)),
        gemma3("gemma3-scaled", "Gemma 3: global layers with linear RoPE scaling, a query scale that is not the head's size, capped logits, bf16 shards, "
               "config.json of old", num_hidden_layers=8, layer_types=[S, S, F] * 2 + [S, F], num_key_value_heads=2, query_pre_attn_scalar=24, hidden_size=40, intermediate_size=66,
               head_dim=12, final_logit_softcapping=20.0,
               rope_parameters={F: {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}, S: {"rope_type": "default", "rope_theta": 1e4}},
               stored=dict(dtype="bfloat16", shards=2, prefix="language_model.model.", old_config=True)),
        gemma3("gemma3-untied", "Gemma 3: a head of its own, the layer pattern left to the reader", tie_word_embeddings=False, num_hidden_layers=6,
               sliding_window=16, num_key_value_heads=4, stored=dict(extra={"no_layer_types": True})),
    ]


def scale(case: Case, name: str, shape) -> tuple[float, float]:
    """(center, spread) of a tensor's values."""
    c = case.config
    if len(shape) == 1:
        value = 1.0
        if name.endswith(("q_norm.weight", "k_norm.weight")):  # scores of deviation near 1.5
            attention_scale = c.get("query_pre_attn_scalar", 1.0) ** -0.5
            value = math.sqrt(1.5 / (math.sqrt(c["head_dim"]) * attention_scale))
        elif name == "norm.weight":
            value = 16.0 * min(1.0, (c.get("final_logit_softcapping") or 30.0) / 30.0)  # no logit near the cap
        elif any(part in name for part in ("post_attention_", "post_feedforward_", "post_per_layer_", "post_laurel_")):
            value = 0.5
        stored_as = value - 1.0 if case.family == "gemma3" else value  # Gemma 3 multiplies by 1 + w
        return stored_as, 0.25 * value
    if name in ("embed_tokens.weight", "lm_head.weight"):
        return 0.0, 0.3 * math.sqrt(3.0 / shape[1])  # small beside the layers: a tied head otherwise repeats its token
    if name == "embed_tokens_per_layer.weight":
        return 0.0, math.sqrt(3.0 / c["hidden_size_per_layer_input"])
    if name.endswith("_coefs.weight"):
        return 0.0, 0.2
    if name.endswith("modality_router.weight"):
        return 0.0, 0.4 * math.sqrt(3.0 * shape[1])
    return 0.0, math.sqrt(3.0 / shape[1])


@dataclass
class Stored:
    name: str
    shape: list[int]
    center: float
    spread: float


class Tiny:
    """A case made real: the transformers model in f32 (on weights rounded to the stored type) and its tensors as they are stored."""

    def __init__(self, case: Case, salt: str):
        self.case, self.salt = case, salt
        config = copy.deepcopy(case.config)
        classes = {"gemma3n": (transformers.Gemma3nTextConfig, transformers.Gemma3nForCausalLM),
                   "gemma3": (transformers.Gemma3TextConfig, transformers.Gemma3ForCausalLM)}
        config_class, model_class = classes[case.family]
        self.config = config_class(**config)
        with contextlib.redirect_stdout(None):
            self.model = model_class._from_config(self.config, attn_implementation="eager", dtype=torch.float32).eval()
        self.tensors: list[Stored] = []
        for name, p in self.model.named_parameters():
            if name.startswith("lm_head") and self.config.tie_word_embeddings:
                continue
            plain = name.removeprefix("model.")
            self.tensors.append(Stored(plain if plain.startswith("lm_head") else case.prefix + plain, list(p.shape), *scale(case, plain, p.shape)))
            p.data.copy_(self.values(self.tensors[-1]).float())
        self.model.tie_weights()
        if case.dead_tensors:
            self.add_dead()

    def values(self, t: Stored) -> torch.Tensor:
        return torch.from_numpy(formula.values(t.name, t.shape, t.center, t.spread, self.salt)).to(getattr(torch, self.case.dtype))

    def add_dead(self):
        c = self.case.config
        kv = c["num_key_value_heads"] * c["head_dim"]
        for layer in range(c["num_hidden_layers"] - c["num_kv_shared_layers"], c["num_hidden_layers"]):
            at = f"{self.case.prefix}layers.{layer}.self_attn."
            self.tensors += [Stored(at + "k_proj.weight", [kv, c["hidden_size"]], 0.0, 1.0), Stored(at + "v_proj.weight", [kv, c["hidden_size"]], 0.0, 1.0),
                             Stored(at + "k_norm.weight", [c["head_dim"]], 1.0, 0.5)]
        self.tensors += [Stored("model.vision_tower.timm_model.conv_stem.conv.weight", [4, 3, 3, 3], 0.0, 1.0),
                         Stored("model.audio_tower.conformer.0.norm.weight", [16], 0.0, 1.0), Stored("model.embed_vision.embedding.weight", [8, 6], 0.0, 1.0)]

    def prompt(self) -> list[int]:
        n, vocab = self.case.n_prompt, self.case.config["vocab_size"]
        r = formula.unit(formula.seed(self.salt + "prompt"), n)
        ids = [int((x + 1) / 2 * vocab) for x in r]
        ids[0] = 2
        ids[n // 2] = vocab - 1  # beyond the per-layer table
        return ids

    @torch.no_grad()
    def logits(self, ids: list[int]) -> np.ndarray:
        return self.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float().numpy()

    @torch.no_grad()
    def greedy(self, ids: list[int], n: int, min_lead: float = 0.0) -> tuple[list[int], float]:
        """n greedy tokens (fewer once a lead falls below min_lead), and the smallest lead of a chosen token over the next best, in parts
        of the largest logit."""
        out, lead = list(ids), math.inf
        cache = transformers.DynamicCache(config=self.config)
        step = torch.tensor([ids])
        for _ in range(n):
            logits = self.model(input_ids=step, past_key_values=cache, use_cache=True).logits[0, -1]
            best = torch.topk(logits, 2)
            lead = min(lead, float((best.values[0] - best.values[1]) / logits.abs().max()))
            if lead < min_lead:
                break
            out.append(int(best.indices[0]))
            step = best.indices[:1].view(1, 1)
        return out[len(ids):], lead

    def config_json(self) -> dict:
        d = json.loads(self.config.to_json_string(use_diff=False))
        for unused in ("_name_or_path", "transformers_version", "id2label", "label2id", "chunk_size_feed_forward", "is_encoder_decoder", "output_attentions",
                       "output_hidden_states", "problem_type", "return_dict", "architectures"):
            d.pop(unused, None)
        d["architectures"] = [type(self.model).__name__]
        d["dtype"] = self.case.dtype
        if self.case.extra.get("no_layer_types"):
            d.pop("layer_types")
        if not self.case.old_config:
            return d
        rope = d.pop("rope_parameters")
        d["rope_theta"], d["rope_local_base_freq"] = rope[F]["rope_theta"], rope[S]["rope_theta"]
        d["rope_scaling"] = None if rope[F]["rope_type"] == "default" else {"rope_type": rope[F]["rope_type"], "factor": rope[F]["factor"]}
        d["torch_dtype"] = d.pop("dtype")
        if isinstance(d["intermediate_size"], list) and len(set(d["intermediate_size"])) == 1:
            d["intermediate_size"] = d["intermediate_size"][0]
        if self.case.extra.get("scalar_sparsity"):
            d["activation_sparsity_pattern"] = d["activation_sparsity_pattern"][0]
        if self.case.family == "gemma3n":
            d["query_pre_attn_scalar"] = 256  # carried by old files, not used
            d["altup_lr_multiplier"] = 1.0
        top = "Gemma3nForConditionalGeneration" if self.case.family == "gemma3n" else "Gemma3ForConditionalGeneration"
        d.pop("architectures")
        return {"architectures": [top], "model_type": self.case.family, "text_config": d, "eos_token_id": [1, 106]}

    def save(self, directory: pathlib.Path):
        """The checkpoint: by save_pretrained where that writes the case's form, else with the same tensors under the case's names."""
        directory.mkdir(parents=True, exist_ok=True)
        case = self.case
        if case.prefix == "model." and not case.dead_tensors and not case.old_config:
            stored = copy.deepcopy(self.model).to(getattr(torch, case.dtype))
            stored.save_pretrained(directory, max_shard_size="100MB" if case.shards == 1 else "40KB")
        else:
            named = [(t.name, self.values(t).contiguous()) for t in self.tensors]
            groups = [dict(named[i::case.shards]) for i in range(case.shards)]
            names = ["model.safetensors"] if case.shards == 1 else [f"model-{i + 1:05d}-of-{case.shards:05d}.safetensors" for i in range(case.shards)]
            for file, tensors in zip(names, groups):
                save_file(tensors, directory / file, metadata={"format": "pt"})
            if case.shards > 1:
                index = {"metadata": {}, "weight_map": {n: f for f, g in zip(names, groups) for n in g}}
                (directory / "model.safetensors.index.json").write_text(json.dumps(index))
        if case.old_config or case.extra:
            (directory / "config.json").write_text(json.dumps(self.config_json(), indent=2))
