"""A history keeps what was put into it, each record once, and gives it back as it was."""

import json
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.history import entries, file, history
from fixtures.history.entries import row
from fixtures.history.history import Filters
from fixtures.records import Metric, Record
from fixtures.report.join import join
from suites.meta.report.planted import RTX, record, written

NAMES = st.text(st.characters(), min_size=1, max_size=12)
RECORDS = st.builds(
    Record,
    stage=NAMES,
    verdict=st.sampled_from(["passed", "failed", "not-run"]),
    model=st.fixed_dictionaries({"name": NAMES}),
    run_id=st.sampled_from(["", "a", "b"]),
    message=st.text(st.characters()),
    metrics=st.dictionaries(NAMES, st.builds(Metric, st.floats()), max_size=2),
    time=st.sampled_from(["", "2026-01-01", "2026-01-02T10:00:00+01:00"]),
)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """The file of a history that is not there yet."""
    return tmp_path / "history.sqlite"


def add(db: Path, *records: Record) -> int:
    """Add records, and return how many were new."""
    return history.add(db, map(row, records))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(records=st.lists(RECORDS, max_size=4), number=st.integers())
def test_what_goes_in_comes_out(records: list[Record], number: int, tmp_path: Path) -> None:
    """Lines come back byte for byte, in their order, each once, whatever texts and numbers they hold."""
    db = tmp_path / "round.sqlite"
    db.unlink(missing_ok=True)
    lines = [record.to_json() for record in records]
    spaced = [json.dumps(json.loads(line), indent=None, separators=(", ", " : ")) for line in lines]
    rows = [row(one, line) for one, line in zip((*records, *records), (*lines, *spaced), strict=True)]
    unique = list(dict.fromkeys((*lines, *spaced)))
    assert history.add(db, rows) == len(unique)
    assert history.lines(db) == unique


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("", None),
        ("1970-01-02", 86400.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T01:00:00", 3600.0),
    ],
)
def test_a_time_without_a_zone_is_that_of_greenwich(time: str, seconds: float | None) -> None:
    """Wherever it is read; another zone is heeded."""
    assert entries.seconds(time) == seconds


def test_the_same_run_again_changes_nothing(db: Path) -> None:
    """A record that is there is not new, and the file keeps its bytes."""
    assert add(db, record(), record(opset=12)) == 2
    before = db.read_bytes()
    assert add(db, record(), record(opset=12)) == 0
    assert db.read_bytes() == before


MANY = (
    record("passed", 1), record("failed", 2, model={"name": "yolov3-tiny"}, stage="latency"),
    record("crashed", 3, tensorrt={"flavour": "tensorrt", "version": "8.6.1"}, model={"name": "a[1]*"}),
    record("not-run", 4, tensorrt={"flavour": "tensorrt-rtx", "version": "1.70"}, time=""),
)  # fmt: skip


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(), [0, 1, 2, 3]),
        (Filters(model="digits"), [0, 3]),
        (Filters(model="yolo*"), [1]),
        (Filters(model="a[1]*"), [2]),
        (Filters(stage="*-build"), [0, 2, 3]),
        (Filters(tensorrt="rtx1.7"), [0, 1]),
        (Filters(tensorrt="trt8"), [2]),
        (Filters(tensorrt="rtx1.7.1.116"), [0, 1]),
        (Filters(verdicts=("failed", "crashed")), [1, 2]),
        (Filters(run="day-[12]"), [0, 1]),
        (Filters(since=1767348000.0), [1, 2]),
        (Filters(model="digits", verdicts=("passed",)), [0]),
        (Filters(model="' OR 1 --"), []),
    ],
)
def test_filters_choose_records(filters: Filters, found: list[int], db: Path) -> None:
    """By exact name or pattern, label of a TensorRT or its beginning, verdict, run and time; all must fit."""
    add(db, *MANY)
    assert history.lines(db, filters) == [MANY[number].to_json() for number in found]


def days_ago(days: float, run: str) -> Record:
    """Return a record of a run that began some days ago."""
    return record(
        run_id=run, time=time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() - days * 86400))
    )


@pytest.mark.parametrize(
    ("days", "runs", "gone"),
    [
        (5, None, ["old", "older"]),
        (None, 2, ["timeless", "old", "older"]),
        (5, 3, ["older"]),
        (999, None, []),
    ],
)
def test_old_runs_go_whole(days: int | None, runs: int | None, gone: list[str], db: Path) -> None:
    """What neither rule keeps is named, with nothing deleted when only asked, and then deleted."""
    ages = {"new": 1, "newer": 0.5, "old": 10, "older": 20}
    add(db, *(replace(days_ago(age, run), opset=opset) for run, age in ages.items() for opset in (11, 12)))
    add(db, record(run_id="timeless", time=""))
    told = history.prune(db, keep_days=days, keep_runs=runs, dry=True)
    assert (sorted(run.name for run in told), len(history.lines(db))) == (sorted(gone), 9)
    assert [run.name for run in history.prune(db, keep_days=days, keep_runs=runs)] == [
        run.name for run in told
    ]
    left = {Record.from_json(line).run_id for line in history.lines(db)}
    assert left == {*ages, "timeless"} - {*gone}


