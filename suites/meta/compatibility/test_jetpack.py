"""What each JetPack brings: rows in order, each with its source and the rows of the support table."""

import pytest

from fixtures.commands import machine
from fixtures.compatibility.tables.jetpack import jetpacks, of_linux
from fixtures.compatibility.tables.releases import BASES


def test_every_row_is_in_order_and_says_what_it_rests_on() -> None:
    """Versions of JetPack and Jetson Linux rise together, and TensorRT never falls."""
    rows = jetpacks()
    for key in ("version", "linux", "tensorrt"):
        numbers = [tuple(map(int, getattr(row, key).split("."))) for row in rows]
        assert numbers == sorted(numbers)
    assert all(row.basis in BASES and row.source for row in rows)
    assert [row.release.version for row in rows] == [
        "7.1",
        "8.0",
        "8.2",
        "8.4",
        "8.5",
        "8.6",
        "10.3",
        "10.13",
    ]


@pytest.mark.parametrize(
    ("linux", "version"),
    [("32.5.1", "4.4.1"), ("32.7.6", "4.6.1"), ("35.1", "5.0.2"), ("35.6.0", "5.1"), ("36.3.0", "6.0"),
     ("36.4.4", "6.1"), ("36.2", None), ("38.2.1", "7.0"), ("39.2", None), ("28.1", None)],
)  # fmt: skip
def test_a_jetson_linux_falls_to_its_jetpack(linux: str, version: str | None) -> None:
    """The last row not after it; none before the first of its major number, or of one that has no row."""
    found = of_linux(linux)
    assert (found and found.version) == version


def test_the_command_prints_every_jetpack(capsys: pytest.CaptureFixture[str]) -> None:
    """One line each, with the option that asks the rows which apply, and the source."""
    assert machine.main(["--jetpack"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(jetpacks())
    assert lines[4].startswith(
        "JetPack 5.1, Jetson Linux 35.2.1: TensorRT 8.5.2, CUDA 11.4, Python 3.8; rows: --tensorrt 8.5"
    )
    assert "[documented: " in lines[4]
