"""Records for the tests of the report: one small model at opset 11, and runs of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fixtures.records import Record, append
from fixtures.verdicts import Verdict

RTX = {"flavour": "tensorrt-rtx", "version": "1.7.1.116"}
H100 = {"name": "NVIDIA H100", "compute_capability": "9.0", "driver": "570"}
CUT = '{"schema": 2, "stage": "conv'
"""What an interrupted run leaves of a record."""


def record(verdict: Verdict = "passed", day: int = 1, /, **fields: Any) -> Record:
    """Make one record of a day in January 2026, in a run of that day's name."""
    defaults: dict[str, Any] = {
        "stage": "tensorrt-build", "model": {"name": "digits", "framework": "pytorch"}, "opset": 11,
        "tensorrt": RTX, "run_id": f"day-{day}", "time": f"2026-01-{day:02d}T10:00:00+00:00",
    }  # fmt: skip
    return Record(verdict=verdict, **(defaults | fields))


def written(folder: Path, *records: Record, name: str = "a.jsonl") -> Path:
    """Write records to one file and return it."""
    for one in records:
        append(folder / name, one)
    return folder / name
