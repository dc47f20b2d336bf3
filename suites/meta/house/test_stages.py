"""The table of stages: what a test may name, and that an error in a name never narrows a suite in silence."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.cases import Selection
from fixtures.plugin.processes import ON_A_GPU
from fixtures.stages import NAMES, STAGES, Stage, order, stage
from reference_models import registry
from suites.meta.places import ROOT

MODELS = registry.models()
CHOSEN = Selection(
    (*MODELS.values(), replace(MODELS["digits"], name="small", dense="digits")), (10, 13), ("rtx1.7",),
    ("fp32", "fp16"),
    explicit_opsets=False, predicted=("trt7.0",), batches=("1", "8"),
)  # fmt: skip


@pytest.mark.parametrize("row", STAGES, ids=NAMES)
def test_every_stage_has_cases(row: Stage) -> None:
    """Each part of a stage has at least one case in a run over everything, and no case twice."""
    two = replace(CHOSEN, tensorrt=("rtx1.6", "rtx1.7"))
    chosen = {
        "migration": replace(two, baseline="rtx1.6"), "migration int8": replace(two, baseline="rtx1.6"),
        "latency-ab": replace(two, ab=two.tensorrt),
        "latency-ab precision": replace(two, ab=("fp32", "fp16")),
    }  # fmt: skip
    for part in row.parts:
        found = list(row.cases(chosen.get(f"{row.name} {part}".strip(), CHOSEN), part))
        assert found
        assert len(set(found)) == len(found)


def test_a_part_that_talks_to_a_tensorrt_is_of_a_stage_that_starts_it() -> None:
    """Which TensorRTs there are is asked of the row's needs, before the cases of any part are made."""
    talking = {row.needs for row in STAGES for part in row.parts if row.needs_tensorrt(part)}
    assert talking == {*ON_A_GPU}


@pytest.mark.parametrize(("name", "near"), [("latncy", "latency"), ("tensorrt_parity", "tensorrt-parity")])
def test_an_unknown_stage_is_named_with_its_neighbours(name: str, near: str) -> None:
    """A misspelt stage is an error that says what was meant."""
    with pytest.raises(LookupError, match=near):
        stage(name)


def test_an_unknown_part_is_an_error() -> None:
    """A part that the stage does not have is named with those that it has."""
    with pytest.raises(LookupError, match=r"no part 'gpu'.*'cpu', 'source-gpu', 'onnxruntime-gpu', 'engine'"):
        stage("latency").axes("gpu")


def test_a_stage_of_another_version_comes_last() -> None:
    """Records of a stage that this version does not have are shown behind all others."""
    assert sorted(["gone", "migration", "convert"], key=order) == ["convert", "migration", "gone"]


PLANTED = """import pytest
from fixtures.cases import Case

@pytest.mark.stage({mark})
def test_planted(case: Case) -> None:
    assert case
"""
CONFTEST = """pytest_plugins = ["fixtures.plugin.run_control"]
from suites.conftest import pytest_configure, pytest_generate_tests
"""


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ('"tensorrt-party"', "there is no stage 'tensorrt-party'; nearest: tensorrt-parity"),
        ('"latency", part="engin"', "no part 'engin'"),
        ('"latency", over=("runtime",)', "unexpected keyword argument 'over'"),
    ],
)
def test_a_wrong_mark_ends_the_run(tmp_path: Path, mark: str, said: str) -> None:
    """A suite whose mark names no stage, no part or an axis is refused at collection."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_planted.py").write_text(PLANTED.format(mark=mark))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "test_planted.py", "--artifacts=a"],
        cwd=tmp_path, env=dict(os.environ, PYTHONPATH=str(ROOT)), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == pytest.ExitCode.INTERRUPTED
    assert said in done.stdout + done.stderr


def test_int8_is_timed_at_one_size() -> None:
    """Of a model with free sizes: a calibrator's step has the size of its samples, and no other."""
    model = replace(MODELS["digits"], profiles={"image": ((1, 1, 4, 4), (1, 1, 8, 8), (1, 1, 16, 16))})
    selection = Selection((model,), (13,), ("trt8.6.0",), ("fp32",))
    timed = {
        part: {case.batch for case in stage("latency").cases(selection, part)} for part in ("engine", "int8")
    }
    assert timed == {"engine": {"1", "sizes"}, "int8": {"1"}}
