"""3 and 4: all of it together, the towers slower than the text, their heads kept on; then once more with what is still weak in front (mixtures.py), at a smaller rate that ends at nothing."""
import torch

from .. import evaluate, seeds
from ..batches import collate
from ..network import build, heads, initial, nested
from .text import answer_loss

HEADS_WEIGHT = 0.5
AMOUNTS = {"joint": (5800, 1e-3, 0.1), "polish": (3200, 6e-4, 0.0)}  # steps, first rate, last share of it


class Joint:
    line_every = 20  # a mean over kinds of batches

    def __init__(self, name: str, source, questions, parts: dict[str, dict] | None, scale: float = 1, device: str = "cpu", size: float = 1):
        """`parts`: the weights of the phases before (text, vision, audio), or None: the caller loads those of the phase before. `size`: of the batches."""
        self.name, (steps, self.first_rate, self.last_rate) = name, AMOUNTS[name]
        self.n_steps = max(20, round(steps * scale))
        self.device, self.size = device, size
        self.line_every = min(self.line_every, max(1, self.n_steps // 10))
        self.source, self.questions = source, questions
        self.model = build.from_parts(parts) if parts else build.whole()
        self.cells, self.speech = heads.CellHead(), heads.SpeechHead()
        for head, part in ((self.cells, "vision"), (self.speech, "audio")):
            if parts:
                head.load_state_dict({k.removeprefix("head."): v for k, v in parts[part].items() if k.startswith("head.")})
        self.heads = {"cells": self.cells, "speech": self.speech}
        self.modules = {"model": self.model} | self.heads
        self._maps = self._frames = None
        # the library calls parts of the tower, not the tower; a clone, since it multiplies what that returns in place
        self.model.model.vision_tower.timm_model.msfa.register_forward_hook(lambda m, i, out: setattr(self, "_maps", out.clone()))
        self.model.model.audio_tower.conformer[-1].register_forward_hook(lambda m, i, out: setattr(self, "_frames", out))

    def groups(self):
        named = [(f"{n}.{k}", p) for n, m in self.modules.items() for k, p in m.named_parameters()]
        return initial.grouped([(k.removeprefix("model."), p) for k, p in named if not k.startswith("model.lm_head")], self.first_rate, ("model.vision_tower", "model.audio_tower"))

    def batch(self, step: int):
        return collate(self.source.joint_examples(self.name, step, self.size)[1], self.source.turns)

    def loss(self, step: int, batch):
        b = batch.to(self.device)
        nested.draw_size(seeds.source("size", self.name, step), build.layers_of(self.model))
        media = {} if b.pixels is None else {"pixel_values": b.pixels}
        if b.features is not None:
            media |= {"input_features": b.features, "input_features_mask": b.valid}
        loss = answer_loss(self.model, self.model.model(input_ids=b.ids, use_cache=False, **media).last_hidden_state, b.wanted)
        if b.pixels is not None:
            loss = loss + HEADS_WEIGHT * self.cells(self._maps, b.cells)[0]
        if b.features is not None:
            frames = torch.arange(self._frames.shape[1], device=b.valid.device) * 4
            valid = b.valid[:, frames.clamp(max=b.valid.shape[1] - 1)]
            loss = loss + HEADS_WEIGHT * self.speech(self._frames, valid, b.said)[0]
        self._maps = self._frames = None
        return loss, len(b.ids), b.n_positions

    def evaluate(self, step: int) -> dict[str, float]:
        return evaluate.figures(self.model, self.source.turns, self.questions, ("full", "small"), self.device)
