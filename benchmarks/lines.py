"""Outcomes of a benchmark as JSON lines, each written as it comes: what is cut off keeps those it has."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any


def append(file: Path | None, outcome: Any) -> None:
    """Append an outcome, a dataclass, to the file of ``--lines``, where there is one."""
    if file:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(outcome)) + "\n")
