"""What the benchmarks of INT8 beside the suite measured, as they wrote it."""

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


def implicit(name: str) -> str:
    """Return what INT8 by a cache costs with all layers in it and with few not; a row a model and calibrator.

    Of `benchmarks.calibration_tensorrt`.
    """
    rows: dict[tuple[str, ...], list[str]] = {}
    kept: dict[tuple[str, ...], int] = {}
    for row in lines(name):
        key = (row["model"], row["calibrator"], row["by"], row["tensorrt"] or "simulated")
        rows.setdefault(key, []).append(f"{row['lost']:.2f} / {row['distance']:.4f}")
        kept[key] = len(row["in_float"])
    head = ("model", "calibrator", "cache", "engine", "all in INT8", "in float by rule", "layers in float")
    return table(head, [(*key, *cells, str(kept[key])) for key, cells in rows.items()])


def on_mnist(name: str) -> str:
    """Return top-1 of float32 and INT8 and points lost, a row a way, of `benchmarks.mnist_int8`."""
    rows = []
    for row in lines(name):
        lost = row["lost"]
        interval = f"{lost['value']:.2f} ({lost['low']:.2f} to {lost['high']:.2f})"
        rows.append((row["way"], f"{row['fp32']:.2f}", f"{row['int8']:.2f}", interval))
    return table(("way", "top-1 fp32", "INT8", "points lost [95 %]"), rows)


def peers(name: str) -> str:
    """Return what INT8 costs by each tool's own way; a row a model, a column a way.

    Of `benchmarks.int8_peers`.
    """
    cells: dict[str, dict[str, str]] = {}
    for row in lines(name):
        cost = row["refused"] or f"{row['lost']:.2f} / {row['distance']:.4f}"
        cells.setdefault(row["model"], {})[f"{row['tool']}, {row['calibrator']}"] = cost
    ways = list(dict.fromkeys(way for costs in cells.values() for way in costs))
    return table(
        ("model", *ways), [(model, *(costs.get(way, "-") for way in ways)) for model, costs in cells.items()]
    )
