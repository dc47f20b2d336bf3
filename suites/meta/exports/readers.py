"""How each tool reads what was written for it: raises for what it refuses, and returns the texts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from fixtures.exports.formats import format_of
from fixtures.exports.series import Input
from fixtures.records import Record
from fixtures.report.join import Joined
from suites.meta.exports import schemas

HERE = Path(__file__).parent


def written(name: str, records: Iterable[Record], **about: Any) -> bytes:
    """Return what a format makes of records."""
    out, all_ = io.BytesIO(), tuple(records)
    format_of(name).write(Input(all_, Joined(all_, ()), **about), out)
    return out.getvalue()


def texts(value: Any) -> Iterator[str]:
    """Yield every text of a value as JSON has it, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


@cache
def junit_schema() -> Any:
    """Return the schema of JUnit as Jenkins has it."""
    return pytest.importorskip("xmlschema").XMLSchema(HERE / "junit.xsd")


def junit(data: bytes) -> list[str]:
    """Read JUnit XML that keeps Jenkins' schema."""
    junit_schema().validate(data.decode())
    return xml(data)


def xml(data: bytes) -> list[str]:
    """Read XML of no schema."""
    elements = list(ET.fromstring(data).iter())  # noqa: S314  we wrote it
    return [text for element in elements for text in (*element.attrib.values(), element.text or "")]


def json_of(schema: schemas.Schema, data: bytes) -> list[str]:
    """Read JSON of a schema."""
    value = json.loads(data, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(schema).validate(value)
    return list(texts(value))


def hud(data: bytes) -> list[str]:
    """Read rows of JSON, as the uploader of PyTorch's benchmark database does."""
    return [text for line in data.decode().split("\n")[:-1] for text in json_of(schemas.HUD, line.encode())]


def prometheus(data: bytes) -> list[str]:
    """Read the text exposition with the parser of prometheus_client."""
    parser = pytest.importorskip("prometheus_client.parser")
    return _samples(parser.text_string_to_metric_families(data.decode()))


def openmetrics(data: bytes) -> list[str]:
    """Read OpenMetrics with the parser of prometheus_client, which refuses what the specification does."""
    parser = pytest.importorskip("prometheus_client.openmetrics.parser")
    return _samples(parser.text_string_to_metric_families(data.decode()))


def _samples(families: Iterable[Any]) -> list[str]:
    samples = [sample for family in families for sample in family.samples]
    assert len({(s.name, *sorted(s.labels.items())) for s in samples}) == len(samples)
    return [text for sample in samples for text in sample.labels.values()]


def table(data: bytes) -> list[str]:
    """Read CSV."""
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert len({len(row) for row in rows}) == 1
    return [cell for row in rows for cell in row]


def parquet(data: bytes) -> list[str]:
    """Read Parquet with pyarrow."""
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="pip install --group parquet")
    return list(texts(pyarrow.read_table(io.BytesIO(data)).to_pylist()))


def markdown(data: bytes) -> list[str]:
    """Read Markdown as GitHub renders it: the texts of cells, headings and blocks of HTML, no live markup."""
    parser = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    found: list[str] = []
    for token in parser.parse(data.decode()):
        allowed = ("text", "text_special", "softbreak")
        assert all(child.type in allowed for child in token.children or ()), token
        found.append("".join(child.content for child in token.children or ()) or token.content)
    return found


READERS = {
    "junit": junit,
    "junit-properties": xml,
    "github-smaller": lambda data: json_of(schemas.GITHUB_BENCHMARK, data),
    "github-bigger": lambda data: json_of(schemas.GITHUB_BENCHMARK, data),
    "bencher": lambda data: json_of(schemas.BENCHER, data),
    "prometheus": prometheus,
    "openmetrics": openmetrics,
    "hud": hud,
    "csv": table,
    "parquet": parquet,
    "summary": markdown,
}
