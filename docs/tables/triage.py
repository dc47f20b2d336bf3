"""How often triage named the right layer, from what ``python -m benchmarks.triage`` printed."""

from __future__ import annotations

import re
from pathlib import Path

from docs.tables import markdown

FILE = Path(__file__).parents[1] / "measurements" / "2026-11-30-triage.txt"
LINE = re.compile(
    r"(?P<net>\S+) +(?P<hop>\S.*?) +(?P<named>\d+) of +(?P<seen>\d+) named .*, (?P<planted>\d+) planted, "
    r"at most (?P<runs>\d+) runs"
)
"""One network and hop; lines that are set in name an error that was missed."""


def table() -> str:
    """Return one row a network and hop, and their sum. Raises ValueError for a line that is none."""
    rows = []
    for line in FILE.read_text("utf-8").splitlines():
        if line[:1] == " ":
            continue
        if (match := LINE.fullmatch(line)) is None:
            raise ValueError(f"{FILE}: {line!r} is not as benchmarks.triage prints it")
        rows.append(match.groupdict())
    sums = {name: str(sum(int(row[name]) for row in rows)) for name in ("named", "seen", "planted")}
    rows.append({"net": "all", "hop": "", **sums, "runs": str(max(int(row["runs"]) for row in rows))})
    heads = ("network", "hop", "planted", "seen", "named", "most runs")
    keys = ("net", "hop", "planted", "seen", "named", "runs")
    return markdown.table(heads, ([row[key] for key in keys] for row in rows))
