"""The options of a run, from the dataclass that the parser is made of."""

from __future__ import annotations

from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from docs.tables import markdown
from fixtures.run.option import help_of
from fixtures.run.options import ROOT, Options


def table() -> str:
    """Return one row an option: how it is written, its default without variables, what it does."""
    return markdown.table(("option", "default", "what"), map(_row, fields(Options)))


def _row(option: Field[Any]) -> tuple[str, str, str]:
    about = option.metadata["about"]
    value = about.get("metavar") or "|".join(about.get("choices", ()))
    words = [option.metadata["flag"], *([value] if isinstance(value, str) else value)]
    again = ", repeatable" if about.get("action") == "append" else ""
    return f"`{' '.join(filter(None, words))}`{again}", _default(option.metadata["default"]), help_of(option)


def _default(value: Any) -> str:
    if not value or value == Path():
        return ""
    return f"`{value.relative_to(ROOT)}`" if isinstance(value, Path) else f"`{value}`"