def test_a_history_is_a_record_file(db: Path, tmp_path: Path) -> None:
    """The report reads it as it reads the JSONL."""
    add(db, *MANY)
    assert join([db]).records == join([written(tmp_path, *MANY)]).records


def test_an_older_schema_is_migrated(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of schema 1 gets what later schemas have, and keeps its records, which are not new then."""
    add(db, record())
    later = "ALTER TABLE records ADD COLUMN planted TEXT; UPDATE records SET planted = 'old'"
    monkeypatch.setattr(file, "MIGRATIONS", (*file.MIGRATIONS, later))
    monkeypatch.setattr(file, "SCHEMA", file.SCHEMA + 1)
    assert add(db, record(), record(opset=12)) == 1
    with sqlite3.connect(db) as connection:
        assert connection.execute("SELECT count(planted), count(*) FROM records").fetchone() == (1, 2)
        assert connection.execute("PRAGMA user_version").fetchone() == (file.SCHEMA,)
    connection.close()


def test_a_migration_that_fails_changes_nothing(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its statements are one transaction: the file stays of the schema that it was of."""
    add(db, record())
    before = db.read_bytes()
    monkeypatch.setattr(file, "MIGRATIONS", (*file.MIGRATIONS, "CREATE TABLE planted (a); SELECT absent"))
    monkeypatch.setattr(file, "SCHEMA", file.SCHEMA + 1)
    with pytest.raises(OSError, match="no such column"):
        add(db, record(opset=12))
    assert db.read_bytes() == before


def planted(db: Path, how: str) -> Iterator[str]:
    """Put something else in the place of a history."""
    if how == "text":
        db.write_text("no database")
    if how in ("other", "newer"):
        pragma = "application_id = 7" if how == "other" else f"user_version = {file.SCHEMA + 1}"
        with sqlite3.connect(db) as connection:
            connection.executescript(f"CREATE TABLE theirs (a); PRAGMA {pragma}")
        connection.close()
    if how == "damaged":
        add(db, *(record(opset=n, message="m" * 500) for n in range(40)))
        data = db.read_bytes()
        db.write_bytes(data[:5000] + b"\x55" * 9000 + data[14000:])
    if how == "folder":
        db.mkdir()
    return iter(())


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("absent", "no such history"),
        ("text", "no history: expected an SQLite database"),
        ("other", "no history: a database of another program"),
        ("newer", f"schema {file.SCHEMA + 1} of a newer release"),
        ("damaged", "damaged history"),
        ("folder", "Is a directory"),
    ],
)
def test_what_is_no_history_is_named(how: str, says: str, db: Path) -> None:
    """One error that names the file and what it is; nothing of it is changed."""
    planted(db, how)
    before = db.read_bytes() if db.is_file() else b""
    with pytest.raises((OSError, ValueError), match=says) as caught:
        history.lines(db)
    assert str(db) in str(caught.value)
    assert (db.read_bytes() if db.is_file() else b"") == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_read_and_refuses_more(db: Path) -> None:
    """Reading needs no right to write; writing ends in an error that names the file."""
    add(db, record())
    db.chmod(stat.S_IRUSR)
    assert len(history.lines(db)) == 1
    with pytest.raises(OSError, match="readonly") as caught:
        add(db, record(opset=12))
    assert caught.value.filename == str(db)


def test_a_full_disk_loses_nothing(db: Path) -> None:
    """A transaction that finds no room leaves the file with what it had."""
    import resource
    import signal

    add(db, record())
    limit, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (db.stat().st_size + 4096, limit[1]))
    try:
        with pytest.raises(OSError, match=str(db)):
            add(db, *(record(opset=n, message="m" * 3000) for n in range(40)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert history.lines(db) == [record().to_json()]
    assert add(db, record(tensorrt=RTX, opset=20)) == 1


def test_pruning_gives_the_room_back(db: Path) -> None:
    """The file of a history of which most is gone is smaller, so that a store on a CI disk does not grow."""
    add(db, *(record("passed", 1, opset=n, message="m" * 3000) for n in range(40)), record("passed", 2))
    before = db.stat().st_size
    assert [run.count for run in history.prune(db, keep_days=None, keep_runs=1)] == [40]
    assert db.stat().st_size < before / 4


def test_a_run_of_the_very_moment_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run that began as many days ago as are kept, to the second, nothing is deleted."""
    monkeypatch.setattr(time, "time", lambda: 10 * history.DAY)
    known = [history.KnownRun(f"day {day}", day * history.DAY, None, 1) for day in (8, 9)]
    assert history.outdated(known, keep_days=1, keep_runs=None) == known[:1]
