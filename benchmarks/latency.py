"""What our device times cost: ``python -m benchmarks.latency [--onnx FILE] [--rounds N]``, with a GPU.

In one process, on one stream and in turn, over one engine and context: `ours` is what the worker times, and
`bare` a loop of TensorRT's own calls between two CUDA events. Held is the median of the ratios of blocks side
by side. Beside it stand a loop whose runs are enqueued without waiting (`back to back`), and our worker as a
user meets it, in a process of its own (`worker`). Needs an interpreter with TensorRT and pycuda.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from fixtures.metrics.resampling import Ratio, ratio_of_pairs
from fixtures.runtimes.tensorrt import worker
from fixtures.runtimes.tensorrt.client import WORKSPACE, TensorRT

GOAL = 1.02
"""Our time is at most so many times that of the bare loop."""
RUNS = 50
"""Of a block of one way."""
SECONDS = 3.0
SIZES = {"small": (2, 8), "medium": (20, 64), "large": (60, 128)}
"""Name -> convolutions and channels of a network on 64 by 64 pixels."""
Times = Mapping[str, Sequence[float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line a way for each network, then the ratio; 0: the goal is met, 1: it is not, 2: no GPU."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("--onnx", type=Path, help="an ONNX file of static shapes, in place of our networks")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args(arguments)
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        files = {options.onnx.stem: options.onnx} if options.onnx else networks(Path(folder))
        for name, file in files.items():
            try:
                seen = measure(file, Path(folder) / f"{name}.engine", options.rounds)
            except worker.OperationError as error:
                print(f"python -m benchmarks.latency: {name}: {error}", file=sys.stderr)
                return 2
            print(f"{name}, {options.rounds} blocks of {RUNS} runs", *map(line, seen.items()), sep="\n")
            ratios.append(ratio_of_pairs(seen["bare"], seen["ours"]))
            print(verdict(ratios[-1]))
    return int(any(ratio.value > GOAL for ratio in ratios))


def verdict(ratio: Ratio) -> str:
    """Hold a ratio against the goal."""
    return f"goal ours over bare at most {GOAL}: {ratio} {'met' if ratio.value <= GOAL else 'MISSED'}"


def line(row: tuple[str, Sequence[float]]) -> str:
    """Say what the blocks of one way measured."""
    way, medians = row
    told = f"median {statistics.median(medians):.4f} ms, least {min(medians):.4f}, most {max(medians):.4f}"
    return f"  {way:<14}{told}"


def networks(folder: Path) -> dict[str, Path]:
    """Write our networks into a folder; return them by name."""
    files = {name: folder / f"{name}.onnx" for name in SIZES}
    for name, file in files.items():
        onnx.save(convolutions(*SIZES[name]), file)
    return files


def convolutions(count: int, channels: int) -> onnx.ModelProto:
    """Make a model of so many convolutions of 3 by 3, each with its activation, on 64 by 64 pixels."""
    draw, nodes, weights = np.random.default_rng(0), [], []
    for number in range(count):
        nodes.append(helper.make_node("Conv", [f"t{number}", f"w{number}"], [f"c{number}"], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"c{number}"], [f"t{number + 1}"]))
        values = draw.standard_normal((channels, channels, 3, 3)).astype(np.float32) / (3 * channels**0.5)
        weights.append(onnx.numpy_helper.from_array(values, f"w{number}"))
    shape = [1, channels, 64, 64]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in ("t0", f"t{count}")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def measure(file: Path, engine: Path, rounds: int) -> dict[str, list[float]]:
    """Return the median of each block of each way, in milliseconds.

    Raise OperationError of the worker where there is no TensorRT or no GPU, and where an engine is refused.
    """
    session = worker.Session()
    try:
        built = session.build(str(file), "tf32", WORKSPACE, str(engine), {}, {}, {})
        if not built["ok"]:
            raise worker.OperationError(f"the {built['stage']} refuses it: {session.errors()}")
        inputs = sample(file)
        seen = measure_in_process(session, str(engine), inputs, rounds)
    finally:
        session.close()
    with TensorRT(sys.executable) as client:
        timed = [client.engine(engine, "tf32").timing(inputs, RUNS).enqueue_ms for _ in range(rounds)]
    return seen | {"worker": [statistics.median(times) for times in timed]}


def measure_in_process(
    session: worker.Session, engine: str, inputs: Mapping[str, np.ndarray], rounds: int
) -> dict[str, list[float]]:
    """Return the medians of blocks of each way in this process; nothing on the device outlives the call."""
    loaded, stream = session.loaded(engine), session.cuda.Stream()
    lane = worker.Lane(session.cuda, loaded, session.place(loaded, inputs))  # keeps the memory
    worker.warm_up(session.cuda, stream, lambda: loaded.enqueue(stream.handle), SECONDS)
    return blocks(ways(session.cuda, lane.loaded, stream), rounds)


def sample(file: Path) -> dict[str, np.ndarray]:
    """Return random inputs of a model, float32, of its shapes."""
    draw, arrays = np.random.default_rng(0), {}
    for value in onnx.load(file).graph.input:
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        arrays[value.name] = draw.standard_normal(shape).astype(np.float32)
    return arrays


def ways(cuda: Any, loaded: Any, stream: Any) -> dict[str, Callable[[], list[float]]]:
    """Return what measures one block, by name; each gives milliseconds."""

    def ours() -> list[float]:
        return worker.samples(cuda, stream, lambda: loaded.enqueue(stream.handle), RUNS, SECONDS)

    def bare() -> list[float]:
        return list(bare_loop(cuda, runner(loaded, stream), stream))

    def back_to_back() -> list[float]:
        run, begin, end = runner(loaded, stream), cuda.Event(), cuda.Event()
        begin.record(stream)
        for _ in range(RUNS):
            run()
        end.record(stream)
        end.synchronize()
        return [float(end.time_since(begin)) / RUNS]

    return {"bare": bare, "ours": ours, "back to back": back_to_back}


def runner(loaded: Any, stream: Any) -> Callable[[], object]:
    """Return TensorRT's own call that enqueues the engine, with nothing of ours in it."""
    context, handle, addresses = loaded.context, stream.handle, loaded.addresses
    if loaded.named:
        return lambda: context.execute_async_v3(handle)
    return lambda: context.execute_async_v2(addresses, handle)


def bare_loop(cuda: Any, run: Callable[[], object], stream: Any) -> Iterator[float]:
    """Yield the milliseconds of each run, as one would write it by hand."""
    begin, end = cuda.Event(), cuda.Event()
    for _ in range(RUNS):
        begin.record(stream)
        run()
        end.record(stream)
        end.synchronize()
        yield float(end.time_since(begin))


def blocks(ways: Mapping[str, Callable[[], list[float]]], rounds: int) -> dict[str, list[float]]:
    """Measure a block of each way in turn, forwards and backwards; return the medians."""
    seen: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in list(ways)[:: 1 if number % 2 == 0 else -1]:
            seen[way].append(statistics.median(ways[way]()))
    return seen


if __name__ == "__main__":
    sys.exit(main())
