"""Markdown from rows: tables and code blocks, between blank lines, as they must be after a comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table with its line of dashes.

    A pipe inside a cell is escaped, and line breaks become spaces. Raise ValueError for a row of another
    length than `heads`, and for a table without rows, which would hide that nothing was found.
    """
    body = [[_cell(value) for value in row] for row in rows]
    if not body:
        raise ValueError(f"a table of {', '.join(heads)} without rows")
    if wrong := [row for row in body if len(row) != len(heads)]:
        raise ValueError(f"{len(heads)} columns, but a row of {len(wrong[0])}: {wrong[0]}")
    lines = [f"| {' | '.join(row)} |" for row in [list(heads), ["---"] * len(heads), *body]]
    return "\n" + "\n".join(lines) + "\n\n"


def code(text: str, language: str = "") -> str:
    """Return a fenced block of the text, without blank lines at its ends and spaces at the ends of lines."""
    body = "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
    return f"\n```{language}\n{body}\n```\n\n"


def short(value: float) -> str:
    """Return a number with two or three digits: ``2.0e-4`` below a hundredth, else as ``0.0131``."""
    return f"{value:.1e}".replace("e-0", "e-") if 0 < abs(value) < 0.01 else f"{value:.3g}"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
