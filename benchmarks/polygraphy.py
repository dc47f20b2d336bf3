"""Our suite beside Polygraphy, on the same models: ``python -m benchmarks.polygraphy [--list NAME]``.

What is timed, whole processes and in turn: `suite`, one run of ``pytest`` as a user starts it; `api`, a
script of Polygraphy's Python API in one process; `command line`, one process of ``polygraphy run`` a model.
All get the same ONNX files and samples, and nothing that is there already: each builds, runs the engine and
ONNX Runtime, and compares. Without a GPU no engine runs: building and ONNX Runtime alone are timed, and that
is said. Needs ``pip install --group benchmarks``, a TensorRT in this interpreter, and an artifact store with
the ONNX models, or what converts them (``tox run -e convert``).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import product
from pathlib import Path

from benchmarks.polygraphy_api import Cell, Work
from fixtures import records
from fixtures.pipeline.outputs import flattened
from fixtures.pipeline.pipeline import Pipeline
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import Identity
from fixtures.store.files import save_tensors
from fixtures.store.shared import open_store
from fixtures.verdicts import StageError
from reference_models import registry

ROOT = Path(__file__).resolve().parents[1]
GOAL = 0.5
"""The suite takes at most so many times what Polygraphy's API takes, where engines run."""
MADE_ANEW = ("entries/builds", "entries/onnxruntime-outputs", "engines", "timing")
"""What each run of the suite has to make for itself, of a store."""
COMMAND = (sys.executable, "-c", "import sys; from polygraphy.tools import main; sys.exit(main())")
SUITE, API, COMMAND_LINE = "suite", "api", "command line"


@dataclass(frozen=True)
class List:
    """Models, opsets, precisions and batches of the cells to be timed. without: words of those left out."""

    models: tuple[str, ...]
    opsets: tuple[int, ...]
    precisions: tuple[str, ...] = ("fp32",)
    batches: tuple[str, ...] = ("1",)
    without: tuple[tuple[str, int], ...] = ()

    def __iter__(self) -> Iterator[tuple[str, int, str, str]]:
        """Yield model, opset, precision and batch of each cell."""
        for model, opset in product(self.models, self.opsets):
            if (model, opset) not in self.without:
                yield from ((model, opset, p, b) for p in self.precisions for b in self.batches)


