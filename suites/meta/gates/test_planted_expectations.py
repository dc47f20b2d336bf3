"""Rows that would hide an error end a run at its start, with one clear line and pytest's usage code."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from suites.meta.expectations.folders import row
from suites.meta.gates.child_runs import Run, run
from suites.meta.networks import user_models
from suites.meta.places import EXPECTATIONS

pytestmark = pytest.mark.slow
MODELS = """[model.detector]
framework = "pytorch"
factory = "nets.py:small"
inputs = { image = [1, 3, 8, 8] }

"""
EVERYTHING = row("known_failure", model="*e*", sometimes="always")


def line(ended: Run, named: str) -> str:
    """Return the one line of a refused run that names something."""
    assert (ended.code, ended.records) == (pytest.ExitCode.USAGE_ERROR, []), ended.output
    assert "Traceback" not in ended.output
    assert "INTERNALERROR" not in ended.output
    (found,) = [text for text in ended.output.splitlines() if named in text]
    return found


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("tolerances", "[tolerance]\nrtol = 1\n", "write [[tolerance]], in two brackets"),
        ("tolerances", row("tolerance", relative_l2=float("inf")), "relative_l2 is inf, expected"),
        ("tolerances", row("tolerance", model="yolov3tiny"), "fits no case; did you mean yolov3-tiny"),
        ("known_failures", row("known_failure", message=None), "message is missing"),
        ("known_failures", EVERYTHING, "known_failures.toml row 1"),
    ],
)
def test_a_wrong_row_of_the_suite_ends_the_run(file: str, text: str, said: str, tmp_path: Path) -> None:
    """File and row are named, whatever the run selects."""
    folder = Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))
    (folder / f"{file}.toml").write_text(text)
    arguments = ("suites/test_convert.py", "--collect-only", f"--expectations={folder}")
    assert said in line(run(tmp_path / "artifacts", *arguments, "--model=digits"), f"{file}.toml")


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "several"])
def test_a_wrong_row_ends_the_run_before_its_first_case(processes: Sequence[str], tmp_path: Path) -> None:
    """Rows are held against cases before a case runs, or a process is started that would run it."""
    folder = Path(shutil.copytree(EXPECTATIONS, tmp_path / "expectations"))
    (folder / "tolerances.toml").write_text(row("tolerance", model="yolov3tiny"))
    chosen = ("suites/test_convert.py", f"--expectations={folder}", "--model=digits", *processes)
    ended = run(tmp_path / "artifacts", *chosen)
    assert "fits no case; did you mean yolov3-tiny" in line(ended, "tolerances.toml")
    assert "1 passed" not in ended.output
    assert not (tmp_path / "artifacts" / "entries").exists()


def test_a_row_for_a_model_that_the_file_has_not_ends_the_run(tmp_path: Path) -> None:
    """A misspelt name in models.toml is answered with the nearest one."""
    user_models.write(tmp_path)
    file = tmp_path / "models.toml"
    file.write_text(MODELS + row("tolerance", model="detektor"))
    ended = run(tmp_path / "artifacts", "suites/test_convert.py", "--collect-only", f"--model={file}")
    assert "model = 'detektor' fits no case; did you mean detector?" in line(ended, "models.toml tolerance 1")
