"""The Grafana dashboard reads what the exposition has: each name and label of its queries is exported."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.exports import prometheus
from suites.meta.places import ROOT

DASHBOARD: dict[str, Any] = json.loads((ROOT / "fixtures" / "exports" / "grafana.json").read_text("utf-8"))
FAMILIES = {family.full_name: family for family in prometheus.FAMILIES}
FUNCTIONS = {"count", "by", "or", "vector", "time", "max", "sum"}
COLUMNS = 24
"""The width of a dashboard, in the unit of its grid."""


def labels_of(family: prometheus.Family) -> set[str]:
    """Return the labels that samples of a family have."""
    return set(family.labels if family.labels == prometheus.RUN else (*prometheus.CASE, *family.labels))


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each query of a panel with the text of its legend, and each of a variable."""
    for panel in DASHBOARD["panels"]:
        yield from ((target["expr"], target["legendFormat"]) for target in panel["targets"])
    yield from ((row["definition"], "") for row in DASHBOARD["templating"]["list"] if row["type"] == "query")


def unknown(query: str, legend: str = "") -> list[str]:
    """Return what of a query, or of its legend, is exported nowhere."""
    bare = re.sub(r'"[^"]*"', '""', query)
    words = set(re.findall(r"[a-zA-Z_]\w*", bare))
    used = words & FAMILIES.keys()
    known = {label for name in used for label in labels_of(FAMILIES[name])} | {"label_values"}
    asked = set(re.findall(r"{{(\w+)}}", legend))
    return sorted((words - used - known - FUNCTIONS) | (asked - known))


@pytest.mark.parametrize(("query", "legend"), [*expressions()])
def test_each_query_names_exported_metrics_and_labels(query: str, legend: str) -> None:
    """No panel reads a name that was changed, and no legend a label that is not there."""
    assert "trt_parity_" in query
    assert unknown(query, legend) == []


@pytest.mark.parametrize(
    ("query", "legend", "named"),
    [
        ('trt_parity_verdicts{model="a"}', "", ["model", "trt_parity_verdicts"]),
        ('trt_parity_verdict{modle="a"}', "{{stage}}", ["modle"]),
        ("max(trt_parity_run_start_timestamp_seconds{model=~'a'})", "", ["a", "model"]),
        ("trt_parity_verdict", "{{metric}}", ["metric"]),
    ],
)
def test_a_query_of_something_else_is_seen(query: str, legend: str, named: list[str]) -> None:
    """The check trips on a wrong name, a wrong label, a label of another metric, and in a legend."""
    assert unknown(query, legend) == named


def test_every_metric_is_read_by_a_panel() -> None:
    """What is exported is shown."""
    assert [name for name in FAMILIES if not any(name in query for query, _ in expressions())] == []


def test_a_value_of_a_label_is_one_that_is_followed() -> None:
    """Panels of one metric name such as are exported where nobody says which."""
    from fixtures.exports.series import TRACKED, followed

    named = {name for query, _ in expressions() for name in re.findall(r'metric=~?"([^"]*)"', query)}
    parts = {part for name in named for part in name.split("|")}
    assert len(parts) > 5
    assert [part for part in parts if not followed(part, TRACKED)] == []


def test_panels_fit_the_grid_and_have_what_grafana_wants() -> None:
    """Numbers are their own, no panel overlaps another, and each has the fields of Grafana's schema."""
    panels = DASHBOARD["panels"]
    places = [
        (panel["gridPos"]["x"] + dx, panel["gridPos"]["y"] + dy)
        for panel in panels
        for dx in range(panel["gridPos"]["w"])
        for dy in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < COLUMNS
    assert len({panel["id"] for panel in panels}) == len(panels)
    wanted = {"type", "title", "datasource", "gridPos", "targets", "options", "fieldConfig"}
    assert all(wanted <= panel.keys() for panel in panels)
    assert all(panel["fieldConfig"].keys() == {"defaults", "overrides"} for panel in panels)
    assert DASHBOARD["schemaVersion"] == 39


def test_the_data_source_is_chosen_by_the_user() -> None:
    """No identity of a data source is built in."""
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {"${datasource}"}
    assert DASHBOARD["templating"]["list"][0]["type"] == "datasource"
