"""A record that was written and is gone, or damaged, makes its run red; one of a dead process is taken up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures import records
from fixtures.records import Record
from fixtures.run import Run, make_run, survival
from fixtures.run.options import Options

RECORD = Record("convert", "passed", {"name": "digits"}, run_id="aa", time="now")


def process(folder: Path, name: str = "", written: int = 0) -> Run:
    """Return a process of the run `aa`, with so many records written."""
    made = make_run(Options(records=folder))
    made.run_id, made.process = "aa", name
    for _ in range(written):
        made.write(RECORD)
    return made


def cut(file: Path) -> None:
    """Leave half of the last record, as a machine that loses its power does."""
    file.write_bytes(file.read_bytes()[:-40])


DAMAGES: list[Callable[[Path], object]] = [
    cut, Path.unlink, lambda file: file.write_bytes(file.read_bytes().splitlines(keepends=True)[0])
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=["cut", "removed", "shortened"])
@pytest.mark.parametrize("name", ["", "gw1"])
def test_a_record_that_is_gone_is_seen(name: str, damage: Callable[[Path], object], tmp_path: Path) -> None:
    """Of a run of one process, and of one among several."""
    first, writer = process(tmp_path), process(tmp_path, name, written=3)
    damage(writer.record_file)
    run = writer
    if name:
        run = first
        run.gather()
        run.written_by = {name: 3}
    run.count()
    assert any("records are gone" in line for line in run.idle())
    assert any("a record is lost" in line for line in run.idle()) is (damage is cut and bool(name))


def test_nothing_is_said_where_all_are_there(tmp_path: Path) -> None:
    """Nor of a process that wrote none, and so has no file."""
    first = process(tmp_path)
    for name, written in (("gw0", 2), ("gw1", 0)):
        process(tmp_path, name, written)
        first.written_by[name] = written
    first.gather()
    first.count()
    assert first.idle() == []
    assert len(first.written) == 2


def test_what_a_dead_process_was_at_is_taken_up(tmp_path: Path) -> None:
    """Once, of this run alone; a case that has ended, and one that had hardly begun, have nothing there."""
    files = {name: tmp_path / f"{name}.jsonl" for name in ("aa-gw0", "aa-gw1", "aa-gw2", "bb-gw0")}
    died = Record("convert", "crashed", {"name": "digits"}, run_id="aa")
    for file in files.values():
        survival.begin(file, died)
    survival.end(files["aa-gw1"])
    files["aa-gw2"].with_suffix(survival.SUFFIX).write_text('{"schema"')
    records.append(files["aa-gw0"], RECORD)
    for _ in range(2):
        survival.take_up(tmp_path, "aa")
    assert list(records.read(files["aa-gw0"])) == [RECORD, died]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["aa-gw0.jsonl", "bb-gw0.running"]
