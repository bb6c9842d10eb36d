"""Networks with their first weights."""
import contextlib
import sys

import torch
import transformers

from . import config, fused, initial, nested  # noqa: F401  fused and nested replace forwards

SEED = 1


def _generator(offset: int) -> torch.Generator:
    return torch.Generator().manual_seed(SEED + offset)


def text_network() -> transformers.Gemma3nForCausalLM:
    m = transformers.Gemma3nForCausalLM._from_config(config.text(), attn_implementation="sdpa", dtype=torch.float32)
    initial.initialise(m, _generator(1))
    m.tie_weights()
    return m


def vision_tower() -> torch.nn.Module:
    """timm's own first weights: the library would draw its convolutions anew with deviation 0.02."""
    import timm
    torch.manual_seed(SEED + 2)
    return timm.create_model("mobilenetv5_300m", pretrained=False, num_classes=0, **config.vision_arguments())


def audio_tower(reduction: int) -> transformers.Gemma3nAudioEncoder:
    m = transformers.Gemma3nAudioEncoder(config.audio(reduction))
    initial.initialise(m, _generator(3))
    return m


def whole() -> transformers.Gemma3nForConditionalGeneration:
    with contextlib.redirect_stdout(sys.stderr):
        m = transformers.Gemma3nForConditionalGeneration._from_config(config.whole(), attn_implementation="sdpa", dtype=torch.float32)
    initial.initialise(m, _generator(4))
    m.model.vision_tower.timm_model.load_state_dict(vision_tower().state_dict())
    m.tie_weights()
    return m


def from_parts(parts: dict[str, dict]) -> transformers.Gemma3nForConditionalGeneration:
    """The phases' networks in one: text, vision, audio; each a state."""
    m = whole()
    text = {k.removeprefix("model."): v for k, v in parts["text"].items() if k.startswith("model.")}
    m.model.language_model.load_state_dict(text)
    m.model.vision_tower.timm_model.load_state_dict({k.removeprefix("tower."): v for k, v in parts["vision"].items() if k.startswith("tower.")})
    m.model.audio_tower.load_state_dict({k.removeprefix("tower."): v for k, v in parts["audio"].items() if k.startswith("tower.")})
    m.tie_weights()
    return m


def layers_of(m) -> torch.nn.ModuleList:
    return (m.model.language_model if hasattr(m.model, "language_model") else m.model).layers


def count(m: torch.nn.Module) -> int:
    return sum(p.numel() for n, p in m.named_parameters() if not n.startswith("lm_head"))


