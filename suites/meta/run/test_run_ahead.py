"""Engines run ahead where there is a GPU: the records are those of a run that does not, whatever is wrong.

The stand-in of TensorRT-RTX computes what ONNX Runtime does, and notes in which process.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from suites.meta.gates.child_runs import Run, pipeline, run
from suites.meta.gates.stand_in import interpreter
from suites.meta.run.test_processes import shown

pytestmark = pytest.mark.slow
if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

CHOSEN = ("--model=digits,lenet", "--opset=13", "--precision=fp32,fp16", "--support=none")
PARITY = ("suites/test_parity.py", "-k", "test_engine_gives")
NOTED = """
import os
def noting(self, feed, compute=running.Plan.inference):
    with open({notes!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    {then}
    return compute(self, feed)
running.Plan.inference = noting
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds what the models need."""
    store = tmp_path_factory.mktemp("made") / "artifacts"
    way = pipeline(store)
    for name in ("digits", "lenet"):
        way.to_fp16(way.onnx_model(name, "torchscript", 13))
        way.samples(name)
    return store


def ended(
    made: Path, folder: Path, *arguments: str, then: str = "pass", wrong: str = "value"
) -> tuple[Run, int]:
    """Run engines of the stand-in; return the run, and how many processes ran some. then: what each does."""
    folder.mkdir()
    planted = NOTED.format(notes=str(folder / "notes"), then=then)
    script = interpreter(folder, wrong=wrong, planted=planted, rtx=True)
    store = Path(shutil.copytree(made, folder / "artifacts"))
    done = run(store, *arguments, *CHOSEN, f"--tensorrt={script}")
    notes = (folder / "notes").read_text().split() if (folder / "notes").exists() else []
    return done, len({*notes})


def told(done: Run, folder: Path) -> list[str]:
    """Return what a run records of its cases, wherever it ran."""
    return [str(shown(record)).replace(str(folder), "") for record in done.records]


WRONG = "value + 1"
CRASH = "os.kill(os.getpid(), 9)"


@pytest.mark.parametrize(
    ("then", "wrong", "verdict"),
    [("pass", "value", "passed"), ("pass", WRONG, "failed"), (CRASH, "value", "crashed")],
)
def test_records_are_the_same(made: Path, tmp_path: Path, then: str, wrong: str, verdict: str) -> None:
    """Of engines that are right, wrong, or end their process; and other processes ran them."""
    (alone, one), (ahead, several) = (
        ended(made, tmp_path / n, *PARITY, f"--build-ahead={n}", then=then, wrong=wrong) for n in "02"
    )
    assert {record.verdict for record in alone.records} == {verdict}, alone.output
    assert len(alone.records) == 4
    assert told(alone, tmp_path / "0") == told(ahead, tmp_path / "2")
    if verdict != "crashed":
        assert one < several
