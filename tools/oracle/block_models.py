"""A tiny Gemma 3n whose every matrix and both tables are of one block type, as a GGUF file and as a transformers model of the values that
the gguf package de-quantises. No quantiser is needed: blocks are random bytes with halves of a fitting size.
"""
import pathlib

import formula
import gguf
import numpy as np
import tiny_cases
import torch
from gguf import GGMLQuantizationType as T
from gguf.quants import dequantize

S, F = "sliding_attention", "full_attention"

# type: (byte of d, byte of m or dmin, what that is for d = 1 so that values have no mean)
HALVES = {T.Q4_0: (0, None, 0), T.Q4_1: (0, 2, -7.5), T.Q5_0: (0, None, 0), T.Q5_1: (0, 2, -15.5), T.Q8_0: (0, None, 0), T.Q2_K: (80, 82, 1.5),
          T.Q3_K: (108, None, 0), T.Q4_K: (0, 2, 7.5), T.Q5_K: (0, 2, 15.5), T.Q6_K: (208, None, 0), T.IQ4_NL: (0, None, 0), T.IQ4_XS: (0, None, 0)}


def case(kind: T) -> tiny_cases.Case:
    """Every row is 256 long, so that every type fits every matrix."""
    return tiny_cases.gemma3n(kind.name.lower(), "one block type throughout", hidden_size=256, intermediate_size=256, num_hidden_layers=5, num_attention_heads=4,
                              num_key_value_heads=2, head_dim=64, hidden_size_per_layer_input=256, laurel_rank=256, sliding_window=16, num_kv_shared_layers=2,
                              activation_sparsity_pattern=[0.95, 0.0, 0.95, 0.0, 0.0], layer_types=[S, F, S, S, F], vocab_size=288, vocab_size_per_layer_input=288)


def random_blocks(kind: T, shape, rms: float, r: np.random.Generator) -> np.ndarray:
    """[rows, bytes] of blocks whose values have this root mean square."""
    values, size = gguf.GGML_QUANT_SIZES[kind]
    rows, n = shape[0], shape[1] // values
    raw = r.integers(0, 256, (rows, n, size), np.uint8)
    at_d, at_second, second = HALVES[kind]
    d = r.uniform(0.8, 1.2, (rows, n)) * r.choice([-1.0, 1.0], (rows, n))

    def put(d):
        d = d.astype(np.float16)
        raw[..., at_d:at_d + 2] = d[..., None].view(np.uint8)
        if at_second is not None:
            raw[..., at_second:at_second + 2] = (d.astype(np.float32) * second).astype(np.float16)[..., None].view(np.uint8)
        return dequantize(raw.reshape(rows, -1), kind)

    put(d * rms / np.sqrt(np.mean(np.square(put(d), dtype=np.float64))))
    return raw.reshape(rows, -1)


class BlockModel:
    def __init__(self, kind: T, salt: str):
        self.kind = kind
        self.case = case(kind)
        self.tiny = tiny_cases.Tiny(self.case, salt)
        self.blocks = {}
        for name, p in self.tiny.model.named_parameters():
            plain = name.removeprefix("model.")
            if p.dim() != 2 or p.shape[1] % 256 or plain.startswith("lm_head"):
                continue
            _, spread = tiny_cases.scale(self.case, plain, p.shape)
            r = np.random.default_rng(formula.seed(salt + kind.name + plain))
            self.blocks[plain] = random_blocks(kind, p.shape, spread / np.sqrt(3), r)
            p.data.copy_(torch.from_numpy(dequantize(self.blocks[plain], kind)))
        self.tiny.model.tie_weights()

    def write(self, path: pathlib.Path):
        c = self.case.config
        w = gguf.GGUFWriter(path, "gemma3n")
        w.add_block_count(c["num_hidden_layers"])
        w.add_context_length(c["max_position_embeddings"])
        w.add_embedding_length(c["hidden_size"])
        w.add_feed_forward_length(c["intermediate_size"])
        w.add_head_count(c["num_attention_heads"])
        w.add_head_count_kv(c["num_key_value_heads"])
        w.add_key_length(c["head_dim"])
        w.add_value_length(c["head_dim"])
        w.add_layer_norm_rms_eps(1e-6)
        w.add_sliding_window(c["sliding_window"])
        w.add_sliding_window_pattern([t == S for t in c["layer_types"]])
        w.add_shared_kv_layers(c["num_kv_shared_layers"])
        w.add_rope_freq_base(1e6)
        w.add_altup_num_inputs(4)
        w.add_altup_active_idx(0)
        w.add_embedding_length_per_layer_input(c["hidden_size_per_layer_input"])
        w.add_activation_sparsity_scale([float(torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(s))) for s in c["activation_sparsity_pattern"]])
        w.add_final_logit_softcapping(30.0)
        w.add_tokenizer_model("llama")
        special = ["<pad>", "<eos>", "<bos>", "<unk>"]
        pieces = special + [f"<0x{b:02X}>" for b in range(256)]
        pieces += [chr(ord("a") + i) for i in range(c["vocab_size"] - len(pieces) - 2)]
        pieces += ["<start_of_turn>", "<end_of_turn>"]
        w.add_token_list(pieces)
        w.add_token_scores([0.0] * len(pieces))
        kinds = [3, 3, 3, 2] + [6] * 256
        w.add_token_types(kinds + [1] * (len(pieces) - len(kinds) - 2) + [3, 3])
        w.add_bos_token_id(2)
        w.add_eos_token_id(1)
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.GEMMA3N, c["num_hidden_layers"])
        stacks = {"altup_projections": [], "altup_unembed_projections": []}
        for name, p in self.tiny.model.named_parameters():
            plain = name.removeprefix("model.")
            if plain.startswith("lm_head"):
                continue
            value = self.blocks.get(plain)
            stack = plain.split(".")[0]
            if stack in stacks:
                stacks[stack].append(value)
                continue
            known = names.get_name("model." + plain, (".weight",)) or names.get_name("model.language_model." + plain, (".weight",))
            if known is None:
                raise AssertionError(f"the gguf package has no name for {plain}")
            known = known if known.endswith(".weight") else known + ".weight"
            if value is None:
                w.add_tensor(known, p.detach().numpy().astype(np.float32))
            else:
                w.add_tensor(known, value, raw_dtype=self.kind)
        for stack, short in (("altup_projections", "altup_proj"), ("altup_unembed_projections", "altup_unembd_proj")):
            w.add_tensor(short + ".weight", np.stack(stacks[stack]), raw_dtype=self.kind)
        w.write_header_to_file()
        w.write_kv_data_to_file()
        w.write_tensors_to_file()
        w.close()
