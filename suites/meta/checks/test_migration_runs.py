"""Runs with ``--migrate``: one real TensorRT under two version numbers, with errors planted into one."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fixtures.runtimes.tensorrt.versions import default_interpreter
from suites.meta.gates import disguises
from suites.meta.gates.child_runs import Run, pipeline, run
from suites.meta.places import ROOT

REFUSAL = """
class Error:
    node, node_name, node_operator = (lambda s: 3), (lambda s: "planted"), (lambda s: "Conv")
    code, desc = (lambda s: "UNSUPPORTED_NODE"), (lambda s: "planted refusal")
class Parser(trt.OnnxParser):
    num_errors = 1
    parse_from_file, get_error = (lambda s, path: False), (lambda s, number: Error())
trt.OnnxParser = Parser
"""
NO_ENGINE = """
class Builder(trt.Builder):
    def build_serialized_network(self, network, config):
        return None
trt.Builder = Builder
"""
CRASH = "import os\ntrt.OnnxParser = lambda network, logger: os.abort()\n"
MIGRATION = ("suites/test_migration.py::test_the_model_migrates", "--model=digits", "--opset=13")
Disguise = Callable[..., str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the digits model at opset 13."""
    pytest.importorskip("torch")
    store = tmp_path_factory.mktemp("made") / "artifacts"
    pipeline(store).onnx_model("digits", "torchscript", 13)
    return store


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """A copy of the store."""
    return Path(shutil.copytree(made, tmp_path / "artifacts"))


@pytest.fixture
def disguise(tmp_path: Path) -> Disguise:
    """Make an interpreter whose TensorRT has a given version and goes wrong as planted."""
    if default_interpreter() is None:
        pytest.skip("no TensorRT in this interpreter; run `tox run -e meta`")
    return partial(disguises.disguise, tmp_path)


@pytest.mark.parametrize(
    ("before", "after", "code", "verdict", "named"),
    [
        ("", "", 0, "passed", []),
        (NO_ENGINE, "", 0, "passed", []),
        (REFUSAL, REFUSAL, 0, "unsupported", ["rtx0.1 refused: node planted (Conv, number 3)"]),
        ("", REFUSAL, 1, "failed", ["guilty hop: parser", "rtx0.1 builds; rtx0.2 refused: node planted"]),
        ("", NO_ENGINE, 1, "failed", ["guilty hop: builder", "rtx0.2 refused: TensorRT gave no reason"]),
        ("", CRASH, 1, "crashed", ["rtx0.1 builds; rtx0.2 crashed", "SIGABRT"]),
    ],
    ids=["same", "gained", "neither", "parser", "builder", "crash"],
)
def test_a_lost_model_fails_the_run(
    before: str, after: str, code: int, verdict: str, named: list[str], store: Path, disguise: Disguise
) -> None:
    """What the second version does not take any more is red and named; a gain and a draw are green."""
    ended = run(store, *MIGRATION, "--migrate", disguise("0.1", before), disguise("0.2", after))
    assert ended.code == code, ended.output
    one = ended.the(verdict)
    assert all(part in one.message for part in named), one.message
    assert (one.baseline["version"], one.tensorrt["version"]) == ("0.1", "0.2")
    assert (one.baseline["before"] == "refused") == bool(before)
    assert f"-> {one.tensorrt['flavour'].removeprefix('tensorrt-')} 0.2: 1 {verdict}" in ended.output
    assert f"gained: {int(before == NO_ENGINE)}" in ended.output


def test_the_rerun_command_migrates_the_same_way(store: Path, disguise: Disguise) -> None:
    """The command of a record names both interpreters, in their order."""
    interpreters = [disguise("0.2"), disguise("0.1")]
    one = run(store, *MIGRATION, "--migrate", *interpreters).the("passed")
    assert one.rerun.endswith(" ".join(["--migrate", *interpreters]))
    assert "[digits-torchscript-opset13-rtx0.2-to-rtx0.1-fp32]" in one.rerun


def test_a_known_loss_is_xfailed(store: Path, disguise: Disguise, tmp_path: Path) -> None:
    """A row with the label of the version before makes a loss expected."""
    folder = Path(shutil.copytree(ROOT / "suites" / "expectations", tmp_path / "expectations"))
    (folder / "known_failures.toml").write_text(
        "[[known_failure]]\nstage='migration'\nbaseline='rtx0.1'\nmessage='planted refusal'\n"
        "reason='is so'\nlink='x'\n"
    )
    pair = disguise("0.1"), disguise("0.2", REFUSAL)
    ended = run(store, *MIGRATION, f"--expectations={folder}", "--migrate", *pair)
    assert (ended.code, ended.the("xfailed").stage) == (0, "migration"), ended.output


def test_a_migration_that_migrated_nothing_fails(
    tmp_path: Path, disguise: Disguise, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the ONNX model and the framework that makes it the stage is not run, and the run is red."""
    pair = disguise("0.1"), disguise("0.2")
    (tmp_path / "without_torch.py").write_text("import sys\nsys.modules['torch'] = None\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ended = run(tmp_path / "artifacts", *MIGRATION, "-p", "without_torch", "--migrate", *pair)
    assert (ended.code, ended.the("not-run").stage) == (1, "migration"), ended.output
    assert "--require: stage migration executed nothing" in ended.output


def usage(store: Path, *arguments: str) -> Run:
    """A run that ends before anything is collected."""
    ended = run(store, *MIGRATION, *arguments)
    assert (ended.code, ended.records) == (4, []), ended.output
    assert "Traceback" not in ended.output
    return ended


def test_both_options_are_too_many(tmp_path: Path, disguise: Disguise) -> None:
    """``--tensorrt`` beside ``--migrate`` is refused."""
    one = disguise("0.1")
    ended = usage(tmp_path / "artifacts", f"--tensorrt={one}", "--migrate", one, one)
    assert "--migrate names both versions of the run: leave --tensorrt out" in ended.output


def test_one_version_twice_is_no_migration(tmp_path: Path, disguise: Disguise) -> None:
    """Two interpreters of the same version are refused."""
    one = disguise("0.1")
    assert "rtx0.1 is given twice" in usage(tmp_path / "artifacts", "--migrate", one, one).output


def test_a_missing_interpreter_is_named(tmp_path: Path, disguise: Disguise) -> None:
    """The message names the option that was used."""
    ended = usage(tmp_path / "artifacts", "--migrate", "nowhere/python", disguise("0.1"))
    assert "--migrate nowhere/python: no such interpreter" in ended.output
