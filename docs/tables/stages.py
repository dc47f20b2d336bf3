"""The stages, from ``fixtures/stages.py``."""

from __future__ import annotations

from docs.tables import markdown
from fixtures.stages import STAGES, Stage


def table() -> str:
    """Return one row a stage, in the order of the report: its claim, and the most that it needs."""
    return markdown.table(("stage", "claim", "needs"), ((f"`{s.name}`", s.claim, s.needs) for s in STAGES))


def axes() -> str:
    """Return one row a part of a stage: what each of its axes covers."""
    return markdown.table(
        ("stage", "part", "its cases are the product of"), (row for s in STAGES for row in _parts(s))
    )


def _parts(stage: Stage) -> list[tuple[str, str, str]]:
    return [
        (f"`{stage.name}`", part, "; ".join(axis.about for axis in axes))
        for part, axes in stage.parts.items()
    ]
