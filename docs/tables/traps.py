"""What PyTorch's exporters get wrong, from the rows of ``exporter_traps.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path

from docs.tables import markdown

ROWS = Path(__file__).parents[2] / "suites" / "expectations" / "exporter_traps.toml"


def table() -> str:
    """Return one row a trap: specimens, exporters, opsets, what becomes of them, and why, with a link."""
    traps = tomllib.loads(ROWS.read_text("utf-8"))["trap"]
    rows = (
        (
            ", ".join(f"`{name}`" for name in trap["specimen"]), ", ".join(trap["exporter"]),
            spans(trap["opset"]), trap["outcome"], f"{trap['reason']} ([link]({trap['link']}))",
        )
        for trap in traps
    )  # fmt: skip
    return markdown.table(("specimens", "exporter", "opsets", "outcome", "reason"), rows)


def spans(numbers: Sequence[int]) -> str:
    """Return ascending numbers as spans: ``10-12, 17``."""
    intervals: list[list[int]] = []
    for number in numbers:
        if intervals and number == intervals[-1][-1] + 1:
            intervals[-1].append(number)
        else:
            intervals.append([number])
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}-{span[-1]}" for span in intervals)
