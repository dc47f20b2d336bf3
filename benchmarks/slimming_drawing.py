"""Draws the figures of `slimming` as SVG: the cliff of accuracy against ratio, and gammas epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from fixtures.store.files import write_atomically
from fixtures.training.gammas import EDGES

WIDTH, HEIGHT, MARGIN = 640, 320, 48
SHOWN = 40
"""Bins of a histogram that are drawn: |gamma| from 0 to 1."""
ROW = 26
"""Height of the histogram of one epoch."""


def draw(folder: Path, figures: Mapping[str, Any]) -> None:
    """Write cliff.svg and gammas.svg of what `slimming` wrote as figures.json."""
    write_atomically(folder / "cliff.svg", cliff(figures).encode())
    write_atomically(folder / "gammas.svg", gammas(figures["gammas"]).encode())


def cliff(figures: Mapping[str, Any]) -> str:
    """Draw accuracy against the ratio of channels removed, and as lines across that of dense and tuned."""
    points = [(row["ratio"], row["accuracy"]) for row in figures["cliff"]]
    across = {row["name"]: row["accuracy"] for row in figures["rows"] if row["name"] in ("dense", "tuned")}
    lines = [
        f'<polyline class="line" points="{" ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)}"/>',
        *(f'<circle cx="{_x(x):.1f}" cy="{_y(y):.1f}" r="3"/>' for x, y in points),
    ]
    for name, value in across.items():
        y = _y(value)
        lines.append(f'<path class="across" d="M{_x(0):.1f} {y:.1f}H{_x(1):.1f}"/>')
        lines.append(text(_x(1), y - 4 if name == "dense" else y + 14, f"{name} {value:.2f}", "end"))
    lines += [
        text(_x(tick / 10), HEIGHT - MARGIN + 18, f"{tick / 10:g}", "middle") for tick in range(0, 11, 2)
    ]
    lines += [text(MARGIN - 6, _y(tick) + 4, f"{tick}", "end") for tick in range(0, 101, 20)]
    lines.append(text(WIDTH / 2, HEIGHT - 8, "ratio of channels removed, not fine-tuned", "middle"))
    title = f"{figures['settings']['name']}: {figures['measures'][0]} in points"
    lines.append(f'<path class="axis" d="M{_x(0)} {_y(100)}V{_y(0)}H{_x(1)}"/>')
    return svg(HEIGHT, title, lines)


def gammas(epochs: Sequence[Mapping[str, Any]]) -> str:
    """Draw the histogram of |gamma| of all layers together, a row an epoch, the first on top."""
    lines = list[str]()
    base = MARGIN
    for epoch in epochs:
        base += ROW
        counts = [sum(column) for column in zip(*epoch["gammas"].values(), strict=True)][:SHOWN]
        lines.append(f'<path class="bars" d="{"".join(_bars(counts, base))}"/>')
        lines.append(text(MARGIN - 6, base, str(epoch["epoch"]), "end"))
    ticks = (0, 0.25, 0.5, 0.75, 1)
    lines += [text(_x(tick / EDGES[SHOWN]), base + 18, f"{tick:g}", "middle") for tick in ticks]
    lines.append(f'<path class="axis" d="M{_x(0)} {base}H{_x(1)}"/>')
    return svg(base + MARGIN, "|gamma| of all BatchNorms, a row an epoch of sparse training", lines)


def _bars(counts: Sequence[int], base: float) -> Iterator[str]:
    largest = max([*counts, 1])
    for number, count in enumerate(counts):
        left, right = _x(number / len(counts)), _x((number + 1) / len(counts))
        height = (ROW - 4) * count / largest
        yield f"M{left:.1f} {base}V{base - height:.1f}H{right - 1:.1f}V{base}Z"


def _x(share: float) -> float:
    return MARGIN + share * (WIDTH - 2 * MARGIN)


def _y(points: float) -> float:
    return HEIGHT - MARGIN - points / 100 * (HEIGHT - 2 * MARGIN)


def text(x: float, y: float, words: str, anchor: str) -> str:
    """Return words at a place; anchor: start, middle or end."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def svg(height: float, title: str, lines: Iterable[str]) -> str:
    """Return a picture of the usual width, with its title on top."""
    style = (
        "text{font:12px sans-serif;fill:#333}.line{fill:none;stroke:#1f5fa8;stroke-width:2}"
        "circle{fill:#1f5fa8}"
        ".across{stroke:#888;stroke-dasharray:4 3}.axis{fill:none;stroke:#333}.bars{fill:#1f5fa8}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">'
    body = "\n".join(lines)
    shown = text(WIDTH / 2, 20, title, "middle")
    return f"{head}\n<title>{escape(title)}</title>\n<style>{style}</style>\n{shown}\n{body}\n</svg>\n"
