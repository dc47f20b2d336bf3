"""What converting a big Darknet network costs: ``python -m benchmarks.darknet [--model NAME] [--rounds N]``.

Three ways from the same files: `floor` folds into one array after another and calls onnx.save; `convert` is
the function that gives a ModelProto, then onnx.save; `stream` is what the command does. How it is measured:
`conversion`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.conversion import Benchmark, main

OPSET, SIDE = 13, 416


def _make(folder: Path, model: str) -> Callable[[], object]:
    from reference_models.darknet import weights
    from reference_models.darknet.zoo.catalog import ZOO

    def work() -> None:
        cfg = ZOO[model](SIDE)
        (folder / "net.cfg").write_text(cfg.text())
        weights.write_seeded(folder / "net.weights", cfg, seed=4)

    return work


def _floor(folder: Path, model: str) -> Callable[[], object]:
    """NumPy and onnx alone, no converter: the arrays of the network's convolutions, folded and saved."""
    import numpy as np
    import onnx

    from reference_models.darknet.zoo.catalog import ZOO

    convs = ZOO[model](SIDE).convs

    def work() -> None:
        data, at = np.memmap(folder / "net.weights", np.float32, "r", offset=20), 0
        out = onnx.ModelProto()
        for number, conv in enumerate(convs):
            parts = 4 if conv.bn else 1
            norm = data[at : at + parts * conv.filters].reshape(parts, conv.filters)
            at += norm.size
            weight = data[at : at + conv.filters * conv.channels * conv.size**2].reshape(conv.filters, -1)
            at += weight.size
            if conv.bn:
                weight = weight * (norm[1] / np.sqrt(norm[3] + np.float32(1e-5)))[:, None]
            for name, array in (("weight", weight), ("bias", norm[0])):
                tensor = out.graph.initializer.add(name=f"{number}.{name}", dims=array.shape, data_type=1)
                tensor.raw_data = array.tobytes()
        onnx.save(out, folder / "net.onnx")

    return work


def _convert(folder: Path, _: str) -> Callable[[], object]:
    import onnx

    from fixtures.converters.darknet.convert import convert

    return lambda: onnx.save(convert(folder / "net.cfg", folder / "net.weights", OPSET), folder / "net.onnx")


def _stream(folder: Path, _: str) -> Callable[[], object]:
    from fixtures.converters.darknet.writing import convert_to_file

    return lambda: convert_to_file(folder / "net.cfg", folder / "net.weights", OPSET, folder / "net.onnx")


BENCHMARK = Benchmark(
    module="benchmarks.darknet",
    about=__doc__,
    model="yolov3",
    weights="net.weights",
    make=_make,
    ways={"floor": _floor, "convert": _convert, "stream": _stream},
    seconds=1.5,
    peak=2.2,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
