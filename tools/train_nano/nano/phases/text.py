"""2: the text network, all sizes of it: dictionary, sums, commands in writing, chat, not knowing. About 5 million tokens."""
import torch.nn.functional as F

from .. import evaluate, seeds
from ..batches import collate
from ..network import build, fused, initial, nested
from ..turns import IGNORED

BATCH, STEPS = 48, 1300


def answer_loss(model, hidden, wanted):
    """Mean over the answers' tokens, the only ones whose logits are made. hidden [n, T, width]."""
    answer = wanted != IGNORED
    return F.cross_entropy(fused.softcapped(model.lm_head(hidden[answer]), model.config.get_text_config().final_logit_softcapping), wanted[answer])


class Text:
    name, first_rate, last_rate, line_every = "text", 2e-3, 0.05, 10

    def __init__(self, source, questions, scale: float = 1, device: str = "cpu", size: float = 1):
        """`size`: of the batches."""
        self.n_steps = max(20, round(STEPS * scale))
        self.device, self.n, self.questions = device, max(1, round(BATCH * size)), questions
        self.model = build.text_network()
        self.modules = {"text": self.model}
        self.line_every = min(self.line_every, max(1, self.n_steps // 10))
        self.source = source

    def groups(self):
        return initial.grouped(self.model.named_parameters(), self.first_rate)

    def batch(self, step: int):
        return collate(self.source.text_examples(self.name, step, self.n), self.source.turns)

    def loss(self, step: int, batch):
        nested.draw_size(seeds.source("size", self.name, step), build.layers_of(self.model))
        batch = batch.to(self.device)
        hidden = self.model.model(input_ids=batch.ids, use_cache=False).last_hidden_state
        return answer_loss(self.model, hidden, batch.wanted), len(batch.ids), batch.n_positions

    def evaluate(self, step: int) -> dict[str, float]:
        return evaluate.figures(self.model, self.source.turns, self.questions, ("full", "small"), self.device)
