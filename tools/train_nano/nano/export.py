"""The trained network as a Hugging Face directory: weights in f16, config with the list of slices, tokenizer, and the processor's files."""
import json
import pathlib
import shutil

import torch
from safetensors.torch import load_file, save_file

from . import sizes
from .network import build, config, nested  # noqa: F401
import media_models  # tools/oracle, beside torch_setup

_HERE = pathlib.Path(__file__).resolve().parents[1]


def _put(path: pathlib.Path, d: dict):
    path.write_text(json.dumps(d, indent=1, ensure_ascii=False) + "\n")


def processor_files(out: pathlib.Path):
    marks = media_models.MARKS
    _put(out / "tokenizer_config.json", {
        "tokenizer_class": "GemmaTokenizer", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>", "unk_token": "<unk>", "add_bos_token": True, "add_eos_token": False,
        "clean_up_tokenization_spaces": False, "extra_special_tokens": marks, **marks})
    side = {"height": sizes.PICTURE_SIDE, "width": sizes.PICTURE_SIDE}
    _put(out / "preprocessor_config.json", media_models.PREPROCESSOR | {"size": side, "image_seq_length": sizes.PICTURE_TOKENS})
    _put(out / "processor_config.json", {"processor_class": "Gemma3nProcessor", "image_seq_length": sizes.PICTURE_TOKENS, "audio_seq_length": sizes.CLIP_TOKENS})
    (out / "chat_template.jinja").write_text(media_models.TEMPLATE)
    _put(out / "generation_config.json", {"bos_token_id": sizes.BOS, "eos_token_id": [sizes.EOS, sizes.END_OF_TURN], "pad_token_id": sizes.PAD, "do_sample": False})


@torch.no_grad()
def export(model, tokenizer_json: pathlib.Path, out: pathlib.Path):
    nested.set_size(build.layers_of(model), range(sizes.N_LAYERS), [sizes.FF] * sizes.N_LAYERS)
    out.mkdir(parents=True, exist_ok=True)
    model.config.vision_config.model_args = config.vision_arguments()
    model.half()
    model.config.dtype = "float16"
    model.save_pretrained(out)
    model.float()
    written = json.loads((out / "config.json").read_text())
    written["slices"] = sizes.slices()
    _put(out / "config.json", written)
    shutil.copy(tokenizer_json, out / "tokenizer.json")
    processor_files(out)
    shutil.copy(_HERE / "LICENSE.wordnet", out / "LICENSE.wordnet")


def heads(weights: pathlib.Path, out: pathlib.Path):
    """Those of a finished phase alone: no part of the model, but a later training wants them."""
    save_file({k: v for k, v in load_file(weights).items() if not k.startswith("model.")}, out, metadata={"format": "pt"})
