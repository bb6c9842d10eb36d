"""The loop of every phase: AdamW, clipping, a rate that rises and falls, checkpoints, the log, what is left of the time.

A step's data are a function of its number, so a phase that was killed goes on from its checkpoint with the same curve: weights, optimiser,
step and the sums since the last line of the log are all there is. Checkpoints lie at lines of the log only.
"""
import pathlib
import sys
import time

import torch

from . import Unfinished, checkpoint, curves
from .log import Log
from .ranks import Ranks

BETAS, CLIP, WARM_UP = (0.9, 0.98), 1.0, 50


class _Steps(torch.utils.data.Dataset):
    def __init__(self, phase):
        self.phase = phase

    def __getitem__(self, step):
        return self.phase.batch(step)


def _hours(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) // 60 % 60:02}:{int(seconds) % 60:02}"


class Trainer:
    """`phase`: name, n_steps, line_every, modules {name: module}, groups(), first_rate, last_rate (a share of the first), batch(step),
    loss(step, batch) -> (loss, examples, positions), evaluate(step) -> {what: percent}."""

    def __init__(self, phase, folder: pathlib.Path, device: str = "cpu", minutes: float = 0, save_every: float = 240, workers: int = 0, steps: int = 0, ranks: Ranks | None = None, say=lambda line: print(line, file=sys.stderr, flush=True)):
        self.phase, self.folder, self.device, self.minutes, self.save_every, self.workers, self.steps, self.say = phase, folder, device, minutes, save_every, workers, steps, say
        self.ranks = ranks or Ranks(1)
        self.first = self.ranks.rank == 0
        self.state_path = folder / f"{phase.name}.state"
        for m in phase.modules.values():
            m.to(device).train()
        self.optimiser = torch.optim.AdamW(phase.groups(), lr=1e-3, betas=BETAS)
        self.parameters = [p for g in self.optimiser.param_groups for p in g["params"]]
        self.step, self.sums = 0, {"examples": 0, "positions": 0, "seconds": 0.0}
        self._take_up()
        if self.first:
            self.log = Log(folder / f"{phase.name}.csv", self.step)

    def _take_up(self):
        state = checkpoint.load(self.state_path)
        if not state:
            return
        if state["n_steps"] != self.phase.n_steps:
            raise ValueError(f"{self.state_path}: is of a phase of {state['n_steps']} steps, this one has {self.phase.n_steps}: expected the same --scale, or remove the file")
        for name, m in self.phase.modules.items():
            m.load_state_dict(state["modules"][name])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.sums = state["step"], state["sums"]
        if self.first:
            self.say(f"{self.phase.name}: goes on at step {self.step} of {self.phase.n_steps}")

    def save(self):
        checkpoint.save(self.state_path, {"modules": {n: m.state_dict() for n, m in self.phase.modules.items()}, "optimiser": self.optimiser.state_dict(), "step": self.step, "sums": self.sums,
                                          "n_steps": self.phase.n_steps})

    def rate(self, step: int) -> float:
        """Of the phase's first rate: up over 50 steps, then straight down."""
        warm = min(WARM_UP, max(1, self.phase.n_steps // 10))
        if step < warm:
            return (step + 1) / warm
        return 1 + (self.phase.last_rate - 1) * (step - warm) / max(1, self.phase.n_steps - warm)

    def _one(self, batch) -> float:
        scale = self.rate(self.step)
        for g in self.optimiser.param_groups:
            g["lr"] = g["rate"] * scale
        loss, examples, positions = self.phase.loss(self.step, batch)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.ranks.average(self.parameters)
        torch.nn.utils.clip_grad_norm_(self.parameters, CLIP)
        self.optimiser.step()
        loss, examples, positions = self.ranks.sum([float(loss.detach()), examples, positions])
        self.sums["examples"] += int(examples)
        self.sums["positions"] += int(positions)
        return loss / self.ranks.n

    def _line(self, losses: list[float], seconds: float, positions: int):
        loss, rate = sum(losses) / len(losses), self.phase.first_rate * self.rate(self.step - 1)
        self.log.add(step=self.step, examples=self.sums["examples"], positions=self.sums["positions"], seconds=round(self.sums["seconds"], 1), rate=f"{rate:.3g}", loss=f"{loss:.5f}", what="", value="")
        left = self.sums["seconds"] / self.step * (self.phase.n_steps - self.step)
        self.say(f"{self.phase.name}  step {self.step}/{self.phase.n_steps}  loss {loss:.3f}  rate {rate:.1e}  {positions / max(seconds, 1e-9):.0f} positions/s  {_hours(left)} left")

    def _figures(self):
        for m in self.phase.modules.values():
            m.eval()
        with torch.no_grad():
            figures = self.phase.evaluate(self.step)
        for m in self.phase.modules.values():
            m.train()
        for what, value in figures.items():
            self.log.add(step=self.step, what=what, value=f"{value:.2f}")
        if figures:
            self.say(f"{self.phase.name}  step {self.step}  " + ", ".join(f"{what} {value:.0f} %" for what, value in figures.items()))
        curves.draw(self.log.path, self.log.path.with_suffix(".png"))

    def run(self):
        """Until the phase is done: then its weights lie in f16 beside the log. Raises Unfinished when the minutes are over."""
        begin = saved = time.time()
        phase, losses, positions, since = self.phase, [], self.sums["positions"], time.time()
        loader = torch.utils.data.DataLoader(_Steps(phase), batch_size=None, sampler=range(self.step, phase.n_steps), num_workers=self.workers, prefetch_factor=4 if self.workers else None)
        evaluate_every = -(-max(50, phase.n_steps // 10) // phase.line_every) * phase.line_every
        for batch in loader:
            losses.append(self._one(batch))
            self.step += 1
            if self.step % phase.line_every and self.step < phase.n_steps:
                continue
            now = time.time()
            self.sums["seconds"] += now - since
            if self.first:
                self._line(losses, now - since, self.sums["positions"] - positions)
            losses, positions, since = [], self.sums["positions"], now
            if self.first and (self.step % evaluate_every == 0 or self.step == phase.n_steps):
                self._figures()
                since = time.time()
            over = f"{self.minutes:g} minutes" if self.minutes and time.time() - begin > 60 * self.minutes else f"{self.steps} steps" if self.step == self.steps else ""
            if self.step < phase.n_steps and (over or time.time() - saved > self.save_every):
                if self.first:
                    self.save()
                saved = time.time()
                if over:
                    raise Unfinished(f"{phase.name}: {over} are over at step {self.step} of {phase.n_steps}; the same command goes on")
        if not self.first:
            return
        checkpoint.save_weights(self.folder / f"{phase.name}.safetensors", phase.modules)
        self.state_path.unlink(missing_ok=True)
