"""A run that builds engines ahead has the records of one that does not, from more workers."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

import pytest

from fixtures.runtimes.tensorrt.versions import default_interpreter
from suites.meta.gates.child_runs import Run, run
from suites.meta.run.test_processes import shown
from suites.meta.runtimes.tensorrt.test_build_options import linear

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(default_interpreter() is None, reason=f"{sys.executable} has no TensorRT"),
]
FACTORS = (1.0, 2.0, 3.0, 4.0)


def counted(folder: Path) -> tuple[Path, Path]:
    """Return an interpreter that notes each of its starts, and its notes."""
    notes, script = folder / "starts", folder / "python"
    script.write_text(f'#!/bin/sh\necho started >> {notes}\nexec {shlex.quote(sys.executable)} "$@"\n')
    script.chmod(0o755)
    return script, notes


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Run, int]]:
    """Runs of four models that are converted already, with the number of workers that each has started."""
    folder = tmp_path_factory.mktemp("ahead")
    models = [str(linear(folder / f"net{factor:g}.onnx", factor)) for factor in FACTORS]
    chosen = [f"--model={','.join(models)}", "--opset=13", "--support=none"]
    filled = run(folder / "filled" / "artifacts", "suites/test_convert.py", *chosen)
    assert filled.code == 0, filled.output
    found = {}
    for name, workers in {"0": ["--build-ahead=0"], "2": ["--build-ahead=2"], "n": ["-n", "2"]}.items():
        place = folder / name
        shutil.copytree(folder / "filled" / "artifacts", place / "artifacts")
        interpreter, notes = counted(place)
        words = ("suites/test_build.py", "-k", "test_engine_builds", f"--tensorrt={interpreter}")
        ended = run(place / "artifacts", *words, *chosen, *workers)
        found[name] = ended, len(notes.read_text().splitlines())
    return found


@pytest.mark.parametrize("other", ["2", "n"])
def test_records_are_the_same(other: str, runs: dict[str, tuple[Run, int]]) -> None:
    """Verdicts, messages and what is measured of the engines; built ahead, or in two processes."""
    (without, _), (ahead, _) = runs["0"], runs[other]
    assert (without.code, ahead.code) == (0, 0), ahead.output
    assert len(ahead.records) == len(FACTORS)
    told = [
        sorted(str(shown(record)).replace(f"/{name}/", "/N/") for record in each.records)
        for name, each in (("0", without), (other, ahead))
    ]
    assert told[0] == told[1]


def test_workers_are_started_for_it(runs: dict[str, tuple[Run, int]]) -> None:
    """One that answers the cases, and those that build ahead; none of them where nobody wants it.

    Nor in several processes: the first one has a worker for the start alone, and each of the others one.
    """
    assert [started for _, started in runs.values()] == [1, 3, 3]
