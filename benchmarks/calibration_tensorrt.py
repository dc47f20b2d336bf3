"""INT8 of a float model by ranges of its tensors: ``python -m benchmarks.calibration_tensorrt``.

With ``--tensorrt PYTHON``, which has a TensorRT of 7 to 10 and pycuda, on a machine with a GPU: a trained
model is calibrated from the same images by TensorRT's calibrator and by ours; engines are built of either
cache, with every layer held to INT8 and with those in float that the suite keeps there, and judged on
held-out images. TensorRT's algorithm is closed: that scales are near is reported, and it is what the engines
lose that is judged. Without it: the engines of our cache, simulated in ONNX Runtime by pairs of its scales.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.calibration_sweep import MODELS, Held, make
from benchmarks.lines import append
from fixtures.quantization import cache, graph, implicit, qdq
from fixtures.quantization.calibrators import METHODS, OF_TENSORRT
from fixtures.quantization.implicit import Implicit
from fixtures.quantization.placement import place
from fixtures.runtimes.base import Runtime
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import BuildOptions
from fixtures.runtimes.tensorrt.versions import resolve

WORSE = 1.5
"""So many times as far from float32 as an engine of TensorRT's cache may one of ours be."""

LEAST = 1e-3
"""What is nearer to float32 than this counts as this far."""

HELD = "all in INT8"
FREE = "in float by rule"
OURS, OWN = "our cache", "TensorRT's cache"


@dataclass(frozen=True)
class Subject:
    """A model on disk, what it is calibrated with, and what it is judged on."""

    name: str
    model: Path
    calibration: np.ndarray
    held: Held

    def calibrated(self, method: str, version: str) -> Implicit:
        """Calibrate by ours, as the suite has it: heads of a detector stay in float."""
        feeds = ({self.held.feed: image[None]} for image in self.calibration)
        heads = self.held.metric.name == "map"
        return implicit.calibrated(self.model, feeds, method, version, float_heads=heads)


@dataclass(frozen=True)
class Outcome:
    """What came of one engine.

    tensorrt: empty for a simulation. by: whose cache. lost: points of the model's metric, against float32 in
    ONNX Runtime. distance: relative L2 of the outputs. layers: how many of each precision.
    """

    tensorrt: str
    model: str
    calibrator: str
    by: str
    layers_held: str
    in_float: Sequence[str]
    lost: float
    distance: float
    layers: Mapping[str, int]

    def __str__(self) -> str:
        counted = ", ".join(f"{count} {name}" for name, count in sorted(self.layers.items()))
        what = (
            f"  {self.by}, {self.layers_held}: relative L2 {self.distance:.4f}, points lost {self.lost:.2f}"
        )
        return f"{what}, layers {counted}" if counted else what


