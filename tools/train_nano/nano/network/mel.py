"""Log-mel features of a batch in torch, as Gemma3nAudioFeatureExtractor makes them of one clip (tests/train_nano compares)."""
import functools

import numpy as np
import torch
import transformers

FRAME, HOP, FFT, MULTIPLE = 512, 160, 1024, 128


@functools.cache
def extractor() -> transformers.Gemma3nAudioFeatureExtractor:
    return transformers.Gemma3nAudioFeatureExtractor()


@functools.cache
def _tables(device: str):
    e = extractor()
    return torch.from_numpy(e.window).to(device), torch.from_numpy(e.mel_filters.astype(np.float32)).to(device)


def log_mel(clips: list[np.ndarray], device: str = "cpu") -> tuple[torch.Tensor, torch.Tensor]:
    """i16 clips -> [n, T, 128] f32, and [n, T] bool: true where a frame begins within its clip."""
    longest = max(len(c) for c in clips)
    n_samples = -(-longest // MULTIPLE) * MULTIPLE
    x = torch.zeros(len(clips), n_samples)
    for i, c in enumerate(clips):
        x[i, :len(c)] = torch.from_numpy(c.astype(np.float32))
    x = x.to(device) / 32768
    window, filters = _tables(device)
    frames = x.unfold(-1, FRAME + 1, HOP)  # [n, T, 513]
    frames = torch.cat([frames[..., :1] * 0.03, frames[..., 1:-1] - 0.97 * frames[..., :-2]], -1)
    mel = torch.fft.rfft(frames * window, FFT).abs() @ filters
    lengths = torch.tensor([len(c) for c in clips], device=device)
    valid = torch.arange(mel.shape[1], device=device)[None] * HOP < lengths[:, None]
    return torch.log(mel.clamp(min=1e-5)), valid
