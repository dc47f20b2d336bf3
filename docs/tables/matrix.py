"""An excerpt of the terminal's matrix, from the records of a campaign."""

from __future__ import annotations

import io
from collections.abc import Collection

from docs.tables import campaign
from docs.tables.markdown import code
from fixtures.report.matrix import MARKS, WORST_FIRST, build_matrix
from fixtures.report.terminal import console_for, matrix_table

WIDTH = 110


def excerpt(campaigns: Collection[str], models: Collection[str], precisions: Collection[str]) -> str:
    """Return the matrix of some models at one sample a batch, as the terminal shows it, and what marks mean."""
    found = [
        record
        for name in campaigns
        for record in campaign.read(name)
        if record.model["name"] in models and record.precision in precisions and record.batch == "1"
    ]
    out = io.StringIO()
    console = console_for(out)
    console.width = WIDTH
    console.print(matrix_table(build_matrix(found), console))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    legend = "  ".join(f"{MARKS[verdict].symbol}{MARKS[verdict].letter} {verdict}" for verdict in WORST_FIRST)
    return code("\n".join([*filter(None, lines), legend]))
