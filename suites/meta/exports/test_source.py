"""Records of an export are read as they are needed: memory does not grow with a file."""

import io
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.exports.formats import format_of
from fixtures.exports.series import Input
from fixtures.exports.source import DamagedError, Stream
from fixtures.history import history
from fixtures.history.entries import row
from fixtures.records import Metric, Record
from suites.meta.report.planted import CUT, record

LONG = record(stage="latency", message="m" * 3000, metrics={"median": Metric(1.0, "ms")})
COUNT = 1_000


class Nowhere(io.RawIOBase):
    """A file that keeps nothing."""

    def write(self, data: object) -> int:
        """Take all."""
        return len(bytes(data))  # type: ignore[call-overload]


def long(number: int) -> Record:
    """Return a record with a message of its own."""
    return replace(LONG, opset=number, message=f"{number} {LONG.message}")


def jsonl(folder: Path, count: int) -> Path:
    """Write a record file."""
    lines = (long(n).to_json() for n in range(count))
    path = folder / f"{count}.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def sqlite(folder: Path, count: int) -> Path:
    """Write a history."""
    path = folder / f"{count}.sqlite"
    history.add(path, (row(long(n)) for n in range(count)))
    return path


@pytest.mark.parametrize(("name", "made"), [("csv", jsonl), ("hud", sqlite)])
def test_memory_is_flat(name: str, made: Callable[[Path, int], Path], tmp_path: Path) -> None:
    """Formats of rows hold a few records at a time, and a digest of each: a part of what the records are."""
    path = made(tmp_path, COUNT)
    format_of(name).write(Input(Stream([made(tmp_path, 1)])), Nowhere())  # type: ignore[arg-type]  # imports
    tracemalloc.start()
    format_of(name).write(Input(Stream([path])), Nowhere())  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < COUNT * len(LONG.message) / 4


def test_a_record_of_several_files_is_one_row(tmp_path: Path) -> None:
    """Whatever lies in several files, or in a file and in a history, comes once and in order."""
    first, other, db = jsonl(tmp_path, 3), tmp_path / "other.jsonl", sqlite(tmp_path, 4)
    other.write_text("\n" + first.read_text() + CUT)
    stream = Stream([tmp_path, db])
    assert [one.opset for one in stream] == [0, 1, 2, 3]
    assert stream.cut == (f"{other}:5: last line cut short: an interrupted run",)


def test_damage_is_found_where_it_stands(tmp_path: Path) -> None:
    """What is before it was read; each problem of that file is named."""
    path = jsonl(tmp_path, 2)
    path.write_text(path.read_text() + "no record\n{}\n" + path.read_text())
    each = iter(Stream([path]))
    assert [next(each).opset, next(each).opset] == [0, 1]
    with pytest.raises(DamagedError) as caught:
        next(each)
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [f"{path}:3", f"{path}:4"]
