"""Every field of a record is held to what it must be before a report computes with it."""

from dataclasses import fields, replace
from typing import Any, cast

import pytest

from fixtures.records import Metric, Record
from fixtures.report.fields import FIELDS, check

CONVERTED = ("verdict", "samples", "schema")
"""Fields that reading a line refuses or converts already."""
SOUND = Record("convert", "passed", {"name": "digits"})


def test_every_field_is_held_to_something() -> None:
    """A new one needs a row."""
    assert {field.name for field in fields(Record)} == {*CONVERTED, *(field.name for field in FIELDS)}
    check(SOUND)


@pytest.mark.parametrize("name", [field.name for field in FIELDS])
def test_another_thing_than_expected_is_refused_by_name(name: str) -> None:
    """None of them is a table of lists, and no metric is a word."""
    wrong: Any = {"a": Metric(cast(float, "much"))} if name == "metrics" else {"a": [{}]}
    with pytest.raises(ValueError, match=f"field '{name}': expected "):
        check(replace(SOUND, **{name: wrong}))
