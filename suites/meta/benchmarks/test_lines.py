"""Outcomes of a benchmark are kept line by line."""

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks import lines


@dataclass(frozen=True)
class Outcome:
    """Of a benchmark."""

    name: str
    seconds: float


def test_a_line_is_added_to_those_there_are(tmp_path: Path) -> None:
    """Those of an earlier call stay."""
    file = tmp_path / "lines.jsonl"
    for name in ("a", "b"):
        lines.append(file, Outcome(name, 0.5))
    assert [json.loads(line) for line in file.read_text().splitlines()] == [
        {"name": "a", "seconds": 0.5}, {"name": "b", "seconds": 0.5},
    ]  # fmt: skip


def test_nothing_is_written_where_nobody_asks(tmp_path: Path) -> None:
    """No file was named."""
    lines.append(None, Outcome("a", 0.5))
    assert list(tmp_path.iterdir()) == []
