"""Which calibrator, how many images, one weight scale or one a channel.

``python -m benchmarks.calibration_sweep``: how far the outputs of INT8 in ONNX Runtime are from those of
float32 on held-out images (relative L2), and how many points of top-1 a classifier loses, of which a few
hundred images see little. One pass gives all of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx

from fixtures.report.experiments import Calibrated
from fixtures.runtimes.base import Runtime
from fixtures.store.files import load_tensors, save_tensors

COUNTS = (1, 4, 16, 64, 179)
"""Calibration images; the last one is all that there are."""
MODELS = ("digits", "lenet", "digits-yolov3-tiny", "digits-yolov5n", "digits-mobilenet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and write a JSON line an outcome where a file is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration_sweep", description=__doc__)
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="calibration images")
    parser.add_argument("--lines", type=Path, help="append a JSON line an outcome to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = list(sweep(options.model, sorted(options.counts), Path(folder)))
    print(table(outcomes))
    if options.lines:
        with options.lines.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(outcome)) + "\n" for outcome in outcomes)
    return 0


def sweep(name: str, counts: Sequence[int], folder: Path) -> Iterator[Calibrated]:
    """Yield what each combination costs. counts: of images, ascending."""
    from fixtures.quantization import graph, qdq, ranges
    from fixtures.quantization.calibrators import METHODS
    from fixtures.quantization.collection import collect
    from fixtures.quantization.observer import Observer
    from fixtures.quantization.placement import place
    from fixtures.runtimes.onnxruntime import OnnxRuntime

    source, data, feed = make(name, folder)
    exact = outputs(OnnxRuntime(source), data["images"], feed)
    observer = Observer(source, place(graph.load_float(source)).tensors)
    collection = None
    for count in counts:
        begun = collection.samples if collection else 0
        samples = ({feed: image[None]} for image in data["calibration"][begun:count])
        collection = collect(observer, samples, collection)
        for method in METHODS:
            scales = ranges.scales(collection, method)
            for per_channel in (False, True):
                model = graph.load_float(source)
                pairs = qdq.with_pairs(model, place(model), scales, per_channel=per_channel)
                qdq.save(pairs, folder / "quantized.onnx")
                got = outputs(OnnxRuntime(folder / "quantized.onnx"), data["images"], feed)
                weights = "per channel" if per_channel else "per tensor"
                cost = lost(exact, got, data["labels"]), distance(exact, got)
                yield Calibrated(name, method, collection.samples, weights, *cost)


def table(outcomes: Sequence[Calibrated]) -> str:
    """Return a table: a row a calibrator and kind of weight scale, a column a number of images."""
    counts = sorted({outcome.images for outcome in outcomes})
    cells = {(o.calibrator, o.weights, o.images): f"{told(o.drop)} / {o.relative_l2:.4f}" for o in outcomes}
    rows = [["calibrator", "weights", *(f"{count} images" for count in counts)]]
    rows += [
        [method, weights, *(cells[method, weights, count] for count in counts)]
        for method, weights in dict.fromkeys((o.calibrator, o.weights) for o in outcomes)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "points of top-1 lost / relative L2 of the outputs"])


def make(name: str, folder: Path) -> tuple[Path, dict[str, np.ndarray], str]:
    """Convert a trained model, or find it in the folder; return its file, its data, its input's name."""
    from fixtures.converters import convert
    from reference_models import registry

    model, files = registry.models()[name], (folder / f"{name}.onnx", folder / f"{name}.npz")
    if not all(file.exists() for file in files):
        assert model.dataset is not None
        onnx.save(convert(model, model.build(folder), model.converters[0], 13), files[0])
        save_tensors(files[1], model.dataset())
    return files[0], load_tensors(files[1]), next(iter(model.inputs))


def outputs(runtime: Runtime, images: np.ndarray, feed: str) -> list[np.ndarray]:
    """Return each output of all images, run one by one."""
    results = runtime.run([{feed: image[None]} for image in images])
    return [np.concatenate([result[name] for result in results]) for name in results[0]]


def distance(exact: Sequence[np.ndarray], got: Sequence[np.ndarray]) -> float:
    """Return the relative L2 of all outputs together."""
    before, after = (np.concatenate([output.ravel() for output in each]) for each in (exact, got))
    return float(np.linalg.norm(after - before) / np.linalg.norm(before))


def lost(exact: Sequence[np.ndarray], got: Sequence[np.ndarray], labels: np.ndarray) -> float | None:
    """Return how many points of top-1 are lost, in per cent; None where there is not one label an image."""
    if exact[0].ndim != 2 or len(labels) != len(exact[0]):
        return None
    before, after = (float((each[0].argmax(axis=1) == labels).mean()) for each in (exact, got))
    return 100 * (before - after)


def told(points: float | None) -> str:
    """Return points for a person."""
    return "-" if points is None else f"{points:.2f}"


if __name__ == "__main__":
    sys.exit(main())
