"""The benchmark of pruning prints what it measures, and a limit that is broken is an error."""

import json
from pathlib import Path

import pytest

from benchmarks import pruning
from fixtures.pruning.strategies import STRATEGIES

NARROW = ["--model", "yolov2-tiny", "--rounds", "1", "--size", "64"]


def test_it_prints_times_and_proofs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a network: channels, what is left, floor, seconds, and the error of each strategy."""
    assert pruning.main([*NARROW, "--proof", "--lines", str(tmp_path / "lines.jsonl")]) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == ["yolov2-tiny", "2544"]
    assert "group-first" in line
    row = json.loads((tmp_path / "lines.jsonl").read_text())
    assert row["channels"] == 2544 > row["left"]
    assert set(row["errors"]) == set(STRATEGIES)


def test_a_limit_that_is_broken_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: no time is short enough, no error small enough."""
    monkeypatch.setattr(pruning, "SECONDS", {"yolov2-tiny": 0.0})
    monkeypatch.setattr(pruning, "ROUNDING", -1.0)
    assert pruning.main([*NARROW, "--proof"]) == 1
    said = capsys.readouterr().err
    assert "yolov2-tiny: all is " in said
    assert " s, at most 0.0 s are allowed" in said