LISTS = {
    "opsets": List(
        ("digits", "lenet", "gender-age", "yolov5n"),
        (11, 12, 13, 17),
        without=(("yolov5n", 11), ("yolov5n", 12)),
    ),
    "batches": List(
        ("digits", "lenet", "gender-age", "yolov5n", "yolov3-tiny"), (13,), ("fp32", "fp16"), ("1", "8")
    ),
    "digits": List(("digits",), (13,)),
}
"""The last one is to try it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print each way's seconds and the ratios; 0: the goal is met or there is none, 1: missed, 2: not run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.polygraphy", description=__doc__)
    parser.add_argument("--list", choices=LISTS, action="append", help="opsets and batches when not given")
    parser.add_argument("--rounds", type=int, default=3, help="of each way in turn, after one that warms up")
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="artifact store")
    parser.add_argument("--processes", type=int, default=0, help="of the suite: -n of pytest")
    parser.add_argument("--no-command-line", action="store_true", help="time the suite and the API alone")
    options = parser.parse_args(arguments)
    if find_spec("polygraphy") is None:
        print("python -m benchmarks.polygraphy: pip install --group benchmarks brings it", file=sys.stderr)
        return 2
    met = True
    for name in options.list or ("opsets", "batches"):
        with tempfile.TemporaryDirectory() as folder:
            try:
                bench = prepared(LISTS[name], options.artifacts.resolve(), Path(folder), options.processes)
            except StageError as error:
                print(f"python -m benchmarks.polygraphy: {error}", file=sys.stderr)
                return 2
            ways = [SUITE, API] if options.no_command_line else [SUITE, API, COMMAND_LINE]
            print(f"list {name}: {bench.told()}", flush=True)
            seen, engines_run = bench.rounds(ways, options.rounds), bench.work.engines_run
        print(*told(seen), *verdicts(seen, engines_run), sep="\n", flush=True)
        met = met and not missed(seen, engines_run)
    return 0 if met else 1


def prepared(cells: List, store: Path, folder: Path, processes: int = 0) -> Bench:
    """Return a benchmark of a list, all ONNX models and samples being there. Raise StageError."""
    rows = {row.name: row for row in registry.choose(",".join(cells.models))}
    pipeline = Pipeline(open_store(store), rows)
    with TensorRT(sys.executable) as client:
        written = tuple(
            _cell(pipeline, client, cell, folder / f"{number}.npz") for number, cell in enumerate(cells)
        )
        identity = client.identity
    work = Work(written, identity.device is not None, identity.flavour == "tensorrt-rtx")
    return Bench(cells, work, identity, store, folder, processes)


def _cell(pipeline: Pipeline, client: TensorRT, cell: tuple[str, int, str, str], inputs: Path) -> Cell:
    """Make the ONNX model and the samples of a cell, as the suite has them."""
    name, opset, precision, batch = cell
    model = pipeline.onnx_model(name, pipeline.models[name].converters[0], opset, batch)
    built = pipeline.engine_build(client, model, precision).model
    save_tensors(inputs, flattened(pipeline.samples(name, batch).inputs))
    flag = precision == "fp16" and client.identity.fp16 == "flag"
    compared = client.identity.device is not None or precision == "fp32"
    return Cell(str(built.path), str(model.path) if compared else "", str(inputs), flag)


@dataclass(frozen=True)
class Bench:
    """One list. store: has the ONNX models; folder: for what runs write; processes: of the suite, 0: one."""

    cells: List
    work: Work
    identity: Identity
    store: Path
    folder: Path
    processes: int = 0

    def told(self) -> str:
        """Say what is timed, and what not."""
        which = f"{len(self.work.cells)} cells, {self.identity.flavour} {self.identity.version}"
        if self.identity.device:
            return f"{which}, {self.identity.device.name}: building, running, ONNX Runtime, comparing"
        return (
            f"{which}, no GPU: building and ONNX Runtime. LEFT OUT: running the engines and comparing their "
            "outputs; the suite holds ONNX Runtime against the source framework instead, Polygraphy nothing"
        )

    def rounds(self, ways: Sequence[str], rounds: int) -> dict[str, list[float]]:
        """Return the seconds of each way in each round, forwards and backwards; the first one warms up."""
        run: dict[str, Callable[[Path], None]]
        run = {SUITE: self.suite, API: self.api, COMMAND_LINE: self.command_line}
        seen: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(rounds + 1):
            for way in list(ways)[:: 1 if number % 2 else -1]:
                with tempfile.TemporaryDirectory(dir=self.folder) as place:
                    if way == SUITE:
                        fresh_store(self.store, Path(place) / "artifacts")
                    begin = time.perf_counter()
                    run[way](Path(place))
                    seconds = time.perf_counter() - begin
                print(
                    f"  {'warm-up' if number == 0 else f'round {number}'}, {way}: {seconds:.2f} s", flush=True
                )
                seen[way] += [seconds] if number else []
        return seen

    def suite(self, place: Path) -> None:
        """Run the suite as a user does. Raise RuntimeError where not every cell passed."""
        done = self.run([sys.executable, "-m", "pytest", *self.words(place)], ROOT)
        found = [each for file in (place / "records").glob("*.jsonl") for each in records.read(file)]
        in_onnxruntime = 0 if self.work.engines_run else sum(bool(cell.reference) for cell in self.work.cells)
        wanted = len(self.work.cells) + in_onnxruntime
        passed = [record for record in found if record.verdict == "passed"]
        if done.returncode or len(passed) != wanted or len(found) != wanted:
            raise RuntimeError(f"{len(passed)} of {wanted} cells passed: {done.stdout[-3000:]}{done.stderr}")
        print(*(f"    {line}" for line in done.stdout.splitlines() if line.startswith(SHARES)), sep="\n")

    def words(self, place: Path) -> list[str]:
        """Return what pytest is told: the tests, the cells, and where it writes."""
        cells, tests = self.cells, ["test_engine_gives_the_onnxruntime_outputs"]
        if not self.work.engines_run:
            tests = ["test_engine_builds", "test_onnxruntime_gives_the_source_outputs"]
        others = [f"({name} and opset{opset})" for name, opset in cells.without]
        wanted = f"({' or '.join(tests)}) and not ({' or '.join(['dynamo', *others])})"
        chosen = {
            "--model": cells.models, "--opset": cells.opsets,
            "--precision": cells.precisions, "--batch": cells.batches,
        }  # fmt: skip
        return [
            "suites", "-q", "-p", "no:cacheprovider", "--support=none", f"-k={wanted}",
            *(f"{option}={','.join(map(str, values))}" for option, values in chosen.items()),
            f"--tensorrt={sys.executable}", f"--artifacts={place / 'artifacts'}",
            f"--records={place / 'records'}",
            *(["-n", str(self.processes), "--maxschedchunk=1"] if self.processes else []),
        ]  # fmt: skip

    def api(self, place: Path) -> None:
        """Run Polygraphy's Python API over all cells in one process."""
        cells = place / "cells.json"
        cells.write_text(json.dumps(asdict(self.work)))
        done = self.run([sys.executable, "-m", "benchmarks.polygraphy_api", str(cells)], ROOT)
        if done.returncode:
            raise RuntimeError(f"Polygraphy's API: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def command_line(self, place: Path) -> None:
        """Run ``polygraphy run`` for each cell; without a GPU, ``convert`` and ``run``."""
        for cell in self.work.cells:
            for words in self.commands(cell, place):
                done = self.run([*COMMAND, *words], place)
                if done.returncode and "Accuracy Summary" not in done.stdout:  # 1: outputs differ
                    raise RuntimeError(f"polygraphy {words}: {done.stdout[-2000:]}{done.stderr[-2000:]}")

    def commands(self, cell: Cell, place: Path) -> list[list[str]]:
        """Return the commands of one cell."""
        script = place / "inputs.py"
        script.write_text(LOADER.format(file=cell.inputs))
        flags = ["--fp16"] * cell.fp16
        run = ["run", cell.onnx, "--onnxrt", "--data-loader-script", str(script)]
        if self.work.engines_run:
            return [[*run, "--trt", *flags]]
        build = ["convert", cell.onnx, "--convert-to=trt", f"--output={place / 'engine'}", *flags]
        return [build, run] if cell.reference else [build]

    def run(self, command: Sequence[str], place: Path) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, Polygraphy being told which TensorRT there is."""
        path = [str(alias(self.folder)), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        told = {"POLYGRAPHY_USE_TENSORRT_RTX": str(int(self.work.rtx)), "PYTHONPATH": os.pathsep.join(path)}
        env = {**os.environ, **told}
        return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False)


SHARES = ("time: ", "of it ", "the suite itself")  # lines in which a run says where its time went
LOADER = """
# a script that `polygraphy run` takes its inputs from
from benchmarks.polygraphy_api import samples


def load_data():
    return samples({file!r})
"""


def alias(folder: Path) -> Path:
    """Return a folder with a package `tensorrt_rtx`, which Polygraphy imports; empty where there is one."""
    (place := folder / "alias").mkdir(exist_ok=True)
    if find_spec("tensorrt_rtx") is None and find_spec("tensorrt_rtx_bindings") is not None:
        text = "from tensorrt_rtx_bindings import *\nfrom tensorrt_rtx_bindings import __version__\n"
        (place / "tensorrt_rtx.py").write_text(text)
    return place


def fresh_store(store: Path, target: Path) -> None:
    """Copy a store without what each run has to make, by links where the disk has them."""
    left_out = {store / name for name in MADE_ANEW}

    def ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if Path(folder, name) in left_out]

    def copy(source: str, place: str) -> None:
        try:
            os.link(source, place)
        except OSError:
            shutil.copy2(source, place)

    shutil.copytree(store, target, ignore=ignored, copy_function=copy)


def told(seen: Mapping[str, Sequence[float]]) -> Iterator[str]:
    """Yield a line for each way."""
    for way, seconds in seen.items():
        spread = f"least {min(seconds):.2f}, most {max(seconds):.2f}, {len(seconds)} rounds"
        yield f"  {way:<13}median {statistics.median(seconds):.2f} s, {spread}"


def ratios(seen: Mapping[str, Sequence[float]], other: str) -> list[float]:
    """Return the suite's seconds over another way's, round by round."""
    return [ours / theirs for ours, theirs in zip(seen[SUITE], seen[other], strict=True)]


def missed(seen: Mapping[str, Sequence[float]], engines_run: bool) -> bool:
    """Say whether the goal is missed, where there is one."""
    return engines_run and statistics.median(ratios(seen, API)) > GOAL


def verdicts(seen: Mapping[str, Sequence[float]], engines_run: bool) -> Iterator[str]:
    """Yield the suite over each other way, and whether the goal is met, where engines run."""
    for other in (way for way in seen if way != SUITE):
        each = ratios(seen, other)
        line = f"suite over {other}: {statistics.median(each):.2f} times, {min(each):.2f} to {max(each):.2f}"
        if other == API and engines_run:
            line += f"; goal at most {GOAL}: {'MISSED' if missed(seen, engines_run) else 'met'}"
        yield line


if __name__ == "__main__":
    sys.exit(main())
