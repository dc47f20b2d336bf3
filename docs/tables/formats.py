"""The formats of `export`, and what the Prometheus exposition has."""

from __future__ import annotations

from docs.tables import markdown
from fixtures.exports import prometheus
from fixtures.exports.formats import FORMATS


def table() -> str:
    """Return one row a format: what it is, and which records and metrics it has."""
    rows = (
        (f"`{row.name}`", row.about, "every one" if row.rows else "one a case",
         "those to follow" if row.followed else "all" if row.name != "summary" else "latency")
        for row in FORMATS
    )  # fmt: skip
    return markdown.table(("format", "what", "records", "metrics"), rows)


def metrics() -> str:
    """Return one row a metric of the exposition, with its labels."""
    return markdown.table(
        ("metric", "what", "labels"),
        ((f"`{family.full_name}`", family.about, _labels(family)) for family in prometheus.FAMILIES),
    )


def _labels(family: prometheus.Family) -> str:
    """Return the labels of a metric; those of a case are named once, of the first metric that has them."""
    of_run = family.labels == prometheus.RUN
    first = family is prometheus.FAMILIES[0]
    case = () if of_run else prometheus.CASE if first else ("those of a case",)
    return ", ".join((*case, *family.labels))
