"""Models with vision and audio for the comparisons with transformers, and what transformers says about a conversation with pictures and sound.

A scaled model is a directory that `gemma3n synth --size tiny --towers` wrote: transformers reads it as it is, and its processor once the
small files of complete() lie beside it. A model of true towers has their published shapes on a tiny text network, with the published ids.
"""
import contextlib
import json
import math
import pathlib
import subprocess

import torch_setup  # noqa: F401  before transformers
import numpy as np
import torch
import transformers

MARKS = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>",
         "boa_token": "<start_of_audio>", "eoa_token": "<end_of_audio>", "audio_token": "<audio_soft_token>"}

# Gemma's turns: text items trimmed, nothing between items, the system's text in front of the first user's.
TEMPLATE = """{{ bos_token }}{%- for m in messages -%}
{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else m['role']) + '\\n' }}
{%- for part in m['content'] -%}
{%- if part['type'] == 'image' -%}{{ '<image_soft_token>' }}
{%- elif part['type'] == 'audio' -%}{{ '<audio_soft_token>' }}
{%- else -%}{{ part['text'] | trim }}{%- endif -%}
{%- endfor -%}
{{ '<end_of_turn>\\n' }}
{%- endfor -%}{{ '<start_of_turn>model\\n' }}"""

PREPROCESSOR = {
    "image_processor_type": "SiglipImageProcessorFast", "do_resize": True, "do_rescale": True, "do_normalize": False, "resample": 2,
    "rescale_factor": 1 / 255, "image_seq_length": 256, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    "feature_extractor_type": "Gemma3nAudioFeatureExtractor", "feature_size": 128, "sampling_rate": 16000, "frame_length": 512, "hop_length": 160,
    "fft_length": 1024, "fft_overdrive": True, "min_frequency": 125.0, "max_frequency": 7600.0, "preemphasis": 0.97, "preemphasis_htk_flavor": True,
    "mel_floor": 1e-5, "dither": 0.0, "input_scale_factor": 1.0, "padding_value": 0.0, "padding_side": "right", "per_bin_mean": None, "per_bin_stddev": None,
    "return_attention_mask": True}


def complete(directory: pathlib.Path, side: int):
    """The processor's files."""
    tokenizer = {"tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>",
                 "add_bos_token": True, "add_eos_token": False, "clean_up_tokenization_spaces": False, "extra_special_tokens": MARKS, **MARKS}
    put = lambda name, d: (directory / name).write_text(json.dumps(d, indent=1))  # noqa: E731
    put("tokenizer_config.json", tokenizer)
    put("preprocessor_config.json", PREPROCESSOR | {"size": {"height": side, "width": side}})
    put("processor_config.json", {"processor_class": "Gemma3nProcessor", "image_seq_length": 256, "audio_seq_length": 188})
    (directory / "chat_template.jinja").write_text(TEMPLATE)


def scaled(command: str, directory: pathlib.Path, seed: int, side: int = 256, dtype: str = "f32"):
    subprocess.run([command, "synth", "--size", "tiny", "--type", dtype, "--towers", "--seed", str(seed), "-o", str(directory)], check=True)
    complete(directory, side)


