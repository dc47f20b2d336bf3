"""What INT8 calibration costs: ``python -m benchmarks.calibration [--modelopt FOLDER] [--lines FILE]``.

YOLOv5s at 320x320 with seeded weights, its 32 images cut from photos. Each way runs in a process of its own,
one after the other, from the model file to the ranges of all tensors (Model Optimizer: to a Q/DQ file of the
tensors that it chooses):

plain        inference alone
floor        all tensors as outputs, and of each one histogram over a range that is known beforehand
ours         one pass, and from it the thresholds of all four calibrators
ours, 512    the same for sixteen times the images: for its memory
onnxruntime  its entropy calibrator at 2,048 bins
modelopt     NVIDIA's Model Optimizer, its entropy calibration, where --modelopt has it

Seconds leave imports out, the peak is the whole process. Of several rounds the fastest and the highest peak
count. Decibels are 10 log10 of signal over noise of the heads on 16 other images, the ranges of a way put in
one placement of Q/DQ with per-channel weights.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.calibration_ways import NOISE, WAYS, child

COUNTS = {"few": 32, "many": 512, "held": 16}
"""Images by the file that they are in."""
MAKE = "make"
SIDE = 320
ONCE = ("ours, 512", "onnxruntime", "modelopt")
"""Ways that take so long that a second more or less does not count."""
GOALS = {"ours / floor, s": 1.2, "ours / onnxruntime, s": 0.1, "ours / onnxruntime, peak": 0.2,
         "ours, 512 / ours, peak": 1.1}  # fmt: skip
"""The greatest ratio that is a success."""
Rows = Mapping[str, Mapping[str, Any]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a way, then the goals; 0 when all are met, 1 when one is missed."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.calibration", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--modelopt", type=Path, help="folder of pip install --target with nvidia-modelopt")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--lines", type=Path, help="append a JSON line a way to this file")
    parser.add_argument("--way", choices=WAYS, action="append", help="leave out the others, and the goals")
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        work, folder = options.child[0], Path(options.child[1])
        row = make(folder, COUNTS, SIDE) if work == MAKE else child(work, folder)
        print(json.dumps(row))
        return 0
    with tempfile.TemporaryDirectory() as name:
        return _compare(Path(name), options)


def ratios(seen: Rows) -> dict[str, float]:
    """Return what `GOALS` are about, of rows of seconds and peak by way."""
    quotients = {}
    for goal in GOALS:
        ways, unit = goal.rsplit(", ", 1)
        first, other = (way.strip() for way in ways.split("/"))
        field = "seconds" if unit == "s" else "peak"
        quotients[goal] = seen[first][field] / seen[other][field]
    return quotients


def _compare(folder: Path, options: argparse.Namespace) -> int:
    _run(MAKE, folder, None)
    seen: dict[str, dict[str, Any]] = {}
    wanted = options.way or [way for way in WAYS if way != "modelopt" or options.modelopt]
    for way in wanted:
        rounds = 1 if way in ONCE else options.rounds
        rows = [_run(way, folder, options.modelopt) for _ in range(rounds)]
        seen[way] = {**min(rows, key=lambda row: row["seconds"]), "peak": max(row["peak"] for row in rows)}
        seen[way]["noise"] = _run(f"{NOISE}{way}", folder, None)
        print(_line(way, seen[way]), flush=True)
        if options.lines:
            with options.lines.open("a", encoding="utf-8") as file:
                print(json.dumps({"way": way, **seen[way]}), file=file)
    if options.way:
        return 0
    reached = ratios(seen)
    for goal, limit in GOALS.items():
        verdict = "met" if reached[goal] <= limit else "MISSED"
        print(f"goal {goal} at most {limit}: {reached[goal]:.3f} {verdict}")
    return int(any(reached[goal] > limit for goal, limit in GOALS.items()))


def _line(way: str, row: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {decibel:.2f}" for name, decibel in row["noise"].items())
    return (
        f"{way:<12}{row['seconds']:8.2f} s {row['cpu']:7.2f} s of CPU  peak {row['peak'] / 1e6:6.0f} MB "
        f"(imports {row['imports'] / 1e6:4.0f})  {told and told + ' dB'}"
    )


def _run(way: str, folder: Path, modelopt: Path | None) -> dict[str, Any]:
    """Do one thing in a process of its own: a peak never goes down, and begins with that of the parent."""
    search = os.pathsep.join(map(str, filter(None, (os.environ.get("PYTHONPATH"), modelopt))))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.calibration", "--child", way, str(folder)],
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONPATH": search},
    )  # fmt: skip
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def make(folder: Path, counts: Mapping[str, int], side: int) -> dict[str, Any]:
    """Write the model and its images into a folder; return an empty row."""
    import numpy as np
    import onnx

    from fixtures.converters.pytorch.convert import convert
    from reference_models.pytorch import yolov5
    from reference_models.pytorch.yolov5_layers import Architecture

    draw = _cuts(side)
    architecture = Architecture("s")
    network = yolov5.network(architecture)
    yolov5.seed_weights(network, 0, [draw() for _ in range(4)])
    model = convert(network, {"images": draw()}, architecture.outputs, 13, "torchscript")
    onnx.save(model, folder / "model.onnx")
    for name, count in counts.items():
        np.savez(folder / f"{name}.npz", images=np.concatenate([draw() for _ in range(count)]))
    return {}


def _cuts(side: int) -> Callable[[], Any]:
    """Return what cuts a square from a photo, anywhere, mirrored or not, darker or not; seeded."""
    import numpy as np

    from reference_models import inputs

    random, photos = np.random.default_rng(0), inputs.photos(3 * side, 3 * side, maximum=1.0)

    def draw() -> np.ndarray:
        photo = photos[random.integers(len(photos))]
        top, left = random.integers(2 * side, size=2)
        cut = photo[:, :, top : top + side, left : left + side] * random.uniform(0.5, 1)
        return np.ascontiguousarray(cut[..., :: random.choice((-1, 1))], np.float32)

    return draw


if __name__ == "__main__":
    sys.exit(main())
