"""What each tool takes, as JSON schema, written from its documentation; the source stands beside each."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT, NUMBER = {"type": "string"}, {"type": "number"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}


def closed(required: str = "", **properties: Schema) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


GITHUB_BENCHMARK: Schema = {
    "type": "array",
    "items": closed("name value unit", name=TEXT, value=NUMBER, unit=TEXT, range=TEXT, extra=TEXT),
}
"""README of benchmark-action/github-action-benchmark, on customSmallerIsBetter."""
BENCHER: Schema = {
    "type": "object",
    "propertyNames": {"minLength": 1, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64},
        "additionalProperties": closed("value", value=NUMBER, lower_value=NUMBER, upper_value=NUMBER),
    },
}
"""https://bencher.dev/bmf.json, and the lengths of bencher.dev/docs/reference/bencher-metric-format."""
HUD: Schema = closed(
    "benchmark model metric",
    benchmark=closed("name", name=TEXT, mode=TEXT, dtype=TEXT, extra_info=TEXTS),
    model=closed(
        "name", name=TEXT, type=TEXT, backend=TEXT, origins={"type": "array", "items": TEXT}, extra_info=TEXTS
    ),
    inputs={"type": "object", "additionalProperties": closed(dtype=TEXT, extra_info=TEXTS)},
    dependencies={
        "type": "object",
        "additionalProperties": closed(repo=TEXT, branch=TEXT, sha=TEXT, version=TEXT, extra_info=TEXTS),
    },
    metric=closed(
        "name benchmark_values",
        name=TEXT,
        benchmark_values={"type": "array", "items": NUMBER, "minItems": 1},
        target_value=NUMBER,
        extra_info=TEXTS,
    ),
)
"""clickhouse_db_schema/oss_ci_benchmark_v3/schema.sql of pytorch/test-infra, but what its uploader adds."""
