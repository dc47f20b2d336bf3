"""Records of earlier releases of the suite are read, and each new one says which release wrote it."""

import json
import re
from dataclasses import replace

import pytest

from fixtures.cases import Case
from fixtures.recording import Ending, RecordDraft, close
from fixtures.records import USUAL_CALIBRATOR, Record, released_version
from suites.meta.places import ROOT

OLD = {
    1: '{"stage": "convert", "verdict": "passed", "model": {"name": "digits"}, "opset": 11, "schema": 1}',
    2: '{"stage": "convert", "verdict": "passed", "model": {"name": "digits"}, "opset": 11, "batch": "8", '
    '"run_id": "4c4a", "commit": "f664efaa1b2c", "time": "2026-11-01T10:00:00+00:00", "schema": 2}',
}


@pytest.mark.parametrize("schema", OLD)
def test_a_record_from_before_the_first_release_is_read(schema: int) -> None:
    """What has no release of the suite in it is read with none, and all else as it was."""
    record = Record.from_json(OLD[schema])
    assert (record.suite_version, record.schema, record.opset) == ("", schema, 11)
    assert record.batch == {1: "1", 2: "8"}[schema]


def test_a_record_names_the_release_that_wrote_it() -> None:
    """The release stands beside the commit, and is read back."""
    draft = RecordDraft(Case("convert", "digits", "torchscript", 13), {"name": "digits"})
    line = close(draft, Ending("passed"), run_id="1", commit="abc", time_="2026-11-01").to_json()
    assert json.loads(line)["suite_version"] == released_version()
    assert Record.from_json(line).suite_version == released_version()


def test_the_release_is_a_date_and_stands_in_the_changelog() -> None:
    """A release is year, month and number, and the changelog says what is in it."""
    assert re.fullmatch(r"20\d\d\.(1[0-2]|[1-9])\.\d+", released_version())
    assert f"\n## {released_version()} (" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_a_record_that_names_no_calibrator_is_of_the_first_one() -> None:
    """It answers the question of min-max, whatever is usual by now; weights alone have no calibrator."""
    old = Record(
        "int8-accuracy", "passed", {"name": "digits"}, "torchscript", 13, precision="int8", route="qdq"
    )
    assert old.key == replace(old, calibrator="minmax").key != replace(old, calibrator=USUAL_CALIBRATOR).key
    assert (old.unusual_calibrator, replace(old, calibrator=USUAL_CALIBRATOR).unusual_calibrator) == (
        "minmax",
        "",
    )
    assert replace(old, route="weight-only").unusual_calibrator == ""
