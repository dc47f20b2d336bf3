"""The commands of a history: what they print, their exit codes, and bad input."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures import __main__ as command
from fixtures.history import history
from fixtures.records import Metric, Record
from suites.meta.report.planted import CUT, record, written


def run(*words: object) -> int:
    """Run a command in this process."""
    return command.main(["history", *map(str, words)])


def timed(day: int, value: float) -> Record:
    """Return a record of a latency."""
    return record("passed", day, stage="latency", metrics={"median": Metric(value, "ms", limit=9.0)})


@pytest.fixture
def db(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A history of three runs, made by the command."""
    written(tmp_path / "in", timed(1, 2.0), record("failed", 1, message="boxes\x1b[2J differ"))
    written(tmp_path / "in", timed(2, 3.0), timed(3, 1.5), name="b.jsonl")
    assert run("import", tmp_path / "in", "--db", tmp_path / "h.sqlite") == 0
    assert [line.rsplit(": ")[1] for line in capsys.readouterr().out.splitlines()] == ["2 records, 2 new"] * 2
    return tmp_path / "h.sqlite"


def test_an_import_can_be_run_again(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is new the second time; a history is imported as a record file is."""
    assert run("import", tmp_path / "in", db, "--db", db) == 0
    assert [line.split(", ")[1] for line in capsys.readouterr().out.splitlines()] == ["0 new"] * 3


def test_export_gives_back_what_was_imported(db: Path, tmp_path: Path) -> None:
    """The lines of all files, byte for byte."""
    assert run("export", "--db", db, "-o", tmp_path / "out.jsonl") == 0
    files = [(tmp_path / "in" / name).read_bytes() for name in ("a.jsonl", "b.jsonl")]
    assert (tmp_path / "out.jsonl").read_bytes() == b"".join(files)


def test_a_dash_is_standard_output(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As without the option, and no file of that name is made."""
    monkeypatch.chdir(tmp_path)
    said = []
    for output in ([], ["-o", "-"]):
        assert run("export", "--db", db, *output) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != ""
    assert not Path("-").exists()


def test_query_prints_a_table(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line a record, under a head; no control character of a message reaches the terminal."""
    assert run("query", "--db", db, "--verdict", "failed") == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.split() == ["time", "run", "verdict", "case", "message"]
    assert line.endswith("boxes\\x1b[2J differ")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_query_prints_rows_for_programs(form: str, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSONL as a record file has it, or CSV as the export has it."""
    assert run("query", "--db", db, "--stage", "latency", "--limit", 2, "--as", form) == 0
    out = capsys.readouterr().out
    rows = (
        [json.loads(line) for line in out.splitlines()]
        if form == "jsonl"
        else [*csv.DictReader(io.StringIO(out))]
    )
    assert [row["run_id"] for row in rows] == ["day-2", "day-3"]


def test_trend_shows_a_metric_over_the_runs(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A series a case, oldest first, each value with its ratio to the one before."""
    assert run("trend", "dig*", "median", "--db", db) == 0
    title, _, *lines, outcome = capsys.readouterr().out.splitlines()
    assert title == (
        "latency / digits / opset 11 / rtx 1.7.1.116 / fp32: median (ms), "
        "3 records of 2026-01-01 to 2026-01-03; lower is better"
    )
    assert [" ".join(line.split()[3:]) for line in lines] == [
        "2 ms 9", "3 ms 9 1.5 times, worse", "1.5 ms 9 0.5 times, better"
    ]  # fmt: skip
    assert outcome == "The newest run, day-3, against the one before: 0.5 times, better. Nothing to do."


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([2.0], "Add the records of another run: python -m fixtures history import records --db {db}"),
        ([2.0, 2.0], "The newest run, day-2, against the one before: the same. Nothing to do."),
        ([2.0, 2.05], "against the one before: 1.025 times, about the same. Nothing to do."),
        (
            [2.0, 3.0],
            "1.5 times, worse; run it again: tox; to make that red: pytest suites --baseline compare.",
        ),
        ([2.0, 9.5], "The newest is beyond its limit; run it again: tox."),
        (
            [0.0, 3.0],
            "3 after 0, worse; run it again: tox; to make that red: pytest suites --baseline compare.",
        ),
        ([2.0, float("nan")], "The newest is beyond its limit; run it again: tox."),
    ],
)
def test_trend_says_what_to_do(
    values: list[float], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each series ends in what the newest run changed."""
    records = [replace(timed(day, value), rerun="tox") for day, value in enumerate(values, 1)]
    assert run("import", written(tmp_path, *records), "--db", tmp_path / "h.sqlite") == 0
    assert run("trend", "digits", "median", "--db", tmp_path / "h.sqlite") == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith(says.format(db=tmp_path / "h.sqlite"))


def test_trend_judges_no_metric_of_unknown_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More layers are more, and neither worse nor better; more images a second are better."""
    metrics = [
        {"layers": Metric(float(count)), "rate": Metric(float(count), "images/s", higher_is_better=True)}
        for count in (10, 20)
    ]
    records = [record("passed", day, metrics=found) for day, found in enumerate(metrics, 1)]
    run("import", written(tmp_path, *records), "--db", tmp_path / "h.sqlite")
    for name, says in (
        ("layers", "2 times, higher. Nothing to do."),
        ("rate", "2 times, better. Nothing to do."),
    ):
        run("trend", "digits", name, "--db", tmp_path / "h.sqlite")
        assert capsys.readouterr().out.splitlines()[-1].endswith(says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["digit", "median"], "no record is such; models are digits"),
        (["digits", "medan"], "no record has a metric 'medan'; there are median"),
    ],
)
def test_trend_names_the_nearest(
    words: list[str], says: str, db: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model or metric that is not there ends in one line with those that are."""
    assert run("trend", *words, "--db", db) == 1
    assert says in capsys.readouterr().err


def test_prune_says_what_it_would_delete(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run names the runs and deletes none; the other one does what was said."""
    assert run("prune", "--db", db, "--keep-runs", 2, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["day-1", "2026-01-01", "10:00:00", "2"]
    assert lines[-1] == "1 runs with 2 records would be deleted"
    assert len(history.lines(db)) == 4
    assert run("prune", "--db", db, "--keep-runs", 2) == 0
    assert "1 runs with 2 records deleted" in capsys.readouterr().out
    assert len(history.lines(db)) == 2


@pytest.mark.parametrize(
    "words",
    [
        ["prune"], ["prune", "--keep-runs", "0"], ["query", "--since", "yesterday"],
        ["query", "--verdict", "fine"], ["query", "--limit", "-1"],
    ],
)  # fmt: skip
def test_a_wrong_call_changes_nothing(words: list[str], db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and the last line says what was expected."""
    with pytest.raises(SystemExit) as ended:
        run(*words, "--db", db)
    assert ended.value.code == 2
    assert words[-1] in capsys.readouterr().err.splitlines()[-1]
    assert len(history.lines(db)) == 4


def test_nothing_found_is_exit_code_1(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A query without an answer says so."""
    assert run("query", "--db", db, "--model", "absent", "--since", "2026-01-01") == 1
    assert capsys.readouterr() == ("", f"{db}: no record is such\n")


def test_a_damaged_file_is_left_out_whole(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files beside it are imported; its good lines too where that is allowed."""
    bad = tmp_path / "bad"
    written(bad, record(opset=7), name="z.jsonl")
    (bad / "a.jsonl").write_text("no record\n" + record(opset=8).to_json() + "\n")
    assert run("import", bad, "--db", db) == 2
    captured = capsys.readouterr()
    assert captured.out == f"{bad / 'z.jsonl'}: 1 records, 1 new\n"
    assert captured.err.startswith(f"error: {bad / 'a.jsonl'}:1: no JSON")
    assert run("import", bad, "--db", db, "--allow-damaged") == 0
    assert len(history.lines(db)) == 6


def test_a_line_cut_short_is_exit_code_1(
    db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is before it is in."""
    path = written(tmp_path / "cut", record(opset=7))
    path.write_text(path.read_text() + CUT)
    assert run("import", path, "--db", db) == 1
    captured = capsys.readouterr()
    assert "1 records, 1 new" in captured.out
    assert "last line cut short" in captured.err


def test_an_empty_folder_makes_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a record there is nothing to keep."""
    (tmp_path / "empty").mkdir()
    assert run("import", tmp_path / "empty", "--db", tmp_path / "h.sqlite") == 2
    assert "no records found" in capsys.readouterr().err
    assert not (tmp_path / "h.sqlite").exists()


@pytest.mark.parametrize("words", [["query"], ["trend", "a", "b"], ["prune", "--keep-runs", "1"], ["export"]])
@pytest.mark.parametrize(
    ("text", "says"), [(None, "no such history"), ("text", "expected an SQLite database")]
)
def test_what_is_no_history_is_one_line(
    words: list[str], text: str | None, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command names the file and what is wrong with it; exit code 1."""
    db = tmp_path / "h.sqlite"
    if text:
        db.write_text(text)
    assert run(*words, "--db", db) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(db) in line
    assert says in line
