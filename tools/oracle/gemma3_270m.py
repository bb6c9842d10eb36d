"""Gemma 3 270M, Q4_K_M: transformers on the de-quantised weights (the truth), llama.cpp and gemma3n on the same ids.

    python tools/oracle/gemma3_270m.py MODEL.gguf [--gemma3n build/release/gemma3n] [--golden]

Prints for each the largest logit difference (in parts of the largest logit), the mean KL(truth || it) and how often the best token is the
same. --golden writes tests/runtime/data/gemma3_270m: the ids, the truth's largest logits and log-sum-exp at every position, and
llama.cpp's own mean KL, so that tests/runtime/golden_270m_test.cpp needs no Python. Fails when gemma3n misses what is promised:
f32 within 2e-4, 8-bit activations with a mean KL not above llama.cpp's.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import torch_setup  # noqa: F401  before transformers
import gguf
import numpy as np
import torch
import transformers

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = ROOT / "tests/data/lighthouse.txt"
GOLDEN = ROOT / "tests/runtime/data/gemma3_270m"
TOP = 64            # logits kept per position
TOLERANCE = 2e-4    # of the largest logit, f32 activations

NAMES = {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
         "attn_output": "self_attn.o_proj", "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm",
         "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm", "ffn_gate": "mlp.gate_proj",
         "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "post_ffw_norm": "post_feedforward_layernorm"}


def transformers_name(name: str) -> str:
    if name == "token_embd.weight":
        return "model.embed_tokens.weight"
    if name == "output_norm.weight":
        return "model.norm.weight"
    _, layer, rest = name.split(".", 2)
    return f"model.layers.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def truth_model(path: str):
    reader = gguf.GGUFReader(path)

    def value(key):
        return reader.fields["gemma3." + key].contents()

    layers = value("block_count")
    config = transformers.Gemma3TextConfig(
        vocab_size=int(next(t for t in reader.tensors if t.name == "token_embd.weight").shape[1]), hidden_size=value("embedding_length"),
        intermediate_size=value("feed_forward_length"), num_hidden_layers=layers, num_attention_heads=value("attention.head_count"),
        num_key_value_heads=value("attention.head_count_kv"), head_dim=value("attention.key_length"),
        query_pre_attn_scalar=value("attention.key_length"), sliding_window=value("attention.sliding_window"),
        rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        layer_types=["full_attention" if (i + 1) % 6 == 0 else "sliding_attention" for i in range(layers)],
        rope_parameters={"full_attention": {"rope_type": "default", "rope_theta": value("rope.freq_base")},
                         "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}})
    with torch.device("meta"):
        model = transformers.Gemma3ForCausalLM(config)
    model = model.to_empty(device="cpu").to(torch.float32).eval()
    parameters = dict(model.named_parameters())
    missing = {n for n in parameters if not n.startswith("lm_head")}
    for t in reader.tensors:
        name = transformers_name(t.name)
        w = torch.from_numpy(gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32))
        if name.endswith("norm.weight"):
            w = w - 1.0  # a GGUF holds 1 + w
        parameters[name].data.copy_(w.reshape(parameters[name].shape))
        missing.discard(name)
    assert not missing, missing
    model.tie_weights()
    model.model.embed_tokens.embed_scale = torch.tensor(config.hidden_size**0.5)
    fresh = transformers.Gemma3ForCausalLM._from_config(transformers.Gemma3TextConfig(**{**config.to_dict(), "vocab_size": 8}), dtype=torch.float32)
    model.model.rotary_emb = fresh.model.rotary_emb  # buffers that the meta device left empty
    model.set_attn_implementation("eager")
    return model


def log_softmax(logits: np.ndarray) -> np.ndarray:
    m = logits.max(-1, keepdims=True)
    return logits - (m + np.log(np.exp(logits - m).sum(-1, keepdims=True)))


def compare(truth: np.ndarray, other: np.ndarray) -> dict:
    """Row by row, so that nothing of [T, V] in double precision is held."""
    kl, same, largest = [], 0, 0.0
    for t, o in zip(truth, other):
        lp, lq = log_softmax(t.astype(np.float64)), log_softmax(o.astype(np.float64))
        kl.append(float((np.exp(lp) * (lp - lq)).sum()))
        same += int(t.argmax() == o.argmax())
        largest = max(largest, float(np.abs(t - o).max()))
    return {"difference": largest / float(np.abs(truth).max()), "mean_kl": float(np.mean(kl)), "coarse_kl": coarse_kl(truth, other), "same_best": same / len(kl)}


def coarse_kl(truth: np.ndarray, other: np.ndarray) -> float:
    """Mean KL of the truth's TOP tokens and one bucket for all others: never above the whole KL, and what the golden test can compute."""
    out = []
    for t, o in zip(truth, other):
        top = np.argsort(-t, kind="stable")[:TOP]
        p, q = np.exp(log_softmax(t.astype(np.float64)))[top], np.exp(log_softmax(o.astype(np.float64)))[top]
        rest_p, rest_q = max(1 - p.sum(), 1e-12), max(1 - q.sum(), 1e-12)
        out.append(float((p * np.log(p / q)).sum() + rest_p * np.log(rest_p / rest_q)))
    return float(np.mean(out))


