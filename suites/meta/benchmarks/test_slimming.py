"""The slimming experiment: its goals trip on what misses them, and its steps are the user's commands."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.slimming import Row, main, verdicts

DENSE = Row("dense", 1000, 2000, 70.0, 95.0)
TUNED = Row("tuned", 490, 1190, 69.1, 94.0)


def test_goals_that_are_met_are_called_met() -> None:
    """Half of the parameters, two fifths of the operations, less than a point."""
    assert [line.rpartition(": ")[2] for line in verdicts(DENSE, TUNED)] == ["met"] * 3


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"parameters": 501}, "parameters removed: 49.9%, at least 50%: MISSED"),
        ({"flops": 1201}, "operations removed: 39.9%, at least 40%: MISSED"),
        ({"map": 68.9}, "mAP50-95 lost: 1.10 points, at most 1.0: MISSED"),
    ],
)
def test_a_goal_that_is_missed_is_named(worse: dict[str, Any], said: str) -> None:
    """Each alone, with its figure."""
    assert [line for line in verdicts(DENSE, replace(TUNED, **worse)) if "MISSED" in line] == [said]


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`")
def test_the_experiment_runs_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On few scenes every network gets its row, and what lies there is not made again."""
    words = [
        str(tmp_path),
        "--epochs",
        "1",
        "--scenes",
        "64",
        "--held-out",
        "16",
        "--json",
        str(tmp_path / "rows.json"),
    ]
    main(words)
    said = capsys.readouterr().out
    rows = [
        line.split()[0] for line in said.splitlines() if line[:6] in ("dense ", "sparse", "pruned", "tuned ")
    ]
    assert rows[:4] == ["dense", "sparse", "pruned", "tuned"]
    tuned = (tmp_path / "tuned.weights").stat().st_mtime_ns
    main(words)
    assert (tmp_path / "tuned.weights").stat().st_mtime_ns == tuned
    assert "loss of the last epoch" not in capsys.readouterr().out