class Engine(NamedTuple):
    """An engine and the cache that it was built by."""

    runtime: Runtime
    layers: Mapping[str, int]
    cache: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Print scales and accuracies; 0 unless an engine of our cache is farther off than `WORSE`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration_tensorrt", description=__doc__)
    parser.add_argument("--tensorrt", metavar="PYTHON", help="a Python that has one; else it is simulated")
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument(
        "--calibrator", choices=METHODS, nargs="+", default=("entropy", "minmax"),
        help="TensorRT has calibrators for the first three; of others engines of our cache alone are built",
    )  # fmt: skip
    parser.add_argument(
        "--optimization-level",
        type=int,
        metavar="N",
        help="how long a builder of 8.6 on may look for tactics",
    )
    parser.add_argument("--lines", type=Path, help="append a JSON line an engine to this file")
    parser.add_argument(
        "--folder", type=Path, help="of model and data; made there where torch is, else found"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        model, data, feed = make(options.model, options.folder or work)
        held = Held.of(options.model, OnnxRuntime(model), data, feed)
        subject = Subject(options.model, model, np.ascontiguousarray(data["calibration"]), held)
        if not options.tensorrt:
            for method in options.calibrator:
                _tell(simulations(subject, method, work), options.lines)
            return 0
        with TensorRT(resolve(options.tensorrt)) as client:
            print(f"{client.identity.label}, {options.model}")
            outcomes = [
                outcome
                for method in options.calibrator
                for outcome in _tell(
                    engines(client, subject, method, work, options.optimization_level), options.lines
                )
            ]
    return int(worse(outcomes) > WORSE)


def _tell(outcomes: Iterator[Outcome], lines: Path | None) -> list[Outcome]:
    """Print outcomes as they come, and write each."""
    told = []
    for outcome in outcomes:
        print(outcome, flush=True)
        told.append(outcome)
        append(lines, outcome)
    return told


def worse(outcomes: Sequence[Outcome]) -> float:
    """Return how many times farther off an engine of our cache is than that of TensorRT's, at most."""
    by = {(o.calibrator, o.layers_held, o.by): max(o.distance, LEAST) for o in outcomes}
    pairs = [(key, (*key[:2], OWN)) for key in by if key[2] == OURS]
    return max((by[one] / by[other] for one, other in pairs if other in by), default=0.0)


def engines(
    client: TensorRT, subject: Subject, method: str, work: Path, level: int | None = None
) -> Iterator[Outcome]:
    """Yield what engines of a calibrator lose: of TensorRT's cache, where it has the calibrator, and of ours.

    TensorRT calibrates once: its cache is given to the second engine. Print how far the scales are apart.
    """
    print(method, flush=True)
    label, version = client.identity.label, client.identity.version
    ours = subject.calibrated(method, version)
    kind = method if method in cache.ALGORITHM_OF else "entropy"
    timing = str(work / "timing.cache")
    plain = BuildOptions(detailed=True, constrained=True, timing_cache=timing, optimization_level=level)
    made = partial(_engine, client, subject, work)
    ways = {OWN: replace(plain, calibrator=method)} if method in OF_TENSORRT else {}
    ways[OURS] = replace(plain, calibrator=kind, calibration_cache=ours.cache)
    own = ""
    for by, options in ways.items():
        for how, in_float in ((HELD, {}), (FREE, ours.in_float)):
            cached = replace(options, calibration_cache=options.calibration_cache or own, in_float=in_float)
            engine = made(cached)
            if by == OWN and not own:
                own = engine.cache
                print(f"  {apart(_scales(ours.cache, work), _scales(own, work))}")
            lost, far = subject.held.cost(engine.runtime)
            layers = list(in_float)
            yield Outcome(label, subject.name, method, by, how, layers, lost, far, engine.layers)


def simulations(subject: Subject, method: str, work: Path) -> Iterator[Outcome]:
    """Yield what engines of our cache of a calibrator would lose, were each layer with weights in INT8."""
    print(f"{subject.name}, {method}, simulated", flush=True)
    ours = subject.calibrated(method, "8.6.0")
    for how, layers in ((HELD, []), (FREE, list(ours.in_float))):
        model = graph.load_float(subject.model)
        scales, per_channel = _scales(ours.cache, work), graph.opset(model) >= graph.PER_CHANNEL_SINCE
        qdq.save(
            qdq.with_pairs(model, place(model, layers), scales, per_channel=per_channel), work / "m.onnx"
        )
        lost, far = subject.held.cost(OnnxRuntime(work / "m.onnx"))
        yield Outcome("", subject.name, method, OURS, how, layers, lost, far, {})


def _engine(client: TensorRT, subject: Subject, work: Path, options: BuildOptions) -> Engine:
    """Build an engine by a cache, or by all calibration images where the options have none."""
    file, samples = work / "m.engine", subject.calibration
    feeds = {subject.held.feed: samples[:1] if options.calibration_cache else samples}
    built = client.build(subject.model, precision="int8", engine=file, calibration=feeds, options=options)
    if not built.ok:
        raise SystemExit(f"no engine: {built.problem}")
    runtime = client.engine(file, "int8")
    return Engine(runtime, dict(runtime.layers().precisions), built.calibration_cache)


def apart(ours: Mapping[str, np.float32], own: Mapping[str, np.float32]) -> str:
    """Return in words how far scales are apart: of the tensors that both have, ours over TensorRT's."""
    ratios = {name: float(ours[name] / own[name]) for name in ours if name in own}
    if not ratios:
        return "no tensor in common"
    low, middle, high = np.quantile(list(ratios.values()), (0, 0.5, 1))
    same = sum(abs(ratio - 1) < 0.01 for ratio in ratios.values())
    worst = max(ratios, key=lambda name: abs(np.log(ratios[name])))
    return (
        f"{len(ratios)} tensors in common, {same} within 1 %; ours over TensorRT's {low:.3f} to {high:.3f}, "
        f"median {middle:.3f}, farthest {worst!r}"
    )


def _scales(text: str, work: Path) -> Mapping[str, np.float32]:
    (work / "read.cache").write_text(text, "utf-8")
    return cache.read(work / "read.cache").scales


if __name__ == "__main__":
    sys.exit(main())
