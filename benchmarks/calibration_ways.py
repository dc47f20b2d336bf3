"""The ways that `calibration` compares, each from the files of a folder to thresholds or to a Q/DQ model."""

from __future__ import annotations

import json
import math
import resource
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx

BINS = 2048
NOISE = "noise of "
Found = Mapping[str, Any]
"""By calibrator: thresholds by tensor, or the name of the Q/DQ file that a tool wrote."""
Way = Callable[[Path], Callable[[], Found]]
"""Given the folder, does the imports and gives what is timed."""


def plain(folder: Path) -> Callable[[], Found]:
    """Inference alone."""
    import onnxruntime

    def work() -> Found:
        session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
        for feed in feeds(folder / "few.npz"):
            session.run(None, feed)
        return {}

    return work


def floor(folder: Path) -> Callable[[], Found]:
    """All tensors as outputs, and a histogram of each over the range of the first image."""
    import onnxruntime

    def work() -> Found:
        model = onnx.load(folder / "model.onnx")
        names = [name for node in model.graph.node for name in node.output]
        del model.graph.output[:]
        model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        counts = {name: np.zeros(BINS, np.int64) for name in names}
        scales: dict[str, np.float32] = {}
        for feed in feeds(folder / "few.npz"):
            for name, array in zip(names, session.run(None, feed), strict=True):
                sizes = np.abs(array.ravel())
                scale = scales.setdefault(name, np.float32((BINS - 1) / max(float(sizes.max()), 1e-9)))
                np.minimum(np.multiply(sizes, scale, out=sizes), BINS - 1, out=sizes)
                counts[name] += np.bincount(sizes.astype(np.int16), minlength=BINS)
        return {}

    return work


def ours(images: str) -> Way:
    """Return our pass over a file of images, with the thresholds of all calibrators."""

    def way(folder: Path) -> Callable[[], Found]:
        import onnxruntime  # noqa: F401 - imports are not timed

        from fixtures.quantization import graph, ranges
        from fixtures.quantization.collection import collect
        from fixtures.quantization.images import open_images
        from fixtures.quantization.observer import Observer
        from fixtures.quantization.placement import place

        def work() -> Found:
            model = graph.load_float(folder / "model.onnx")
            tensors = graph.float_variables(model, place(model).tensors)
            source = open_images(folder / images, graph.input_shapes(model))
            by_tensor = ranges.thresholds(collect(Observer(folder / "model.onnx", tensors), source.feeds()))
            methods = next(iter(by_tensor.values()))
            return {method: {name: row[method] for name, row in by_tensor.items()} for method in methods}

        return work

    return way


def onnxruntime_entropy(folder: Path) -> Callable[[], Found]:
    """ONNX Runtime's entropy calibrator: all images at once, as its `quantize_static` does it."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
    from onnxruntime.quantization.calibrate import create_calibrator

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.left = feeds(folder / "few.npz")

        def get_next(self) -> Any:
            return next(self.left, None)

    def work() -> Found:
        calibrator = create_calibrator(
            folder / "model.onnx", None, str(folder / "augmented.onnx"),
            calibrate_method=CalibrationMethod.Entropy,
            extra_options={"num_bins": BINS, "num_quantized_bins": 128, "symmetric": True},
        )  # fmt: skip
        calibrator.collect_data(Reader())
        data = calibrator.compute_data()
        return {"entropy": {name: float(np.abs(row.range_value).max()) for name, row in data.items()}}

    return work


def modelopt(folder: Path) -> Callable[[], Found]:
    """NVIDIA's Model Optimizer: what it writes by itself, the rest of the network left in float32."""
    quantize = import_module("modelopt.onnx.quantization").quantize  # not of this project's dependencies

    def work() -> Found:
        with np.load(folder / "few.npz") as archive:
            images = archive["images"]
        quantize(
            str(folder / "model.onnx"), calibration_data={"images": images}, calibration_method="entropy",
            calibration_eps=["cpu"], high_precision_dtype="fp32", output_path=str(folder / "modelopt.onnx"),
            log_level="ERROR", calibration_shapes=f"images:{'x'.join(map(str, (1, *images.shape[1:])))}",
        )  # fmt: skip
        return {"entropy": "modelopt.onnx"}

    return work


WAYS: dict[str, Way] = {
    "plain": plain, "floor": floor, "ours": ours("few.npz"), "ours, 512": ours("many.npz"),
    "onnxruntime": onnxruntime_entropy, "modelopt": modelopt,
}  # fmt: skip


def child(way: str, folder: Path) -> dict[str, Any]:
    """Run one way in this process: seconds, and the peaks in bytes of it and of its imports.

    What it found is kept in a file; behind `NOISE`, the noise of that is returned.
    """
    kept = folder / f"{way.removeprefix(NOISE)}.json"
    if way.startswith(NOISE):
        return noise(folder, json.loads(kept.read_text()))
    work = WAYS[way](folder)
    imports = _peak()
    begin, used = time.perf_counter(), time.process_time()
    results = work()
    seconds = {"seconds": time.perf_counter() - begin, "cpu": time.process_time() - used}
    row = {**seconds, "peak": _peak(), "imports": imports}
    kept.write_text(json.dumps(results))
    return row


def feeds(path: Path) -> Iterator[dict[str, np.ndarray]]:
    """Yield the images of a file one by one."""
    with np.load(path) as archive:
        for image in archive["images"]:
            yield {"images": image[None]}


def noise(folder: Path, thresholds: Found) -> dict[str, float]:
    """Return the signal over noise of each calibrator's Q/DQ model on the images held out, in decibels."""
    from fixtures.quantization import graph, migrate, ranges
    from fixtures.quantization.placement import place

    needed = place(graph.load_float(folder / "model.onnx")).tensors
    told, exact = {}, _outputs(folder / "model.onnx", folder) if thresholds else []
    for method, result in thresholds.items():
        path = folder / "quantized.onnx"
        if isinstance(result, str):
            path = folder / result
        else:
            scales = {name: ranges.scale_of(result[name]) for name in needed}
            migrate.to_pairs(folder / "model.onnx", scales, path)
        told[method] = _decibel(exact, _outputs(path, folder))
    return told


def _outputs(path: Path, folder: Path) -> list[np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [output for feed in feeds(folder / "held.npz") for output in session.run(None, feed)]


def _decibel(exact: list[np.ndarray], got: list[np.ndarray]) -> float:
    signal = sum(float(np.square(tensor, dtype=np.float64).sum()) for tensor in exact)
    pairs = zip(exact, got, strict=True)
    error = sum(float(np.square(tensor - other, dtype=np.float64).sum()) for tensor, other in pairs)
    return 10 * math.log10(signal / error)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0
