"""The benchmark of exports: it runs on few records, and names what is not linear or not flat."""

import pytest

from benchmarks import exports
from benchmarks.exports import Cost


def test_it_runs(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a format with both sizes, then that every limit is kept."""
    assert exports.main(["--records", "30", "--formats", "hud", exports.IMPORT]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert [line.count(" MB") for line in lines] == [2, 2]
    assert last == "every limit is kept"


@pytest.mark.parametrize(
    ("name", "many", "missed"),
    [
        ("csv", Cost(12.0, 120), []),
        ("csv", Cost(14.0, 140),
         ["csv: CPU time: at most 13.0 times: MISSED", "csv: memory: at most 1.3 times: MISSED"]),
        ("junit", Cost(14.0, 900), ["junit: CPU time: at most 13.0 times: MISSED"]),
    ],
)  # fmt: skip
def test_what_is_missed_is_named(name: str, many: Cost, missed: list[str]) -> None:
    """Time of every format, memory of those of rows."""
    assert exports.verdicts(name, Cost(1.0, 100), many) == missed
