"""A phase's curve as CSV: a line every few steps, and one for each figure of an evaluation. Lines behind a checkpoint are cut off when it is taken up again."""
import csv
import pathlib

FIELDS = ("step", "examples", "positions", "seconds", "rate", "loss", "what", "value")


class Log:
    def __init__(self, path: pathlib.Path, step: int):
        self.path = path
        rows = [r for r in read(path) if int(r["step"]) <= step] if step else []
        self._write(rows)

    def _write(self, rows):
        partial = self.path.with_suffix(".partial")
        with open(partial, "w", newline="") as f:
            w = csv.DictWriter(f, FIELDS)
            w.writeheader()
            w.writerows(rows)
        partial.replace(self.path)

    def add(self, **row):
        with open(self.path, "a", newline="") as f:
            csv.DictWriter(f, FIELDS).writerow(row)


def read(path: pathlib.Path) -> list[dict]:
    """A line that a kill cut short is left out."""
    if not path.exists():
        return []
    with open(path, newline="") as f:
        return [r for r in csv.DictReader(f) if r["step"] and r["step"].isdigit() and r["value"] is not None]
