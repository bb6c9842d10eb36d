"""What vision.py and audio.py share: our side as a process that answers orders, the check of its results, runs in turns, and their figures."""
import os
import statistics
import subprocess
import sys
import time

import numpy as np

KINDS = {"f32": "exact", "q8_0": "fast"}  # weights of our side, and its activations: f32 or 8 bit


def machine():
    return next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), os.uname().machine)


class Ours:
    def __init__(self, program, *arguments):
        self.name = os.path.basename(program)
        self.process = subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, order):
        print(order, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"{self.name} ended")
        return answer

    def run(self):
        return float(self.ask("run").split()[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def check(what, sides, truth, folder):
    """Ends the program where rows are not torch's: figures of another result would mean nothing."""
    for name, ours in sides.items():
        ours.run()
        ours.ask(f"save {folder}/rows")
        rows = np.fromfile(folder / "rows", dtype=np.float32)
        if rows.size != truth.size:
            sys.exit(f"{what}, {name}: {rows.size} values, torch has {truth.size}")
        off = float(np.sqrt(((rows.reshape(truth.shape) - truth).astype(np.float64) ** 2).mean() / (truth.astype(np.float64) ** 2).mean()))
        print(f"{what}, {name}: rms distance from torch {off:.1e}")
        if off > (1e-4 if name == "f32" else 0.2):
            sys.exit(f"{what}, {name}: the results differ, no figure would mean anything")


def timed(f):
    def run():
        begin = time.perf_counter()
        f()
        return time.perf_counter() - begin

    return run


def measure(what, torch_run, sides, roof, rounds, per_run, unit):
    """`rounds` runs of each side in turns; `per_run` of `unit` are done by a run."""
    runs = {"torch": timed(torch_run), **{name: ours.run for name, ours in sides.items()}}
    runs["torch"]()
    seconds = {name: [] for name in runs}
    for r in range(rounds):
        for name in list(runs)[r % 3:] + list(runs)[:r % 3]:
            seconds[name].append(runs[name]())
    for name, s in seconds.items():
        ratios = sorted(t / mine for t, mine in zip(seconds["torch"], s))
        middle = statistics.median(s)
        rate = roof["gmac"] / middle
        kind = "int8" if name == "q8_0" else "f32"
        print(f"{what}, {name:>5}: {min(s):.3f} / {middle:.3f} / {max(s):.3f} s, {per_run / middle:.2f} {unit}; times torch's speed {ratios[0]:.2f} / {statistics.median(ratios):.2f} / {ratios[-1]:.2f}; "
              f"{rate:.0f} GMAC/s, {100 * rate / roof[kind + '_gmac']:.0f} % of the roof of {kind}", flush=True)
    print(f"{what}: load {os.getloadavg()[0]:.1f}")
