"""What INT8 does to the official Darknet detectors on photos: ``python -m benchmarks.official_int8 DIR ...``.

No labels are needed: the boxes that float32 finds are the truth, so that this says how far INT8 agrees with
float32, and not how good either is. Photos are those pictures of the folders, of at least `SIDE` pixels
either way, in which float32 finds something. Pictures whose names differ in a number, or in left and right,
are one series, of which at most `SERIES` are taken, all on one side: each half of the series is judged by the
network that the other half calibrated.
Exit code 0, or 2 where weights or photos are not there.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from benchmarks import lines
from fixtures.checks.scoring import THRESHOLD, MeanAveragePrecision
from fixtures.converters.darknet.convert import convert
from fixtures.metrics import boxes
from fixtures.metrics.bootstrap import Estimate, draws, percent
from fixtures.metrics.detection import SCORE, Rows
from fixtures.quantization import graph, qdq, ranges
from fixtures.quantization.calibrators import METHODS
from fixtures.quantization.collection import collect
from fixtures.quantization.observer import Observer
from fixtures.quantization.placement import heads, place
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import inputs, registry
from reference_models.datasets.pictures import KINDS
from reference_models.model import ReferenceModel

NAMES = ("yolov3-tiny", "yolov4-tiny")
SIDE = 200
SERIES = 4
"""Pictures of one series that are taken, the first by name."""
LEAST = 4
"""Photos of a side, at least."""
OPSET = 13
NEAR, SAME = 0.5, 0.9
"""Overlaps from which a box of INT8 is one of float32's."""
HEAD = f"{'route':<34}{'boxes at 0.9, %':>22}{'at 0.5, %':>11}{'mAP50-95':>10}{'mAP50':>8}"


@dataclass(frozen=True)
class Agreement:
    """How far INT8 agrees with float32, whose boxes of a score of 0.25 are the truth; all in percent.

    same, near: float32's boxes that INT8 has, of the same class, at `SAME` and `NEAR`. every: mAP50-95. half:
    mAP50.
    """

    same: Estimate
    near: Estimate
    every: float
    half: float


@dataclass(frozen=True)
class Outcome:
    """One way to quantize a model, judged on all photos."""

    date: str
    model: str
    route: str
    photos: int
    boxes: int
    agreement: Agreement

    def __str__(self) -> str:
        found = self.agreement
        same = f"{found.same.value:.1f} ({found.same.low:.1f} to {found.same.high:.1f})"
        return f"{self.route:<34}{same:>22}{found.near.value:>11.1f}{found.every:>10.1f}{found.half:>8.1f}"


def agreement(metric: MeanAveragePrecision, before: Sequence[Rows], after: Sequence[Rows]) -> Agreement:
    """Hold the detections of INT8 against those of float32, image by image. Intervals are over images."""
    weights = draws(len(before))
    same, near = (_found(before, after, overlap, weights) for overlap in (SAME, NEAR))
    once = np.ones_like(weights[:1])
    scores = metric.scores(before, after)
    every, half = (100 * float(scores[name][1](once)[0]) for name in ("map", "map50"))
    return Agreement(same, near, every, half)


def _found(before: Sequence[Rows], after: Sequence[Rows], overlap: float, weights: np.ndarray) -> Estimate:
    """Return how many of the boxes that float32 shows INT8 shows."""
    pairs = zip(map(_seen, before), map(_seen, after), strict=True)
    matches = [boxes.matched(one, other, overlap) for one, other in pairs]
    hits, all_ = (np.array([count(each) for each in matches], float) for count in (np.sum, len))
    return percent(lambda drawn: (drawn @ hits) / (drawn @ all_), weights)


def _seen(rows: Rows) -> Rows:
    return rows[rows[:, SCORE] >= THRESHOLD]


def pictures(folders: Sequence[Path]) -> list[list[Path]]:
    """Return the pictures of folders, each once, series by series; series in the order of their digests."""
    digests, series = set[str](), defaultdict[str, list[Path]](list)
    for file in sorted(path for folder in folders for path in folder.rglob("*")):
        if file.suffix.lower() in KINDS and file.is_file() and min(_size(file)) >= SIDE:
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            if digest not in digests:
                series[re.sub(r"(_?(left|right)|[LRAB])?\d*$", "", file.stem)].append(file)
            digests.add(digest)
    return [series[key] for key in sorted(series, key=lambda key: hashlib.sha256(key.encode()).digest())]


