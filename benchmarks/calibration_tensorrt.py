"""TensorRT's own calibration beside ours: ``python -m benchmarks.calibration_tensorrt --tensorrt PYTHON``.

PYTHON has a TensorRT of 7 to 10 and pycuda; the machine has a GPU. A trained model is calibrated twice
from the same images, by TensorRT's calibrator and by ours; an engine is built of either cache and judged on
held-out images. TensorRT's algorithm is closed: that scales are near is reported, and it is what the engines
lose that is judged.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from benchmarks.calibration_sweep import MODELS, Held, make
from fixtures.quantization import cache, implicit
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import BuildOptions
from fixtures.runtimes.tensorrt.versions import resolve

Kind = Literal["entropy", "minmax"]
WORSE = 1.5
"""So many times as far from float32 as an engine of TensorRT's cache may one of ours be."""

LEAST = 1e-3
"""What is nearer to float32 than this counts as this far."""


@dataclass(frozen=True)
class Subject:
    """A model on disk, what it is calibrated with, and what it is judged on."""

    model: Path
    calibration: np.ndarray
    held: Held


class Judged(NamedTuple):
    """What came of a build.

    lost: points of the model's metric, against float32 in ONNX Runtime. distance: relative L2 of the outputs.
    layers: how many of each precision.
    """

    cache: str
    lost: float
    distance: float
    layers: Mapping[str, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print scales and accuracies; 0 unless an engine of our cache is farther off than `WORSE`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration_tensorrt", description=__doc__)
    parser.add_argument("--tensorrt", required=True, metavar="PYTHON", help="a Python that has one")
    parser.add_argument("--model", choices=MODELS, default=MODELS[0])
    parser.add_argument(
        "--folder", type=Path, help="of model and data; made there where torch is, else found"
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name, TensorRT(resolve(options.tensorrt)) as client:
        work = Path(name)
        model, data, feed = make(options.model, options.folder or work)
        held = Held.of(options.model, OnnxRuntime(model), data, feed)
        subject = Subject(model, np.ascontiguousarray(data["calibration"]), held)
        print(f"{client.identity.label}, {options.model}")
        worse = [compare(client, subject, kind, work) for kind in ("entropy", "minmax")]
    return int(max(worse) > WORSE)


def compare(client: TensorRT, subject: Subject, kind: Kind, work: Path) -> float:
    """Print how the caches and engines of a calibrator differ; return how much farther off ours is."""
    samples, feed = subject.calibration, subject.held.feed
    feeds = ({feed: image[None]} for image in samples)
    ours = implicit.calibration_cache(subject.model, feeds, kind, client.identity.version)
    options = BuildOptions(calibrator=kind, detailed=True, constrained=True)
    by_own = _built(client, subject, samples, options, work)
    by_ours = _built(client, subject, samples[:1], replace(options, calibration_cache=ours), work)
    print(f"{kind}: {apart(_scales(ours, work), _scales(by_own.cache, work))}")
    for name, judged in {"TensorRT's cache": by_own, "our cache": by_ours}.items():
        print(f"  {name}: relative L2 {judged.distance:.4f}, points lost {judged.lost:.2f}, {judged.layers}")
    return by_ours.distance / max(by_own.distance, LEAST)


def _built(
    client: TensorRT, subject: Subject, samples: np.ndarray, options: BuildOptions, work: Path
) -> Judged:
    """Build an engine that is held to INT8, and run it on the held-out images."""
    engine, calibration = work / "m.engine", {subject.held.feed: samples}
    built = client.build(
        subject.model, precision="int8", engine=engine, calibration=calibration, options=options
    )
    if not built.ok:
        raise SystemExit(f"no engine: {built.problem}")
    runtime = client.engine(engine, "int8")
    lost, far = subject.held.cost(runtime)
    return Judged(built.calibration_cache, lost, far, dict(runtime.layers().precisions))


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
