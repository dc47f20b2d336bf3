"""What `benchmarks.calibration_sweep` and `benchmarks.official_int8` measured, as they wrote it."""

from __future__ import annotations

import json
from typing import Any

from docs.tables.campaign import FOLDER
from docs.tables.markdown import table
from fixtures.report.experiments import Calibrated, calibrated


def lines(name: str) -> list[dict[str, Any]]:
    """Return the lines of ``docs/measurements/NAME.jsonl``."""
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]


def outcomes(name: str, model: str = "") -> list[Calibrated]:
    """Return the outcomes of a sweep, of one model or of all."""
    return [one for one in map(calibrated, lines(name)) if model in ("", one.model)]


def sweep(name: str, model: str) -> str:
    """Return a row a calibrator and kind of weight scale, a column a number of images."""
    found = {(one.calibrator, one.weights, one.images): one for one in outcomes(name, model)}
    counts = sorted({count for _, _, count in found})
    rows = []
    for calibrator, weights in dict.fromkeys((one.calibrator, one.weights) for one in found.values()):
        cells = (found[calibrator, weights, count] for count in counts)
        rows.append((calibrator, weights, *(f"{one.drop:.2f} / {one.relative_l2:.4f}" for one in cells)))
    return table(("calibrator", "weights", *(f"{count} image{'s' * (count > 1)}" for count in counts)), rows)


def agreement(name: str) -> str:
    """Return a row a model and way: how far INT8 agrees with float32 on photos, in percent."""
    rows = []
    for row in lines(name):
        found = row["agreement"]
        same, near = found["same"], found["near"]
        interval = f"{same['value']:.1f} ({same['low']:.1f} to {same['high']:.1f})"
        about = f"{row['model']}, {row['photos']} photos, {row['boxes']} boxes"
        measured = (f"{near['value']:.1f}", f"{found['every']:.1f}", f"{found['half']:.1f}")
        rows.append((about, row["route"], interval, *measured))
    return table(("model", "route", "boxes kept at 0.9 [95 %]", "at 0.5", "mAP50-95", "mAP50"), rows)
