"""Whether a prune pays: ``python -m benchmarks.pruned_latency``, dense and pruned timed in turn.

Without files a Darknet network of the zoo, whose weights are seeded, or with ``--darknet`` one with weights
of its own, is pruned at each rounding of its channels; ``--onnx DENSE PRUNED ...`` holds each file against
the first. In ONNX Runtime on the CPU, or with ``--engines`` by the TensorRT of this interpreter; one that
takes types from the graph gets the typed fp16 form of each file. A prune pays where the whole interval of its
time over the dense network's is below 1. Exit code 0 where each does, 1 where one does not, 2 where nothing
is measured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx

from benchmarks import lines
from benchmarks.latency import sample
from benchmarks.pruning import written
from fixtures.converters.darknet.convert import convert
from fixtures.metrics.alternation import PAIRS, Compared, alternated, compared, sure
from fixtures.pruning.costs import of_onnx
from fixtures.pruning.darknet.files import Source, planned, write_pruned
from fixtures.pruning.plan import Settings
from fixtures.quantization import fp16
from fixtures.runtimes.base import Tensors, stopwatch
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.engine import Engine
from fixtures.verdicts import StageError
from reference_models.darknet.zoo.catalog import ZOO

ROUNDINGS = (1, 8, 16, 32)
PRECISIONS = ("fp32", "tf32", "fp16")
RUNS, WARM_SECONDS = 20, 3.0
"""Runs of a block; how long an engine is warmed up at most."""
OPSET = 13
HEAD = f"{'pruned':<14}{'parameters':>12}{'MFLOPs':>10}{'dense ms':>11}{'pruned ms':>11}  pruned over dense"
Block = Callable[[], Sequence[float]]
"""Times a network some times: milliseconds of each run."""
Timed = Callable[[Path, Tensors], Block]
"""Makes such a block of an ONNX file and a sample."""


@dataclass(frozen=True)
class Row:
    """A pruned network: parameters and FLOPs of its graph, and its times beside the dense one's."""

    name: str
    parameters: int
    flops: int
    times: Compared

    @property
    def pays(self) -> bool:
        """Whether it is surely faster: how much the ratios scatter is in their interval."""
        return self.times.ratio.high < 1

    def __str__(self) -> str:
        cost = f"{self.parameters:>12,}{self.flops / 1e6:>10.1f}{self.times.a:>11.3f}{self.times.b:>11.3f}"
        verdict = "pays" if self.pays else f"DOES NOT PAY ({sure(self.times.ratio)})"
        restless = "".join(f"; unstable: {reason}" for reason in self.times.restless)
        return f"{self.name:<14}{cost}  {self.times.ratio}: {verdict}{restless}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each pruned network."""
    options = _parser().parse_args(arguments)
    rows = []
    try:
        with TemporaryDirectory() as folder, TensorRT(sys.executable) as client, client.another() as other:
            dense, *pruned = options.onnx or networks(options, Path(folder))
            sessions = processor if options.processor else partial(session, options.threads)
            timed = engines((client, other), options, Path(folder)) if options.engines else sessions
            print(HEAD)
            for file in pruned:
                cost = of_onnx(onnx.load(file))
                rows.append(
                    Row(file.stem, cost.parameters, cost.flops, in_turn(dense, file, timed, options.pairs))
                )
                print(rows[-1], flush=True)
                lines.append(options.lines, rows[-1])
    except (OSError, StageError, ValueError) as error:
        print(f"python -m benchmarks.pruned_latency: {error}", file=sys.stderr)
        return 2
    return int(not all(row.pays for row in rows))


def in_turn(dense: Path, pruned: Path, timed: Timed, pairs: int = PAIRS) -> Compared:
    """Time two ONNX files in turn, on one sample; A is the dense one. Raise ValueError for other inputs."""
    draws, own = sample(dense), sample(pruned)
    shapes = [{name: array.shape for name, array in each.items()} for each in (draws, own)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{pruned}: it has inputs {shapes[1]}, the dense network {shapes[0]}: no prune of it"
        )
    return compared(list(alternated(timed(dense, draws), timed(pruned, draws), pairs)))


def session(threads: int, file: Path, draws: Tensors) -> Block:
    """Return what times a file in ONNX Runtime on the CPU."""
    return partial(OnnxRuntime(file, threads).time, draws, RUNS)


