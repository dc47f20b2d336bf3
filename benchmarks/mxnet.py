"""What converting a big MXNet network costs: ``python -m benchmarks.mxnet [--model NAME] [--rounds N]``.

Three ways from the same files, which MXNet writes: `floor` maps the parameters, multiplies those of
convolutions by one number, as folding does, and calls onnx.save; `convert` is the function that gives a
ModelProto, then onnx.save; `stream` is what the command does. How it is measured: `conversion`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.conversion import Benchmark, main

OPSET = 13
SYMBOL, PARAMS = "net-symbol.json", "net-0000.params"


def _make(folder: Path, model: str) -> Callable[[], object]:
    from reference_models.mxnet import process

    def work() -> None:
        process.run("reference_models.mxnet.zoo", model, "--output", str(folder))
        for name in (SYMBOL, PARAMS):
            (folder / name.replace("net", model, 1)).rename(folder / name)

    return work


def _floor(folder: Path, _: str) -> Callable[[], object]:
    """NumPy and onnx alone, and the reader that maps the file."""
    import numpy as np
    import onnx

    from fixtures.converters.mxnet import params

    def work() -> None:
        out = onnx.ModelProto()
        for name, array in params.read(folder / PARAMS).all.items():
            tensor = out.graph.initializer.add(name=name, dims=array.shape, data_type=1)
            tensor.raw_data = (array * np.float32(1.5) if array.ndim == 4 else array).tobytes()
        onnx.save(out, folder / "net.onnx")

    return work


def _convert(folder: Path, model: str) -> Callable[[], object]:
    import onnx

    from fixtures.converters.mxnet.convert import convert

    shapes = _shapes(model)
    return lambda: onnx.save(convert(folder / SYMBOL, folder / PARAMS, shapes, OPSET), folder / "net.onnx")


def _stream(folder: Path, model: str) -> Callable[[], object]:
    from fixtures.converters.mxnet.writing import convert_to_file

    shapes = _shapes(model)
    return lambda: convert_to_file(folder / SYMBOL, folder / PARAMS, shapes, OPSET, folder / "net.onnx")


def _shapes(model: str) -> dict[str, tuple[int, ...]]:
    from reference_models.mxnet.zoo.catalog import ZOO

    return {"data": (1, 3, ZOO[model].side, ZOO[model].side)}


BENCHMARK = Benchmark(
    module="benchmarks.mxnet",
    about=__doc__,
    model="arcface-r50",
    weights=PARAMS,
    make=_make,
    ways={"floor": _floor, "convert": _convert, "stream": _stream},
    seconds=1.5,
    peak=2.5,
)


if __name__ == "__main__":
    sys.exit(main(BENCHMARK))