def _size(file: Path) -> tuple[int, int]:
    from PIL import Image

    with Image.open(file) as opened:
        return opened.size


def halves(
    folders: Sequence[Path], model: ReferenceModel, float_: OnnxRuntime
) -> list[dict[str, np.ndarray]]:
    """Return two lists of photos in which float32 sees something, as the network is fed, by their files."""
    metric, (_, _, height, width) = _metric(model), next(iter(model.inputs.values()))
    sides: list[dict[str, np.ndarray]] = [{}, {}]
    for series in pictures(folders):
        fed = {str(file): inputs.letterbox(file, width, height) for file in series}
        kept = {file: image for file, image in fed.items() if len(_seen(_read(model, metric, float_, image)))}
        least = min(sides, key=len)
        least.update([*kept.items()][:SERIES])
    if min(map(len, sides)) < LEAST:
        raise ValueError(
            f"{', '.join(map(str, folders))}: {model.name} sees something on {sum(map(len, sides))} pictures "
            f"of them, expected {2 * LEAST} at least: name more folders"
        )
    return sides


def judged(model: ReferenceModel, folders: Sequence[Path], work: Path) -> Iterator[Outcome]:
    """Yield what each way to quantize costs: each calibrator, heads in INT8 and in float; weights alone."""
    source, file = model.build(work), work / "float.onnx"
    onnx.save(convert(source.files["cfg"], source.files["weights"], OPSET), file)
    float_, metric = OnnxRuntime(file, threads=1), _metric(model)
    sides = halves(folders, model, float_)
    loaded = graph.load_float(file)
    observer = Observer(file, place(loaded).tensors)
    feed = next(iter(model.inputs))
    ranges_of = [collect(observer, ({feed: image} for image in side.values())) for side in sides]
    photos = [image for side in sides for image in side.values()]
    before = [_read(model, metric, float_, image) for image in photos]
    ways = [(method, kept) for method in METHODS for kept in ((), heads(loaded))]
    for method, kept in [*ways, ("", ())]:
        after: list[Rows] = []
        for side, other in zip(sides, reversed(ranges_of), strict=True):
            if method:
                made = graph.load_float(file)
                pairs = qdq.with_pairs(
                    made, place(made, kept), ranges.scales(other, method), per_channel=True
                )
                qdq.save(pairs, work / "int8.onnx")
            else:
                qdq.quantize_weights(file, work / "int8.onnx")
            runtime = OnnxRuntime(work / "int8.onnx", threads=1)
            after += [_read(model, metric, runtime, image) for image in side.values()]
        route = f"qdq {method}, heads in {'float' if kept else 'INT8'}" if method else "weight-only"
        count = sum(len(_seen(rows)) for rows in before)
        today = datetime.now(UTC).date().isoformat()
        yield Outcome(today, model.name, route, len(photos), count, agreement(metric, before, after))


def _metric(model: ReferenceModel) -> MeanAveragePrecision:
    assert model.decode is not None
    return MeanAveragePrecision(model.decode, None)


def _read(
    model: ReferenceModel, metric: MeanAveragePrecision, runtime: OnnxRuntime, image: np.ndarray
) -> Rows:
    (outputs,) = runtime.run([{next(iter(model.inputs)): image}])
    return metric.read(outputs, 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each model, and write a JSON line an outcome where a file is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.official_int8", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="of pictures, and below it")
    parser.add_argument("--name", choices=NAMES, nargs="+", default=NAMES)
    parser.add_argument("--lines", type=Path, help="append a JSON line an outcome to this file")
    options = parser.parse_args(arguments)
    try:
        for name in options.name:
            model = registry.models()[name]
            if model.origin() != "official":
                raise ValueError(
                    f"{name}: its official weights cannot be had: python -m reference_models.fetch"
                )
            with TemporaryDirectory() as work:
                for number, outcome in enumerate(judged(model, options.folders, Path(work))):
                    if not number:
                        print(
                            f"{name}: {outcome.photos} photos, {outcome.boxes} boxes of float32",
                            HEAD,
                            sep="\n",
                        )
                    print(outcome, flush=True)
                    lines.append(options.lines, outcome)
    except (OSError, ValueError) as error:
        print(f"python -m benchmarks.official_int8: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
