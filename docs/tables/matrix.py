"""An excerpt of the matrix, as the command `report` prints it of records of two campaigns."""

from __future__ import annotations

import tempfile
from pathlib import Path

from docs.tables import campaign, commands
from docs.tables.markdown import code
from fixtures import records
from fixtures.records import Record

CAMPAIGNS = ("2026-11-29-main-job", "2026-11-28-tensorrt-8.5.3.1-h100")
MODELS = ("yolov3-tiny", "gender-age")
PRECISIONS = ("fp32", "fp16")
FIRST, LAST = " model ", "not-run"
"""How the first line of the matrix begins and what stands in the line of its legend."""


def excerpt() -> str:
    """Return two models at one sample a batch: the matrix and the legend of verdicts, without blank lines.

    Raise RuntimeError as `docs.tables.commands.run` does, and ValueError when no matrix was printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name in CAMPAIGNS:
            for record in filter(_shown, campaign.read(name)):
                records.append(Path(folder, f"{name}.jsonl"), record)
        printed = commands.run("report", folder, "--output", folder).splitlines()
    first = next((n for n, line in enumerate(printed) if line.startswith(FIRST)), None)
    last = next((n for n, line in enumerate(printed) if "✓P passed" in line and LAST in line), None)
    if first is None or last is None:
        raise ValueError("the command report printed no matrix or no legend:\n" + "\n".join(printed))
    return code("\n".join(line.rstrip() for line in printed[first : last + 1] if line.strip()))


def _shown(record: Record) -> bool:
    asked = record.model["name"] in MODELS and record.precision in PRECISIONS
    return asked and record.batch == "1" and record.opset is not None
