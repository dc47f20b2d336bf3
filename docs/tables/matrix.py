"""An excerpt of the terminal's matrix, from the records of a campaign."""

from __future__ import annotations

import io

from docs.tables import campaign
from docs.tables.markdown import code
from fixtures.records import Record
from fixtures.report.matrix import MARKS, WORST_FIRST, build_matrix
from fixtures.report.terminal import console_for, matrix_table

CAMPAIGNS = ("2026-11-29-main-job", "2026-11-28-tensorrt-8.5.3.1-h100")
MODELS = ("yolov3-tiny", "gender-age")
PRECISIONS = ("fp32", "fp16")
WIDTH = 110


def excerpt() -> str:
    """Return two models of two campaigns, at one sample a batch, as in a terminal, and the legend."""
    found = [record for name in CAMPAIGNS for record in campaign.read(name) if _shown(record)]
    out = io.StringIO()
    console = console_for(out)
    console.width = WIDTH
    console.print(matrix_table(build_matrix(found), console))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    legend = "  ".join(f"{MARKS[verdict].symbol}{MARKS[verdict].letter} {verdict}" for verdict in WORST_FIRST)
    return code("\n".join([*filter(None, lines), legend]))


def _shown(record: Record) -> bool:
    asked = record.model["name"] in MODELS and record.precision in PRECISIONS
    return asked and record.batch == "1" and record.opset is not None
