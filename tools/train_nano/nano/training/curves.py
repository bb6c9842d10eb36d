"""A log as a picture: loss above, what was right of the held out below, over the steps."""
import pathlib

from PIL import Image, ImageDraw

from . import log

WIDTH, HEIGHT, LEFT, GAP = 900, 300, 60, 40
_INKS = ("#c0392b", "#2060c0", "#208050", "#d08020", "#8040a0", "#20a0a0", "#806040", "#d040a0", "#404040", "#90a020", "#5070f0", "#b06060")


def _panel(pen: ImageDraw.ImageDraw, top: int, title: str, series: dict[str, list[tuple[float, float]]], low: float, high: float, last: float):
    right, bottom = WIDTH - 230, top + HEIGHT - GAP
    at = lambda x, y: (LEFT + (right - LEFT) * x / max(last, 1), bottom - (bottom - top) * (y - low) / max(high - low, 1e-9))  # noqa: E731
    pen.rectangle((LEFT, top, right, bottom), outline="#808080")
    pen.text((LEFT, top - 14), title, fill="#000000")
    for i in range(5):
        y = low + (high - low) * i / 4
        pen.text((6, at(0, y)[1] - 6), f"{y:.3g}", fill="#000000")
        x = last * i / 4
        pen.text((at(x, low)[0] - 10, bottom + 4), f"{x:.0f}", fill="#000000")
    for i, (name, points) in enumerate(series.items()):
        ink = _INKS[i % len(_INKS)]
        pen.line([at(x, min(max(y, low), high)) for x, y in points], fill=ink, width=2)
        for x, y in points if len(points) < 40 else []:
            cx, cy = at(x, min(max(y, low), high))
            pen.ellipse((cx - 2, cy - 2, cx + 2, cy + 2), fill=ink)
        pen.text((right + 8, top + 13 * i), f"{name}: {points[-1][1]:.3g}", fill=ink)


def draw(csv_path: pathlib.Path, png: pathlib.Path):
    losses, right = [], {}
    for r in log.read(csv_path):
        if r["what"]:
            right.setdefault(r["what"], []).append((float(r["step"]), float(r["value"])))
        else:
            losses.append((float(r["step"]), float(r["loss"])))
    if not losses:
        return
    image = Image.new("RGB", (WIDTH, 2 * HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    last = losses[-1][0]
    top = sorted(y for _, y in losses)[int(0.97 * (len(losses) - 1))]
    _panel(pen, 24, f"{csv_path.stem}: loss", {"loss": losses}, 0, top, last)
    if right:
        _panel(pen, HEIGHT + 24, "held out, %", right, 0, 100, last)
    partial = png.with_suffix(".partial")
    image.save(partial, "PNG")
    partial.replace(png)
