"""Draws a sweep over calibrators as SVG: points lost against the number of images, a panel a model."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence

from benchmarks.slimming_drawing import MARGIN, WIDTH, svg, text
from fixtures.report.experiments import Calibrated

PANEL, GAP = 150, 46
"""Height of a panel, and what lies below it."""
MOST = 6.0
"""Points lost at the top of a panel: lines that go beyond it leave it there."""
COLOURS = {"entropy": "#c0392b", "minmax": "#1f5fa8", "percentile": "#2e8b57", "mse": "#8e44ad"}


def draw(outcomes: Sequence[Calibrated]) -> str:
    """Return the picture; scales a channel are lines, scales a tensor are dashed."""
    models = list(dict.fromkeys(one.model for one in outcomes))
    most = max(one.images for one in outcomes)
    lines = list[str]()
    for number, model in enumerate(models):
        top = MARGIN + number * (PANEL + GAP)
        lines += _panel(model, [one for one in outcomes if one.model == model], top, most)
    for number, (name, colour) in enumerate(COLOURS.items()):
        left = MARGIN + 90 * number
        y = MARGIN + len(models) * (PANEL + GAP)
        lines += [f'<path d="M{left} {y - 4}h22" stroke="{colour}"/>', text(left + 26, y, name, "start")]
    height = MARGIN + len(models) * (PANEL + GAP) + 20
    return svg(height, "points of the metric lost, by number of calibration images", lines)


def _panel(model: str, outcomes: Sequence[Calibrated], top: float, most: int) -> Iterator[str]:
    """Yield the lines of one model."""
    yield f'<path class="axis" d="M{MARGIN} {top}V{top + PANEL}H{WIDTH - MARGIN}"/>'
    yield text(WIDTH - MARGIN, top + 12, model, "end")
    yield from (text(MARGIN - 6, _y(top, tick) + 4, f"{tick}", "end") for tick in (0, 2, 4, 6))
    counts = sorted({one.images for one in outcomes})
    yield from (text(_x(count, most), top + PANEL + 16, str(count), "middle") for count in counts)
    series = defaultdict[tuple[str, str], list[Calibrated]](list)
    for one in sorted(outcomes, key=lambda one: one.images):
        series[one.calibrator, one.weights].append(one)
    for (calibrator, weights), points in series.items():
        dash = ' stroke-dasharray="4 3"' if weights == "per tensor" else ""
        places = " ".join(f"{_x(p.images, most):.1f},{_y(top, p.drop or 0):.1f}" for p in points)
        yield f'<polyline fill="none" stroke="{COLOURS[calibrator]}"{dash} points="{places}"/>'


def _x(images: int, most: int) -> float:
    return MARGIN + 10 + math.log(images) / math.log(most) * (WIDTH - 2 * MARGIN - 20)


def _y(top: float, points: float) -> float:
    """Return the height of a number of points; less than none is drawn a little below 0."""
    return top + PANEL - 12 - max(-0.5, min(points, MOST)) / MOST * (PANEL - 12)