def show(name: str, c: dict):
    print(f"{name:<34} difference {c['difference']:.2e} of the largest logit, mean KL {c['mean_kl']:.3e} (of the {TOP} best and the rest "
          f"{c['coarse_kl']:.3e}), best token the same at {100 * c['same_best']:.1f} %", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("model")
    arguments.add_argument("--gemma3n")
    arguments.add_argument("--golden", action="store_true")
    a = arguments.parse_args()
    transformers.logging.set_verbosity_error()

    llama_logits, llama_version, golden = None, None, GOLDEN / "case.json"
    try:
        import llama_cpp
    except ImportError:
        llama_cpp = None
    if llama_cpp:
        llama = llama_cpp.Llama(a.model, n_ctx=1024, n_batch=1024, logits_all=True, n_threads=2, verbose=False)
        ids = llama.tokenize(TEXT.read_bytes(), add_bos=True, special=False)
        llama.eval(ids)
        llama_logits, llama_version = llama.scores[:len(ids)].copy(), llama_cpp.__version__
    else:
        print("llama-cpp-python is not installed: the ids and llama.cpp's figure are those that were committed")
        ids = json.loads(golden.read_text())["ids"]

    model = truth_model(a.model)
    with torch.no_grad():
        truth = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()
    print(f"{TEXT.name}: {len(ids)} tokens; truth: transformers {transformers.__version__} on the de-quantised weights, f32, eager; "
          f"largest logit {np.abs(truth).max():.2f}, mean loss {-np.mean([log_softmax(t)[i] for t, i in zip(truth[:-1], ids[1:])]):.3f}")
    if llama_logits is not None:
        bar = compare(truth, llama_logits)
        show(f"llama.cpp ({llama_version})", bar)
    else:
        bar = json.loads(golden.read_text())["llama_cpp"]

    if a.golden:
        GOLDEN.mkdir(parents=True, exist_ok=True)
        top = np.argsort(-truth, axis=-1, kind="stable")[:, :TOP]
        top.astype("<i4").tofile(GOLDEN / "top_ids.i32")
        np.take_along_axis(truth, top, -1).astype("<f4").tofile(GOLDEN / "top_logits.f32")
        m = truth.max(-1).astype(np.float64)
        (m + np.log(np.exp(truth.astype(np.float64) - m[:, None]).sum(-1))).astype("<f4").tofile(GOLDEN / "log_sum_exp.f32")
        golden.write_text(json.dumps({"text": TEXT.name, "made_by": f"transformers {transformers.__version__}, torch {torch.__version__}, float32, eager",
                                      "llama_cpp_python": llama_version, "llama_cpp": bar, "top": TOP, "largest_logit": float(np.abs(truth).max()),
                                      "ids": ids}) + "\n")

    wrong = False
    if a.gemma3n:
        from safetensors.numpy import load_file
        for activations in ("f32", "q8"):
            with tempfile.TemporaryDirectory() as work:
                out = pathlib.Path(work) / "trace.safetensors"
                subprocess.run([a.gemma3n, "trace", a.model, "--ids", ",".join(map(str, ids)), "--only", "^logits$", "--activations", activations,
                                "-o", str(out)], check=True)
                c = compare(truth, load_file(out)["logits"])
            show(f"gemma3n --activations {activations}", c)
            if activations == "f32" and c["difference"] > TOLERANCE:
                print(f"f32 activations differ by more than {TOLERANCE}")
                wrong = True
            if activations == "q8" and c["mean_kl"] > bar["mean_kl"]:
                print("8-bit activations: the mean KL is above llama.cpp's")
                wrong = True
    sys.exit(wrong)


if __name__ == "__main__":
    main()
