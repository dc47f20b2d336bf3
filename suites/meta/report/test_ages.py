"""A verdict that a newer run did not reach says how old it is."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures.report.ages import Age, age_of
from fixtures.report.join import join
from fixtures.report.matrix import build_matrix
from suites.meta.report.planted import H100, RTX, record, written

REACHED: dict[str, dict[str, Any]] = {
    "the same question": {},
    "a machine without that device": {"device": {}},
    "a machine without that TensorRT": {"device": {}, "tensorrt": {}},
}
OTHERS: dict[str, dict[str, Any]] = {
    "another version": {"tensorrt": RTX | {"version": "1.6"}},
    "another opset": {"opset": 12},
    "another device": {"device": {"name": "NVIDIA A100"}},
    "another precision": {"precision": "fp16"},
}


@pytest.mark.parametrize("case", REACHED)
def test_an_old_pass_beside_a_newer_not_run_says_its_age(case: str, tmp_path: Path) -> None:
    """The newer run need not name device or version, since it lacked them."""
    missed = record("not-run", 4, message="no GPU", **({"device": H100} | REACHED[case]))
    written(tmp_path, record("passed", 1, device=H100))
    written(tmp_path, missed, name="b.jsonl")
    joined = join([tmp_path])
    (passed,) = [one for one in joined.records if one.verdict == "passed"]
    assert joined.ages == {passed.key: Age(3 * 86400.0, "day-4", "no GPU")}


@pytest.mark.parametrize("case", OTHERS)
def test_a_not_run_of_something_else_ages_nothing(case: str, tmp_path: Path) -> None:
    """Only a run that was asked the same question and did not answer it makes a verdict old."""
    missed = record("not-run", 4, **({"device": H100} | OTHERS[case]))
    written(tmp_path, record("passed", 1, device=H100), missed)
    assert join([tmp_path]).ages == {}


@pytest.mark.parametrize("days", [(4, 1), (2, 2)])
def test_an_older_not_run_ages_nothing(days: tuple[int, int], tmp_path: Path) -> None:
    """A verdict that is newer than the not-run, or of the same run, is today's."""
    written(tmp_path, record("passed", days[0]), record("not-run", days[1]))
    assert join([tmp_path]).ages == {}


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "1m"), (59 * 60, "59m"), (7200, "2h"), (86400, "1d"), (30 * 86400, "30d")]
)
def test_an_age_is_short(seconds: float, text: str) -> None:
    """Minutes, hours or days, whole."""
    assert str(Age(seconds, "run", "")) == text


def test_a_cell_has_the_greatest_age_of_its_stages(tmp_path: Path) -> None:
    """A new build beside an old parity is as old as the parity."""
    parity = {"stage": "tensorrt-parity"}
    written(tmp_path, record("passed", 1, **parity), record("passed", 3), record("not-run", 3, **parity))
    joined = join([tmp_path])
    (cell,) = build_matrix(joined.records).cells.values()
    assert str(age_of(cell, joined.ages)) == "2d"


def test_the_age_is_in_the_title_the_cell_and_the_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terminal and page say that it is no verdict of today, and why; nothing is red all the same."""
    report: ModuleType = pytest.importorskip("fixtures.commands.report")
    written(tmp_path, record("passed", 1), record("not-run", 4, message="no GPU here"))
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "Nothing is red in 1 cell, 1 not reached by a newer run"
    assert "✓P  3d" in text
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert '<em class="age">3d old</em>' in page
    assert "3d older than run day-4, which did not reach it" in page
    of_model = (tmp_path / "out" / "pages" / "model-digits.html").read_text("utf-8")
    assert "3d older than run day-4, which did not reach it: no GPU here" in of_model
