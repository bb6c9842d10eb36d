"""1b: the audio encoder alone, by CTC over words and letters on its frames of 40 ms. 120 thousand clips, one cycle."""
import torch

from .. import batches, seeds
from ..data.clips import Clips
from ..network import build, heads, initial

BATCH, AMOUNT = 16, 120_000


def masked(features: torch.Tensor, r) -> torch.Tensor:
    """Two bands of mels and two of time are hidden behind each clip's mean."""
    features = features.clone()
    n, frames, mels = features.shape
    for i in range(n):
        mean = features[i].mean()
        for _ in range(2):
            w, t = r.randint(0, 16), r.randint(0, 12)
            f0, t0 = r.randint(0, mels - w), r.randint(0, max(0, frames - t))
            features[i, :, f0:f0 + w] = mean
            features[i, t0:t0 + t] = mean
    return features


class Audio:
    name, first_rate, last_rate, line_every = "audio", 2e-3, 0.05, 25

    def __init__(self, source, held: Clips | None, scale: float = 1, device: str = "cpu"):
        self.n_steps = max(20, round(AMOUNT * scale / BATCH))
        self.device = device
        self.tower, self.head = build.audio_tower(reduction=1), heads.SpeechHead()
        initial.initialise(self.head, torch.Generator().manual_seed(12))
        self.modules = {"tower": self.tower, "head": self.head}
        self.line_every = min(self.line_every, max(1, self.n_steps // 10))
        self.source, self.held = source, held

    def groups(self):
        return initial.grouped([(f"{n}.{k}", p) for n, m in self.modules.items() for k, p in m.named_parameters()], self.first_rate)

    def batch(self, step: int):
        clips = []
        for i in range(BATCH):
            r = seeds.source(self.source.seed, self.name, step, i)
            clips.append(self.source.clips.worn(r.randrange(len(self.source.clips)), r))
        features, valid = batches.features_of(clips)
        return masked(features, seeds.source(self.source.seed, self.name, step)), valid, [c.said for c in clips]

    def _read(self, features, valid, said):
        out = self.tower(features.to(self.device), ~valid.to(self.device), return_dict=True)
        return self.head(out.last_hidden_state, ~out.audio_mel_mask, said)

    def loss(self, step: int, batch):
        loss, _ = self._read(*batch)
        return loss, BATCH, int(batch[1].sum())

    def evaluate(self, step: int) -> dict[str, float]:
        """Words right (100 - word error rate) of the held-out voices; half of their commands are held out too."""
        if not self.held:
            return {}
        wrong = words = 0
        for k in range(0, min(160, len(self.held)), 16):
            clips = [self.held.worn(i, seeds.source("audio figures", i)) for i in range(k, min(k + 16, len(self.held)))]
            features, valid = batches.features_of(clips)
            _, (w, n) = self._read(features, valid, [c.said for c in clips])
            wrong, words = wrong + w, words + n
        return {"words of held-out voices": max(0.0, 100 - 100 * wrong / words)}
