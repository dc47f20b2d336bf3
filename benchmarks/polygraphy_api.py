"""What `benchmarks.polygraphy` times of Polygraphy: ``python -m benchmarks.polygraphy_api FILE``.

Written as the examples of its Python API are, two runners side by side; it imports nothing of this suite.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Cell:
    """One ONNX file to be built and run, and its samples (.npz).

    reference: the file that ONNX Runtime runs, at full precision; empty for none, without a GPU where another
    cell has it. fp16: ask the builder for it by its flag.
    """

    onnx: str
    reference: str
    inputs: str
    fp16: bool


@dataclass(frozen=True)
class Work:
    """The cells. engines_run: there is a GPU. rtx: the TensorRT is TensorRT-RTX."""

    cells: tuple[Cell, ...]
    engines_run: bool
    rtx: bool


def main(arguments: Sequence[str]) -> int:
    """Do the work of a file (JSON of `Work`); print how many cells agree, where they can be compared."""
    given = json.loads(Path(arguments[0]).read_text())
    cells = [Cell(**cell) for cell in given["cells"]]
    done = [compared(cell) if given["engines_run"] else built(cell) for cell in cells]
    print(f"{sum(done)} of {len(done)} cells agree" if given["engines_run"] else f"{len(done)} cells built")
    return 0


def compared(cell: Cell) -> bool:
    """Run a cell in ONNX Runtime and as an engine; return whether the outputs agree."""
    from polygraphy.backend.onnxrt import OnnxrtRunner, SessionFromOnnx
    from polygraphy.backend.trt import CreateConfig, EngineFromNetwork, NetworkFromOnnxPath, TrtRunner
    from polygraphy.comparator import Comparator

    engine = EngineFromNetwork(NetworkFromOnnxPath(cell.onnx), CreateConfig(fp16=cell.fp16))
    runners = [OnnxrtRunner(SessionFromOnnx(cell.reference)), TrtRunner(engine)]
    return bool(Comparator.compare_accuracy(Comparator.run(runners, data_loader=samples(cell.inputs))))


def built(cell: Cell) -> bool:
    """Build a cell, and run its reference in ONNX Runtime alone."""
    from polygraphy.backend.onnxrt import OnnxrtRunner, SessionFromOnnx
    from polygraphy.backend.trt import CreateConfig, EngineBytesFromNetwork, NetworkFromOnnxPath
    from polygraphy.comparator import Comparator

    EngineBytesFromNetwork(NetworkFromOnnxPath(cell.onnx), CreateConfig(fp16=cell.fp16))()
    if cell.reference:
        runner = OnnxrtRunner(SessionFromOnnx(cell.reference))
        Comparator.run([runner], data_loader=samples(cell.inputs))
    return True


def samples(file: str) -> list[Mapping[str, np.ndarray]]:
    """Return the samples of a file, each as input -> array."""
    found: dict[int, dict[str, np.ndarray]] = {}
    with np.load(file) as arrays:
        for key in arrays.files:
            number, _, name = key.partition("|")
            found.setdefault(int(number), {})[name] = arrays[key]
    return [found[number] for number in sorted(found)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
