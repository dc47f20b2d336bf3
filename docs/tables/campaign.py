"""A campaign: the records of ``docs/measurements/NAME.jsonl``; what ran where, and what did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from docs.tables.markdown import table
from fixtures import records
from fixtures.records import Record
from fixtures.verdicts import VERDICTS

FOLDER = Path(__file__).parents[1] / "measurements"


@cache
def read(name: str) -> tuple[Record, ...]:
    """Return the records of a campaign. Raise OSError and ValueError as `fixtures.records.read` does."""
    return tuple(records.read(FOLDER / f"{name}.jsonl"))


def executed(name: str, stage: str) -> list[Record]:
    """Return the records of a stage that was executed."""
    return [record for record in read(name) if record.stage == stage and record.verdict != "not-run"]


def head(name: str) -> str:
    """Return where and when a campaign ran, with which versions, and how many records have which verdict."""
    campaign = read(name)
    days = sorted({record.time[:10] for record in campaign})
    counts = Counter(record.verdict for record in campaign)
    rows = [
        ("date", " to ".join(dict.fromkeys((days[0], days[-1])))),
        ("TensorRT", several(" ".join(r.tensorrt.values()) for r in campaign if r.tensorrt)),
        ("device", several(map(_device, campaign))),
        ("packages", several(f"{k} {v}" for r in campaign for k, v in r.dependencies.items())),
        ("commit", several(r.commit for r in campaign)),
        ("records", ", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS if counts[verdict])),
        ("file", f"[`{name}.jsonl`]({name}.jsonl)"),
    ]
    return table(("of", "this campaign"), rows)


def idle(name: str) -> str:
    """Return what was not run: the reason, how many cases, and their stages."""
    not_run = [record for record in read(name) if record.verdict == "not-run"]
    reasons = Counter(record.message for record in not_run)
    rows = (
        (why, count, several(r.stage for r in not_run if r.message == why))
        for why, count in reasons.most_common()
    )
    return table(("reason", "cases", "stages"), rows)


def several(values: Iterable[str]) -> str:
    """Return each value once, in the order in which they come first, by commas."""
    return ", ".join(dict.fromkeys(values))


def _device(record: Record) -> str:
    about = record.device
    driver = f", driver {about['driver']}" if about.get("driver") else ""
    return about["name"] + driver if about.get("name") else "no GPU"
