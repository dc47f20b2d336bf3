"""A case ends as its record says, in its words alone; what is no verdict is shown with its traceback."""

from pathlib import Path

import pytest

from suites.meta.gates.child_runs import run

PLUGIN = """
from fixtures.verdicts import StageError
def pytest_runtest_{when}(item):
    raise {error}
"""
PLACE = "planted.py:4"
CALL = ("suites/test_source_gpu.py", "--model=digits", "-k", "fp32", "--require=none", "-p", "planted")


@pytest.mark.parametrize(
    ("when", "error", "verdict", "shown", "traceback"),
    [
        ("setup", "StageError('planted')", "failed", "guilty hop: ", False),
        ("setup", "AssertionError('planted')", "failed", "guilty hop: ", False),
        ("setup", "RuntimeError('planted')", "failed", "RuntimeError: planted", True),
        ("teardown", "StageError('planted')", "not-run", "ERROR at teardown of ", True),
    ],
)
def test_a_planted_error_is_red_and_shown(
    when: str,
    error: str,
    verdict: str,
    shown: str,
    traceback: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the record is closed, too: the record stands, and the run is red."""
    (tmp_path / "planted.py").write_text(PLUGIN.format(when=when, error=error))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ended = run(tmp_path / "artifacts", *CALL)
    assert ended.code == 1, ended.output
    assert ended.the(verdict).stage == "source-gpu"
    assert shown in ended.output
    assert (PLACE in ended.output) == traceback
