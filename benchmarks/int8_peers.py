"""What INT8 costs by each tool's own way: ``python -m benchmarks.int8_peers [--modelopt FOLDER]``.

A trained model is quantized from the same calibration images, and each result is judged in ONNX Runtime on
the same held-out ones: points of the model's own metric lost, relative L2 of all outputs, and seconds. Each
tool places Q/DQ pairs as it does where nothing else is said; symmetric INT8, scales a channel of weights.

ours         route `qdq` of the suite by `mse`, its default, and `entropy`; in float what its rule keeps
onnxruntime  ``quantize_static``: min-max, its default, and entropy, of its 128 bins
modelopt     NVIDIA's Model Optimizer, the rest in float32: entropy, its default, and max
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from benchmarks.calibration_sweep import MODELS, Held, make
from benchmarks.lines import append
from fixtures.quantization import graph, qdq
from fixtures.runtimes.onnxruntime import OnnxRuntime


@dataclass(frozen=True)
class Given:
    """A float32 model and the images to calibrate it with, each with a batch axis of 1."""

    model: Path
    feed: str
    images: np.ndarray
    detector: bool

    def feeds(self) -> Iterator[dict[str, np.ndarray]]:
        """Yield each image as ONNX Runtime takes it."""
        return ({self.feed: image[None]} for image in self.images)


@dataclass(frozen=True)
class Outcome:
    """What one way made of a model. lost: points of the metric. pairs: quantized tensors.

    refused: why it made none.
    """

    model: str
    tool: str
    calibrator: str
    lost: float = float("inf")
    distance: float = float("inf")
    seconds: float = 0.0
    pairs: int = 0
    refused: str = ""

    def __str__(self) -> str:
        if self.refused:
            return f"{self.tool:<12}{self.calibrator:<9}no model: {self.refused}"
        cost = f"{self.lost:7.2f} points lost, relative L2 {self.distance:.4f}"
        return f"{self.tool:<12}{self.calibrator:<9}{cost}, {self.pairs} pairs, {self.seconds:.1f} s"


Way = Callable[[Given, str, Path], None]
"""Quantizes a model by a calibrator, and writes the result."""


def ours(given: Given, calibrator: str, output: Path) -> None:
    """The suite's own."""
    per_channel = graph.opset(graph.load_float(given.model)) >= graph.PER_CHANNEL_SINCE
    qdq.quantize(
        given.model, output, given.feeds(), per_channel=per_channel, method=calibrator,
        float_heads=given.detector,
    )  # fmt: skip


def onnxruntime(given: Given, calibrator: str, output: Path) -> None:
    """ONNX Runtime's."""
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self.left = given.feeds()

        def get_next(self) -> Any:
            return next(self.left, None)

    method = {"minmax": "MinMax", "entropy": "Entropy"}[calibrator]
    prepared = output.with_suffix(".prepared.onnx")
    quant_pre_process(str(given.model), str(prepared))
    quantization.quantize_static(
        str(prepared), str(output), Reader(), per_channel=True,
        calibrate_method=quantization.CalibrationMethod[method], extra_options={"ActivationSymmetric": True},
    )  # fmt: skip


def modelopt(given: Given, calibrator: str, output: Path) -> None:
    """Model Optimizer's."""
    quantize = import_module("modelopt.onnx.quantization").quantize  # not of this project's dependencies
    shape = "x".join(map(str, (1, *given.images.shape[1:])))
    quantize(
        str(given.model), calibration_data={given.feed: given.images}, calibration_method=calibrator,
        calibration_eps=["cpu"], high_precision_dtype="fp32", output_path=str(output), log_level="ERROR",
        calibration_shapes=f"{given.feed}:{shape}",
    )  # fmt: skip


WAYS: dict[str, tuple[Way, tuple[str, ...]]] = {
    "ours": (ours, ("mse", "entropy")),
    "onnxruntime": (onnxruntime, ("minmax", "entropy")),
    "modelopt": (modelopt, ("entropy", "max")),
}
"""Tool -> its way, and the calibrators it is asked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a way; 1 where our default loses over a point more than the best of another tool."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.int8_peers", description=__doc__)
    parser.add_argument("--model", choices=MODELS, nargs="+", default=MODELS)
    parser.add_argument("--modelopt", type=Path, help="folder of pip install --target with nvidia-modelopt")
    parser.add_argument("--lines", type=Path, help="append a JSON line an outcome to this file")
    options = parser.parse_args(arguments)
    if options.modelopt:
        sys.path.append(str(options.modelopt))
    # Tool by tool: Model Optimizer, the last one, changes functions of ONNX Runtime's quantization.
    outcomes: dict[str, list[Outcome]] = {name: [] for name in options.model}
    for tool in (tool for tool in WAYS if tool != "modelopt" or options.modelopt):
        for name in options.model:
            for outcome in judged(name, tool):
                print(f"{name:<20}{outcome}", flush=True)
                append(options.lines, outcome)
                outcomes[name].append(outcome)
    return int(any(map(is_behind, outcomes.values())))


def judged(name: str, tool: str) -> Iterator[Outcome]:
    """Yield what each way of a tool makes of a trained model."""
    with tempfile.TemporaryDirectory() as folder:
        model, data, feed = make(name, Path(folder))
        held = Held.of(name, OnnxRuntime(model), data, feed)
        detector = held.metric.name == "map"
        given = Given(model, feed, np.ascontiguousarray(data["calibration"]), detector)
        way, calibrators = WAYS[tool]
        for calibrator in calibrators:
            output, begin = Path(folder) / f"{calibrator}.quantized.onnx", time.perf_counter()
            try:
                way(given, calibrator, output)
            except ValueError as error:  # how quantize_static says that it cannot
                yield Outcome(name, tool, calibrator, refused=str(error))
                continue
            seconds = time.perf_counter() - begin
            pairs = sum(node.op_type == "QuantizeLinear" for node in onnx.load(output).graph.node)
            yield Outcome(name, tool, calibrator, *held.cost(OnnxRuntime(output)), seconds, pairs)


def is_behind(outcomes: Sequence[Outcome]) -> bool:
    """Say whether the suite's default loses over a point more than the best of the others."""
    others = [one.lost for one in outcomes if one.tool != "ours"]
    default = next(one.lost for one in outcomes if one.tool == "ours")
    return bool(others) and default > min(others) + 1.0


if __name__ == "__main__":
    sys.exit(main())
