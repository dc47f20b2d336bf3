"""Which calibrator, how many images, one weight scale or one a channel.

``python -m benchmarks.calibration_sweep``: how many points of top-1 on held-out digits INT8 costs in ONNX
Runtime, and how far its logits are from those of float32 (relative L2), which sees what 531 images have no
points for. One pass gives all of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnx

from fixtures.store.files import load_tensors, save_tensors

COUNTS = (1, 4, 16, 64, 179)
"""Calibration images; the last one is all that there are."""
MODELS = ("digits", "lenet")


@dataclass(frozen=True)
class Outcome:
    """drop: points of top-1 in percent. relative_l2: of all logits."""

    model: str
    calibrator: str
    images: int
    weights: str
    drop: float
    relative_l2: float


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


def sweep(name: str, counts: Sequence[int], folder: Path) -> Iterator[Outcome]:
    """Yield what each combination costs. counts: of images, ascending."""
    from fixtures.quantization import graph, qdq, ranges
    from fixtures.quantization.calibrators import METHODS
    from fixtures.quantization.collection import collect
    from fixtures.quantization.observer import Observer
    from fixtures.quantization.placement import place

    source, data, feed = make(name, folder)
    exact = _logits(source, feed, data["images"])
    right = top1(exact, data["labels"])
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
                got = _logits(folder / "quantized.onnx", feed, data["images"])
                yield Outcome(
                    name, method, collection.samples, "per channel" if per_channel else "per tensor",
                    right - top1(got, data["labels"]),
                    float(np.linalg.norm(got - exact) / np.linalg.norm(exact)),
                )  # fmt: skip


def table(outcomes: Sequence[Outcome]) -> str:
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
    return "\n".join([*lines, "points of top-1 lost / relative L2 of the logits"])


def make(name: str, folder: Path) -> tuple[Path, dict[str, np.ndarray], str]:
    """Convert a trained classifier, or find it in the folder; return its file, its data, its input's name."""
    from reference_models import registry

    model, files = registry.models()[name], (folder / f"{name}.onnx", folder / f"{name}.npz")
    if not all(file.exists() for file in files):
        from fixtures.converters.pytorch.convert import convert

        assert model.dataset is not None
        source, inputs = model.build(folder), model.samples()[0]
        onnx.save(convert(source.module, inputs, model.outputs, 13, "torchscript"), files[0])
        save_tensors(files[1], model.dataset())
    return files[0], load_tensors(files[1]), next(iter(model.inputs))


def _logits(path: Path, feed: str, images: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {feed: image[None]})[0] for image in images])


def top1(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose greatest logit is that of their label, in per cent."""
    return 100 * float((logits.argmax(axis=1) == labels).mean())


if __name__ == "__main__":
    sys.exit(main())
