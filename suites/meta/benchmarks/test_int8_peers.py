"""INT8 by each tool's own way: each is judged on the same images, and ours is said where it is behind."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import int8_peers
from benchmarks.int8_peers import Outcome

OURS = Outcome("net", "ours", "mse", lost=2.0, distance=0.1, seconds=1.0, pairs=3)
OTHER = replace(OURS, tool="modelopt", calibrator="max")


def test_each_way_is_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The digits by the suite and by ONNX Runtime: all that they write runs, and loses little."""
    pytest.importorskip("torch", reason="run `tox run -e meta`")
    file = tmp_path / "lines.jsonl"
    assert int8_peers.main(["--model", "digits", "--lines", str(file)]) == 0
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(row["tool"], row["calibrator"]) for row in rows] == [
        ("ours", "mse"), ("ours", "entropy"), ("onnxruntime", "minmax"), ("onnxruntime", "entropy"),
    ]  # fmt: skip
    assert all(row["pairs"] and abs(row["lost"]) < 2 and 0 < row["distance"] < 0.2 for row in rows)
    assert capsys.readouterr().out.count("points lost") == 4


@pytest.mark.parametrize(
    ("others", "behind"),
    [
        ([], False),
        ([replace(OTHER, lost=1.5)], False),
        ([replace(OTHER, lost=0.9)], True),
        ([replace(OTHER, lost=3.0), replace(OTHER, lost=0.5)], True),
        ([Outcome("net", "onnxruntime", "minmax", refused="no parameters")], False),
    ],
)
def test_ours_is_behind_by_more_than_a_point(others: list[Outcome], behind: bool) -> None:
    """Of the best of the others; what wrote no model is no best."""
    assert int8_peers.is_behind([OURS, *others]) is behind


def test_a_refusal_is_told() -> None:
    """In place of figures."""
    assert "no model: why" in str(Outcome("net", "onnxruntime", "minmax", refused="why"))
