"""Where a phase stands, in one file that is whole or the one before; and the f16 weights of a finished phase."""
import os
import pathlib

import torch
from safetensors.torch import load_file, save_file


def _renamed(partial: pathlib.Path, path: pathlib.Path):
    with open(partial, "rb") as f:
        os.fsync(f.fileno())
    os.replace(partial, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def save(path: pathlib.Path, state: dict):
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    _renamed(partial, path)


def load(path: pathlib.Path) -> dict | None:
    return torch.load(path, map_location="cpu", weights_only=True) if path.exists() else None


def weights_of(modules: dict[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
    """name.parameter -> f16; the tied head is left out."""
    return {f"{name}.{k}": v.detach().cpu().half().contiguous() for name, m in modules.items() for k, v in m.state_dict().items() if not k.startswith("lm_head")}


def save_weights(path: pathlib.Path, modules: dict[str, torch.nn.Module]):
    partial = path.with_suffix(".partial")
    save_file(weights_of(modules), partial, metadata={"format": "pt"})
    _renamed(partial, path)


def read_weights(path: pathlib.Path) -> dict[str, torch.Tensor]:
    return {k: v.float() for k, v in load_file(path).items()}


def load_weights(path: pathlib.Path, modules: dict[str, torch.nn.Module]):
    stored = read_weights(path)
    for name, m in modules.items():
        mine = {k.removeprefix(name + "."): v for k, v in stored.items() if k.startswith(name + ".")}
        missing, extra = m.load_state_dict(mine, strict=False)
        missing = [k for k in missing if not k.startswith("lm_head")]
        if missing or extra:
            raise ValueError(f"{path}: {name} lacks {missing[:3]} and has {extra[:3]} too many: expected the weights of the same network")
        if hasattr(m, "tie_weights"):
            m.tie_weights()
