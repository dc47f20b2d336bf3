"""Which calibrator, how many images, one weight scale or one a channel.

``python -m benchmarks.calibration_sweep``: how many points of the model's own metric, top-1 or mAP50-95,
INT8 loses in ONNX Runtime on held-out images, and how far its outputs are from those of float32 (relative
L2), which a few hundred images tell better apart. One pass gives all of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks import sweep_drawing
from fixtures.checks.scoring import Metric, metric_of
from fixtures.pipeline.evaluation import Truth
from fixtures.report.experiments import Calibrated, calibrated
from fixtures.runtimes.base import Runtime, Tensors
from fixtures.store.files import load_tensors, save_tensors, write_atomically

COUNTS = (1, 4, 16, 64, 179)
"""Calibration images; the last one is all that there are of a classifier of digits."""
MODELS = (
    "digits", "lenet", "digits-mobilenet", "digits-yolov3-tiny", "digits-yolov4-tiny", "digits-yolov5n",
)  # fmt: skip


@dataclass(frozen=True)
class Held:
    """Held-out images, what float32 makes of each, and how a model is scored."""

    images: np.ndarray
    feed: str
    metric: Metric
    exact: Sequence[Tensors]

    @classmethod
    def of(cls, name: str, float_: Runtime, data: Mapping[str, np.ndarray], feed: str) -> Held:
        """Run float32 over the held-out images of a reference model."""
        from reference_models import registry

        images = data["images"]
        metric = metric_of(registry.models()[name], Truth(data, len(images)))
        return cls(images, feed, metric, outputs(float_, images, feed))

    def cost(self, runtime: Runtime) -> tuple[float, float]:
        """Return how many points of the metric are lost, and the relative L2 of all outputs together."""
        got = outputs(runtime, self.images, self.feed)
        before, after = self.metric.scores(self._read, self._of(got))[self.metric.name]
        once = np.ones((1, len(self.images)))
        return 100 * float((before(once) - after(once))[0]), distance(self.exact, got)

    @cached_property
    def _read(self) -> list[Any]:
        return self._of(self.exact)

    def _of(self, results: Sequence[Tensors]) -> list[Any]:
        return [self.metric.read(result, number) for number, result in enumerate(results)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and write a JSON line an outcome where a file is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration_sweep", description=__doc__)
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS, help="calibration images")
    parser.add_argument("--lines", type=Path, help="append a JSON line an outcome to this file")
    parser.add_argument("--svg", type=Path, help="of --lines: draw all that the file holds, of every model")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = list(sweep(options.model, options.counts, Path(folder)))
    print(table(outcomes))
    if options.lines:
        with options.lines.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(outcome)) + "\n" for outcome in outcomes)
    if options.lines and options.svg:
        drawn = map(json.loads, options.lines.read_text("utf-8").splitlines())
        write_atomically(options.svg, sweep_drawing.draw([calibrated(row) for row in drawn]).encode())
    return 0


def sweep(name: str, counts: Sequence[int], folder: Path) -> Iterator[Calibrated]:
    """Yield what each combination costs. counts: of images, at most all that there are."""
    from fixtures.quantization import graph, qdq, ranges
    from fixtures.quantization.calibrators import METHODS
    from fixtures.quantization.collection import collect
    from fixtures.quantization.observer import Observer
    from fixtures.quantization.placement import heads, place
    from fixtures.runtimes.onnxruntime import OnnxRuntime

    source, data, feed = make(name, folder)
    held = Held.of(name, OnnxRuntime(source), data, feed)
    loaded = graph.load_float(source)
    without = heads(loaded) if held.metric.name == "map" else []  # as the suite has it
    observer = Observer(source, place(loaded, without).tensors)
    collection = None
    for count in sorted({min(count, len(data["calibration"])) for count in counts}):
        begun = collection.samples if collection else 0
        samples = ({feed: image[None]} for image in data["calibration"][begun:count])
        collection = collect(observer, samples, collection)
        for method in METHODS:
            scales = ranges.scales(collection, method)
            for per_channel in (False, True):
                model = graph.load_float(source)
                pairs = qdq.with_pairs(model, place(model, without), scales, per_channel=per_channel)
                qdq.save(pairs, folder / "quantized.onnx")
                weights = "per channel" if per_channel else "per tensor"
                cost = held.cost(OnnxRuntime(folder / "quantized.onnx"))
                yield Calibrated(name, method, collection.samples, weights, *cost)


def table(outcomes: Sequence[Calibrated]) -> str:
    """Return a table: a row a calibrator and kind of weight scale, a column a number of images."""
    counts = sorted({outcome.images for outcome in outcomes})
    cells = {(o.calibrator, o.weights, o.images): f"{o.drop:.2f} / {o.relative_l2:.4f}" for o in outcomes}
    rows = [["calibrator", "weights", *(f"{count} images" for count in counts)]]
    rows += [
        [method, weights, *(cells[method, weights, count] for count in counts)]
        for method, weights in dict.fromkeys((o.calibrator, o.weights) for o in outcomes)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "points of the metric lost / relative L2 of the outputs"])


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


def outputs(runtime: Runtime, images: np.ndarray, feed: str) -> Sequence[Tensors]:
    """Return the outputs of each image, run one by one."""
    return runtime.run([{feed: image[None]} for image in images])


def distance(exact: Sequence[Tensors], got: Sequence[Tensors]) -> float:
    """Return the relative L2 of all outputs together."""
    pairs = [(one[name], other[name]) for one, other in zip(exact, got, strict=True) for name in one]
    noise, signal = (sum(float(np.sum(each**2, dtype=np.float64)) for each in part) for part in (
        (after - before for before, after in pairs), (before for before, _ in pairs)
    ))  # fmt: skip
    return float(np.sqrt(noise / signal))


if __name__ == "__main__":
    sys.exit(main())
