"""The benchmark of the report builds what it says, and a missed goal is seen."""

from collections import Counter
from pathlib import Path

import pytest

from benchmarks import report


def test_the_records_are_as_many_and_mixed_as_it_says() -> None:
    """Six of ten are predictions, all are questions of their own but for the second run."""
    made = list(report.records(4_000))
    assert len(made) == 4_000
    assert Counter(one.stage for one in made)["support"] == 2_400
    assert len({one.model["name"] for one in made}) == report.MODELS
    assert len({(one.key, one.run_id) for one in made}) == 4_000


def test_a_build_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The site is there afterwards, and both clocks are printed."""
    pytest.importorskip("fixtures.commands.report", reason="pip install --group report")
    assert report.built(300, tmp_path, 1) > 0
    assert "300 records" in capsys.readouterr().out
    assert (tmp_path / "report" / "index.html").exists()


@pytest.mark.parametrize(
    ("seen", "missed"),
    [
        ({"tenth": 0.4, "all": 4.9, "page": 1.9}, []),
        ({"tenth": 0.3, "all": 5.1, "page": 1.9}, [0, 1]),
        ({"tenth": 0.4, "all": 4.9, "page": 2.1}, [2]),
    ],
)
def test_a_missed_goal_is_seen(seen: dict[str, float], missed: list[int]) -> None:
    """Each line ends in met or MISSED."""
    lines = report.verdicts(seen, report.RECORDS)
    assert [at for at, line in enumerate(lines) if line.endswith("MISSED")] == missed
