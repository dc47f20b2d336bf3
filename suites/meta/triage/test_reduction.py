"""What is written is the smallest model that fails, and the script beside it fails with it and no longer."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from fixtures.metrics.parity import Tensors
from fixtures.store.files import load_tensors
from fixtures.triage.issue import _shown
from fixtures.triage.reproduce import worst
from fixtures.triage.runs import Counter
from fixtures.triage.search import find
from fixtures.triage.subject import Subject
from fixtures.triage.triage import triage
from fixtures.triage.wording import Found, lines
from suites.meta.triage.graphs import Fusing, chain, model, question, spoilt

FILES = {"model.onnx", "inputs.npz", "expected.npz", "reproduce.py", "issue.md", "triage.txt"}


def script(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run what was written, away from this project."""
    command = [sys.executable, "-I", "reproduce.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A triage of a chain with one wrong layer."""
    sound = chain(12)
    about = question(sound, spoilt(sound, ("t4", 1.5)))
    subject = Subject(
        "a chain", "source->ONNX", about, "the sound one", versions={"onnx": "1"}, device={"name": "A"}
    )
    return triage(subject, tmp_path_factory.mktemp("triage") / "out")


def test_one_layer_is_left_of_twelve(written: Found) -> None:
    """The guilty one, with what it was given and what it should give; the file is valid ONNX."""
    assert written.smallest is not None
    assert {path.name for path in written.folder.iterdir()} == FILES
    reduced = onnx.load(written.folder / "model.onnx")
    onnx.checker.check_model(reduced, full_check=True)
    assert [node.op_type for node in reduced.graph.node] == ["MatMul", "Mul"]
    assert set(load_tensors(written.folder / "inputs.npz")) == {"t3"}
    assert set(load_tensors(written.folder / "expected.npz")) == {"t4"}
    assert written.smallest.error == pytest.approx(0.5, rel=1e-3)


def test_the_script_fails_while_the_error_is_there_and_no_longer(written: Found, tmp_path: Path) -> None:
    """It needs nothing of ours; with the right model beside it the exit code is 0."""
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in written.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    ended = script(folder)
    assert ended.returncode == 1, ended.stderr
    assert "t4: relative L2 0.5, allowed 0.0001: WRONG" in ended.stdout
    fixed = onnx.load(folder / "model.onnx")
    fixed.graph.initializer[-1].CopyFrom(helper.make_tensor("t4::by", TensorProto.FLOAT, [], [1.0]))
    onnx.save(fixed, folder / "model.onnx")
    ended = script(folder)
    assert (ended.returncode, "ok" in ended.stdout) == (0, True), ended.stderr


@pytest.mark.parametrize(
    ("expected", "actual", "places"),
    [
        ([1.0] * 7 + [2, 3], [1.0] * 7 + [4, 9], [8, 7]),
        ([1, np.nan, 1, np.inf], [2, np.nan, np.nan, np.inf], [2, 0]),
        ([True, False, True], [True, True, True], [1]),
        ([[1, 2], [3, 4]], [[1, 2], [9, 4]], [2]),
    ],
)
def test_the_worst_values_are_shown(expected: list[float], actual: list[float], places: list[int]) -> None:
    """Not the first ones, which may be equal; NaN on one side is worse than any number."""
    found = worst(np.array(expected), np.array(actual), len(places))
    assert found.tolist() == places


def test_the_script_and_the_report_show_the_worst_values(written: Found) -> None:
    """By their places in the flattened output."""
    assert written.smallest is not None
    right, wrong = (side["t4"].ravel() for side in (written.smallest.expected, written.smallest.actual))
    place = int(np.abs(right - wrong).argmax())
    assert f"worst at [{place} " in script(written.folder).stdout.replace("[ ", "[")
    row = next(
        line for line in (written.folder / "issue.md").read_text().splitlines() if line.startswith("| `t4`")
    )
    assert row.split("|")[3].split()[0] == f"{right[place]:.6g}"
    assert row.split("|")[4].split()[0] == f"{wrong[place]:.6g}"


@pytest.mark.parametrize(
    ("expected", "actual", "shown"),
    [
        ([1.0, 2.5], [1.5, 1.0], ["1 2.5", "1.5 1"]),
        ([0.0843767, 1.0], [0.084376709, 2.0], ["0.0843767 1", "0.084376709 2"]),
        ([float("nan"), 1.0], [0.5, 2.0], ["nan 1", "0.5 2"]),
    ],
)
def test_a_report_shows_as_many_digits_as_tell_values_apart(
    expected: list[float], actual: list[float], shown: list[str]
) -> None:
    """Six are enough for a wrong layer, and nine are all that a float32 has."""
    assert _shown(np.array(expected), np.array(actual)) == shown


def test_a_script_that_cannot_run_says_so_by_another_code(written: Found, tmp_path: Path) -> None:
    """That a model does not run is not the error that it shows."""
    for name in FILES:
        (tmp_path / name).write_bytes((written.folder / name).read_bytes())
    (tmp_path / "model.onnx").write_text("no model")
    ended = script(tmp_path)
    assert ended.returncode == 2
    assert "onnxruntime cannot run it" in ended.stderr


def test_the_report_has_what_a_maintainer_asks_for(written: Found) -> None:
    """Whom it is for, versions, device, model, reproducer, expected and actual."""
    text = (written.folder / "issue.md").read_text()
    for part in ("For trt-parity", "# MatMul, Mul: wrong output at fp32", "python reproduce.py", "- onnx: 1",
                 "device, name: A", "t4 = Mul(t4::sound, t4::by)", "| `t4` | float32 (2, 6) |"):  # fmt: skip
        assert part in text
    assert "t4" in (written.folder / "triage.txt").read_text().splitlines()[0]


def test_neighbours_are_kept_that_the_error_needs(tmp_path: Path) -> None:
    """A runtime that fuses two layers wrongly is shown by these two, out of forty."""
    runtime = Fusing("t20", "t21")
    subject = Subject(
        "fused", "builder", question(chain(40), run=runtime), "ONNX Runtime", counter=Counter(12)
    )
    found = triage(subject, tmp_path)
    assert found.smallest is not None
    assert found.smallest.failing
    assert [node.output[0] for node in found.smallest.model.graph.node] == ["t20", "t21"]
    assert "marking tensors as outputs hides the error" in "\n".join(lines(found))


def test_onnx_runtime_itself_is_told_from_the_converter(tmp_path: Path) -> None:
    """Where onnx's own evaluator gives what the source gives, the model is right and its runtime wrong."""
    sound = chain(8)
    subject = Subject(
        "x", "source->ONNX", question(sound, run=Fusing("t3", "t4")), "the source", counter=Counter(12)
    )
    found = triage(subject, tmp_path)
    assert found.guilty == "ONNX Runtime"
    assert "guilty hop: ONNX Runtime" in "\n".join(lines(found))
    assert "microsoft/onnxruntime" in (tmp_path / "issue.md").read_text()


def test_an_interrupted_triage_leaves_what_it_found(tmp_path: Path) -> None:
    """The layer is known and written before the graph is reduced."""
    sound, asked = chain(8), []

    def interrupted(done: int, most: int) -> None:
        asked.append(done)
        if asked.count(0) == 2:  # the second search begins
            raise KeyboardInterrupt

    about = question(sound, spoilt(sound, ("t2", 1.5)))
    subject = Subject("x", "opset", about, "opset 10", counter=Counter(12, interrupted))
    with pytest.raises(KeyboardInterrupt):
        triage(subject, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["triage.txt"]
    assert "guilty layer: node 'n2'" in (tmp_path / "triage.txt").read_text()


def test_a_reduction_that_shows_nothing_says_so(tmp_path: Path) -> None:
    """The error is there in the whole graph alone: the nearest model is written, and called so."""

    class Whole(Fusing):
        """Wrong where all of the graph is there."""

        def __call__(self, part: onnx.ModelProto, values: Tensors) -> dict[str, np.ndarray]:
            """Run it, wrong or not."""
            whole = len(part.graph.node) == 3 and len(part.graph.output) == 1
            return question(chain(3)).run(spoilt(part, ("t2", 2.0)) if whole else part, values)

    about = question(chain(3), run=Whole("", ""))
    answer = find(about, Counter(12))
    assert (answer.tensor, answer.proof) == ("t2", "cut")
    found = triage(replace(Subject("x", "builder", about, "it"), counter=Counter(12)), tmp_path)
    assert found.smallest is not None
    assert len(found.smallest.model.graph.node) == 3


def test_a_model_of_one_node_can_be_triaged(tmp_path: Path) -> None:
    """Nothing is smaller than that."""
    one = model([helper.make_node("Tanh", ["x"], ["y"], "only")], ["y"])
    found = triage(Subject("x", "opset", question(one, spoilt(one, ("y", 2.0))), "it"), tmp_path)
    assert found.answer.tensor == "y"
