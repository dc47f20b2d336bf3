"""The command specimens: what it says without a TensorRT."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.checks import specimen_runs, trtcheck
from fixtures.checks.specimen_runs import Line
from fixtures.commands import specimens
from fixtures.compatibility.specimens import enumerated
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import Build
from fixtures.runtimes.tensorrt.versions import default_interpreter


@pytest.mark.parametrize("share", [[], ["--share", "1/4"]])
def test_a_file_without_lines_is_one_line(
    share: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing measured and no interpreter: file and remedy are named, exit code 1."""
    file = tmp_path / "none.jsonl"
    file.touch()
    assert specimens.main([str(file), *share]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert f"{file}: no lines; measure them: --tensorrt INTERPRETER" in error


def test_the_level_goes_to_the_builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real one, which is asked for a specimen; the words of the call are watched on their way."""
    if default_interpreter() is None:
        pytest.skip("no TensorRT in this interpreter; run `tox run -e meta`")
    levels, build = [], TensorRT.build

    def watched(self: TensorRT, model: Path, **words: Any) -> Build:
        levels.append(words["options"].optimization_level)
        return build(self, model, **words)

    monkeypatch.setattr(TensorRT, "build", watched)
    few = [str(tmp_path / "here.jsonl"), "--tensorrt", sys.executable, "--share", "2/1000"]
    assert specimens.main([*few, "--optimization-level", "1"]) == 0
    assert set(levels) == {1}


@pytest.mark.parametrize("share", ["0/4", "5/4", "1", "a/b"])
def test_a_share_is_one_of_so_many(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Another word is a wrong call."""
    with pytest.raises(SystemExit) as ended:
        specimens.main(["a.jsonl", "--share", share])
    assert ended.value.code == 2
    assert "is not K/N" in capsys.readouterr().err


NAME = "Conv"
LINE = Line(NAME, "0" * 64, "tensorrt", "8.6.0", gpu=True)


def test_lines_are_measured_once_and_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real TensorRT answers for a few specimens; a second call measures nothing anew."""
    if default_interpreter() is None:
        pytest.skip("no TensorRT in this interpreter; run `tox run -e meta`")
    file = tmp_path / "here.jsonl"
    few = [str(file), "--tensorrt", sys.executable, "--share", "2/400", "--optimization-level", "0"]
    assert specimens.main(few) == 0
    first = file.read_text()
    assert specimens.main(few) == 0
    assert file.read_text() == first
    said = capsys.readouterr().out
    assert "precision 1.000" in said
    assert said.count("trtcheck") == (4 if trtcheck.installed() else 0)  # two readings, twice


def test_what_a_run_lacked_is_scored_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal for want of tactics counts once in the score, and not in the one beside it."""
    said_there = "Could not find any implementation for node x"
    line = replace(LINE, name=enumerated()[0].name, stage="builder", problem=said_there)
    file = tmp_path / "few.jsonl"
    file.write_text(json.dumps(asdict(line)) + "\n")
    assert specimens.main([str(file)]) == 0
    said = capsys.readouterr().out
    assert "1 missed" in said
    assert "without what the run lacked (tactics of cuBLAS and cuDNN for 1): precision" in said


def test_a_file_of_another_tensorrt_is_refused() -> None:
    """Lines of one release never pass for those of another."""
    if default_interpreter() is None:
        pytest.skip("no TensorRT in this interpreter; run `tox run -e meta`")
    with (
        TensorRT(sys.executable) as client,
        pytest.raises(ValueError, match=r"are of tensorrt 8\.6\.0: give another file"),
    ):
        list(specimen_runs.measure(client, (), [LINE]))


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (LINE, False), (replace(LINE, l2=1e-3), False), (replace(LINE, l2=0.5), True),
        (replace(LINE, l2=float("nan")), True), (replace(LINE, l2=0.5, stage="parser"), False),
    ],
)  # fmt: skip
def test_what_is_far_from_onnxruntime_is_wrong(line: Line, wrong: bool) -> None:
    """Taken, and a tenth of the norm away, or not a number."""
    assert line.wrong is wrong


@pytest.mark.parametrize(
    ("expected", "actual", "l2"),
    [
        (np.array([1, 2]), np.array([1, 2], np.int32), 0.0),
        (np.zeros(2), np.zeros(3), float("inf")),
        (np.array([3.0, 4.0]), np.array([3.0, 5.0]), 0.2),
        (np.array([np.nan, 4.0]), np.array([np.nan, 4.0]), 0.0),
        (np.array([np.nan, 4.0]), np.array([3.0, 4.0]), float("inf")),
    ],
)
def test_outputs_are_compared_as_numbers(expected: np.ndarray, actual: np.ndarray, l2: float) -> None:
    """Integers of another width are equal; another shape is infinitely far."""
    found = specimen_runs.distance({"y": expected}, {"y": actual})
    assert found["l2"] == pytest.approx(l2)


def test_every_specimen_has_samples() -> None:
    """Inputs can be made for each enumerated specimen, at its usual shape."""
    for specimen in enumerated():
        assert set(specimen_runs.samples_of(specimen)) == {one.name for one in specimen.model.graph.input}
