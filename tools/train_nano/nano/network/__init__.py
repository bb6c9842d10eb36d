"""torch, made fit for timm and transformers before either is imported; one thread until training says otherwise."""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / "oracle"))
import torch_setup  # noqa: E402, F401
