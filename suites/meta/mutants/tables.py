"""Which modules are mutated, by which tests they are held, and which mutants mean what the original does."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from suites.meta.mutants.operators import Mutant

MODULES = Path(__file__).with_name("modules.toml")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True)
class Equivalent:
    """A mutant that no test can see. line and change: those of the mutant. where: the row, for messages."""

    where: str
    module: str
    line: str
    change: str
    reason: str

    def fits(self, module: str, mutant: Mutant) -> bool:
        """Return whether the row is about a mutant of a module."""
        return (self.module, self.line, self.change) == (module, mutant.text, mutant.change)


def read_modules(table: Path, root: Path, chosen: Sequence[str] = ()) -> dict[str, list[str]]:
    """Return module -> test files, of the chosen modules or of all, as paths in the tree.

    Raise ValueError naming a chosen module without a row, or a row of a file that is not there.
    """
    rows: dict[str, list[str]] = tomllib.loads(table.read_text("utf-8"))
    if unknown := [name for name in chosen if name not in rows]:
        raise ValueError(f"{unknown[0]} is no module of {table}; it has {', '.join(rows)}")
    kept = {name: tests for name, tests in rows.items() if not chosen or name in chosen}
    for name, tests in kept.items():
        if lost := [file for file in (name, *tests) if not (root / file.partition("::")[0]).is_file()]:
            raise ValueError(f"{table}: {name}: there is no file {lost[0]}")
    return kept


def equivalents(table: Path) -> list[Equivalent]:
    """Return the rows of the mutants that mean the same. Raise ValueError for a row without a field."""
    rows = tomllib.loads(table.read_text("utf-8")).get("equivalent", [])
    try:
        return [Equivalent(f"{table.name} row {n}", **row) for n, row in enumerate(rows, 1)]
    except TypeError as error:
        raise ValueError(
            f"{table}: each row has module, line, change and reason: {str(error).partition(' ')[2]}"
        ) from error