def processor(file: Path, draws: Tensors) -> Block:
    """Return what times a file there by the seconds of the one thread that it runs on."""
    runtime = OnnxRuntime(file, threads=1)
    return lambda: stopwatch(lambda: runtime.run([draws]), RUNS, time.thread_time)


def engines(clients: tuple[TensorRT, TensorRT], options: argparse.Namespace, folder: Path) -> Timed:
    """Return what makes blocks of engines: the first file's in the first worker, others' in the second.

    A worker holds one engine: of two that it ran in turn it would load each anew for each block.
    """
    blocks: dict[Path, Block] = {}

    def timed(file: Path, draws: Tensors) -> Block:
        if file not in blocks:
            client, path = clients[bool(blocks)], folder / f"{len(blocks)}.engine"
            blocks[file] = engine(client, options, path, file, draws)
        return blocks[file]

    return timed


def engine(client: TensorRT, options: argparse.Namespace, path: Path, file: Path, draws: Tensors) -> Block:
    """Build a file, warm it up, and return what times it. Raise StageError where there is no engine."""
    model = file
    if options.precision == "fp16" and client.identity.fp16 == "typed":
        model = path.with_suffix(".onnx")
        fp16.convert(file, model)
    built = client.build(model, precision=options.precision, engine=path)
    if not built.ok:
        raise StageError(f"{file}: the {built.stage} refuses it: {built.problem}", built.stage)
    made = client.engine(path, options.precision)
    made.warm(draws, WARM_SECONDS)
    return partial(_block, made, draws, graphs=options.graphs)


def _block(made: Engine, draws: Tensors, *, graphs: bool) -> Sequence[float]:
    timing = made.timing(draws, RUNS)
    if graphs and not timing.graph_ms:
        raise StageError(f"an engine runs in no CUDA graph: {timing.graph_reason}; leave --graphs out")
    return timing.graph_ms if graphs and timing.graph_ms else timing.enqueue_ms


def networks(options: argparse.Namespace, folder: Path) -> Iterator[Path]:
    """Write the ONNX files of a Darknet network: dense, then pruned to each rounding."""
    source = Source(*options.darknet) if options.darknet else written(options.name, options.size, folder)
    yield _converted(source, folder / "dense.onnx", options.batch)
    for multiple in options.round:
        plan = planned(source, Settings(options.ratio, multiple=multiple))
        small = Source(folder / "small.cfg", folder / "small.weights")
        write_pruned(source, plan, small.cfg, small.weights)
        yield _converted(small, folder / f"round-{multiple}.onnx", options.batch)


def _converted(source: Source, file: Path, batch: int) -> Path:
    onnx.save(convert(source.cfg, source.weights, OPSET, batch=batch), file)
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pruned_latency", description=__doc__)
    add = parser.add_argument
    add("--onnx", type=Path, nargs="+", metavar="FILE", help="the dense network, then pruned ones")
    add("--name", choices=ZOO, default="yolov3-tiny", help="default: %(default)s")
    add("--darknet", type=Path, nargs=2, metavar=("CFG", "WEIGHTS"), help="in place of --name and --size")
    add("--size", type=int, default=416, help="side of its input; default: %(default)s")
    add("--batch", type=int, default=1, help="of its input; default: %(default)s")
    add("--ratio", type=float, default=0.5, help="part of its channels that goes; default: %(default)s")
    add("--round", type=int, nargs="+", default=ROUNDINGS, help="default: 1 8 16 32")
    add("--pairs", type=int, default=PAIRS, help="of blocks; default: %(default)s")
    add("--threads", type=int, default=1, help="of ONNX Runtime, 0 for one a core; default: %(default)s")
    add("--lines", type=Path, metavar="FILE", help="append a JSON line for each pruned network to this file")
    add(
        "--processor", action="store_true",
        help="seconds of the one thread of ONNX Runtime in place of the wall's: where others use the machine",
    )  # fmt: skip
    add("--engines", action="store_true", help="of TensorRT, in place of ONNX Runtime")
    add("--graphs", action="store_true", help="time engines as CUDA graphs: no launch waits for the CPU")
    add("--precision", choices=PRECISIONS, default=PRECISIONS[0], help="of engines; default: %(default)s")
    return parser


if __name__ == "__main__":
    sys.exit(main())