def published_tokenizer(source: pathlib.Path) -> str:
    """Gemma 3's tokenizer.json with the marks of Gemma 3n in their places."""
    t = json.loads(source.read_text())
    vocab = t["model"]["vocab"]
    by_id = {i: piece for piece, i in vocab.items()}
    vocab.pop(by_id[256000])
    t["added_tokens"] = [a for a in t["added_tokens"] if a["id"] not in (256000, 262144)]
    names = {256000: MARKS["boa_token"], 262144: MARKS["eoi_token"], 262145: MARKS["image_token"], 262272: MARKS["eoa_token"], 262273: MARKS["audio_token"]}
    for i in range(262144, 262400):
        vocab.pop(by_id.get(i), None)
        vocab[names.get(i, f"<media{i}>")] = i
    vocab[names[256000]] = 256000
    for i, content in names.items():
        t["added_tokens"].append({"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True})
    t["added_tokens"].sort(key=lambda a: a["id"])
    return json.dumps(t, ensure_ascii=False)


def _fill(model, seed: int):
    """Scales that keep a random network well conditioned, as synth has them."""
    g = torch.Generator().manual_seed(seed)
    text = model.config.text_config
    for name, p in model.named_parameters():
        if name.startswith("lm_head"):
            continue
        if p.dim() == 1:
            scale = 1.0
            if name.endswith(("q_norm.weight", "k_norm.weight")):
                scale = math.sqrt(1.5 / math.sqrt(text.head_dim))
            elif name.endswith("language_model.norm.weight"):
                scale = 4.0
            elif "layer_scale" in name or "language_model" in name and "post_" in name:
                scale = 0.5
            elif name.endswith("per_dim_scale"):
                scale = 0.4
            elif name.endswith(".bias"):
                scale = 0.1
            v = scale * (1 + 0.25 * (2 * torch.rand(p.shape, generator=g) - 1))
            if name.endswith(("per_dim_scale", ".bias", "language_model.norm.weight")):
                v *= torch.randint(0, 2, p.shape, generator=g) * 2 - 1
        else:
            deviation = 1 / math.sqrt(p[0].numel())
            if name.endswith("embed_tokens.weight"):
                deviation = 1.5 / math.sqrt(text.hidden_size)
            elif name.endswith("embed_tokens_per_layer.weight"):
                deviation = 1 / math.sqrt(text.hidden_size_per_layer_input)
            elif name.endswith("_coefs.weight"):
                deviation = 0.12
            elif name.endswith("modality_router.weight"):
                deviation = 0.4 * math.sqrt(text.hidden_size)
            elif name.endswith(".embedding.weight"):
                deviation = 0.6
            v = torch.empty_like(p).normal_(generator=g) * deviation
        p.data.copy_(v)
    model.tie_weights()


def true_towers(directory: pathlib.Path, tokenizer: pathlib.Path, seed: int, side: int = 768):
    """Towers of the published shapes in bf16, on a tiny text network."""
    text = transformers.Gemma3nTextConfig(hidden_size=128, intermediate_size=256, num_hidden_layers=10, num_attention_heads=4, num_key_value_heads=2, head_dim=32,
                                          hidden_size_per_layer_input=8, laurel_rank=8, num_kv_shared_layers=5, sliding_window=64, max_position_embeddings=4096,
                                          activation_sparsity_pattern=[0.95] * 4 + [0.0] * 6)
    config = transformers.Gemma3nConfig(text_config=text, vision_config=transformers.Gemma3nVisionConfig(), audio_config=transformers.Gemma3nAudioConfig())
    with contextlib.redirect_stdout(None):
        model = transformers.Gemma3nForConditionalGeneration._from_config(config, dtype=torch.float32).eval()
    _fill(model, seed)
    model.to(torch.bfloat16).save_pretrained(directory)
    complete(directory, side)
    (directory / "tokenizer.json").write_text(published_tokenizer(tokenizer))


class Reference:
    """transformers on a directory, in f32."""

    def __init__(self, directory: pathlib.Path):
        self.processor = transformers.Gemma3nProcessor.from_pretrained(directory)
        self.model = transformers.Gemma3nForConditionalGeneration.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval()

    def ids(self, parts) -> list[int]:
        """Parts: text, ("image", PIL image) or ("audio", samples)."""
        inputs = self._inputs(parts)
        return inputs["input_ids"][0].tolist()

    def _inputs(self, parts):
        content = [{"type": "text", "text": p} if isinstance(p, str) else {"type": p[0]} for p in parts]
        text = self.processor.apply_chat_template([{"role": "user", "content": content}], tokenize=False)
        images = [p[1] for p in parts if not isinstance(p, str) and p[0] == "image"]
        sounds = [p[1] for p in parts if not isinstance(p, str) and p[0] == "audio"]
        return self.processor(text=[text], images=[images] if images else None, audio=sounds or None, add_special_tokens=False, return_tensors="pt")

    def pixels(self, image) -> np.ndarray:
        return self.processor.image_processor([image], return_tensors="pt")["pixel_values"].numpy()

    def features(self, samples: np.ndarray) -> np.ndarray:
        """Of a clip alone, [T, 128]: in a batch its last frames would depend on the longest clip."""
        return self.processor.feature_extractor([samples], return_tensors="pt")["input_features"][0].float().numpy()

    @torch.no_grad()
    def image_tokens(self, pixels: np.ndarray) -> np.ndarray:
        return self.model.get_image_features(torch.from_numpy(pixels), return_dict=True).pooler_output[0].numpy()

    @torch.no_grad()
    def audio_tokens(self, features: np.ndarray, n_samples: int) -> np.ndarray:
        """Filled up to 188, [188, hidden]."""
        f = torch.from_numpy(features)[None]
        valid = torch.arange(f.shape[1])[None] * 160 < n_samples
        out = self.model.model.get_audio_features(f, ~valid, return_dict=True)
        soft = out.pooler_output[0][~out.audio_mel_mask[0]]
        last = self.model.config.text_config.vocab_size - 1
        pad = self.model.model.embed_audio(input_ids=torch.tensor([[last]]))[0]
        return torch.cat([soft, pad.expand(188 - soft.shape[0], -1)]).numpy()

    @torch.no_grad()
    def logits(self, ids: list[int], images: list[np.ndarray], sounds: list[np.ndarray]) -> np.ndarray:
        """Of every position, the soft tokens given."""
        m = self.model.model
        with _replaced(m, images, sounds):
            n_frames = 1
            inputs = {"input_ids": torch.tensor([ids])}
            if images:
                inputs["pixel_values"] = torch.zeros(len(images), 3, 32, 32)
            if sounds:
                inputs["input_features"] = torch.zeros(len(sounds), n_frames, 128)
                inputs["input_features_mask"] = torch.ones(len(sounds), n_frames, dtype=torch.bool)
            return self.model(**inputs, use_cache=False).logits[0].numpy()

    def greedy(self, ids, images, sounds, n: int) -> tuple[list[int], float]:
        """n greedy tokens without a cache, and the smallest lead of a choice in parts of the largest logit."""
        out, lead = list(ids), math.inf
        for _ in range(n):
            last = torch.from_numpy(self.logits(out, images, sounds)[-1])
            best = torch.topk(last, 2)
            if int(best.indices[0]) >= self.model.config.vision_config.vocab_offset:
                return out[len(ids):], 0.0  # a mark, which an answer never holds: no comparison
            lead = min(lead, float((best.values[0] - best.values[1]) / last.abs().max()))
            out.append(int(best.indices[0]))
        return out[len(ids):], lead


@contextlib.contextmanager
def _replaced(m, images, sounds):
    """The model's forward with soft tokens that are there already: its own merging is what is run."""
    class Out:
        pass

    def image_features(pixel_values, **_):
        out = Out()
        out.pooler_output = torch.from_numpy(np.stack(images))
        return out

    def audio_features(features, mask, **_):
        out = Out()
        out.pooler_output = torch.from_numpy(np.stack(sounds))
        out.audio_mel_mask = torch.zeros(out.pooler_output.shape[:2], dtype=torch.bool)
        return out

    saved = m.get_image_features, m.get_audio_features
    m.get_image_features, m.get_audio_features = image_features, audio_features
    try:
        yield
    finally:
        m.get_image_features, m.get_audio_features = saved


def with_size(directory: pathlib.Path, side: int):
    """The same model, told to look at pictures of another side."""
    file = directory / "preprocessor_config.json"
    d = json.loads(file.read_text())
    d["size"] = {"height": side, "width": side}
    file.write_text(json.dumps(d, indent=1))
