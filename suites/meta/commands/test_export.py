"""The command `export`: what it writes where, and what it says of bad input and wrong calls."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from fixtures import __main__ as command
from fixtures.commands import export
from fixtures.exports.formats import NAMES
from fixtures.records import Metric
from suites.meta.exports.readers import READERS
from suites.meta.report.planted import CUT, record, written

TIMED = {"stage": "latency", "metrics": {"median": Metric(1.5, "ms"), "kept": Metric(99, "%", True)}}


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A folder with two runs of one case."""
    written(tmp_path / "records", record("passed", 1, **TIMED))
    written(tmp_path / "records", record("failed", 2, **TIMED), name="b.jsonl")
    return tmp_path / "records"


def run(*words: object) -> int:
    """Run the command in this process."""
    return command.main(["export", *map(str, words)])


@pytest.mark.parametrize("name", NAMES)
def test_each_format_is_written_to_a_file(name: str, records: Path, tmp_path: Path) -> None:
    """Its tool reads it, other users may read it, and nothing else is left behind."""
    output = tmp_path / "out" / "file"
    assert run(name, records, "-o", output) == 0
    assert READERS[name](output.read_bytes())
    assert [path.name for path in output.parent.iterdir()] == ["file"]
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(output.stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("name", ["csv", "junit"])
def test_a_dash_is_standard_output(
    name: str, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:  # fmt: skip
    """As without the option, and no file of that name is made."""
    monkeypatch.chdir(tmp_path)
    said = []
    for output in ([], ["-o", "-"]):
        assert command.main(["export", name, str(records), *output]) == 0
        said.append(capfdbinary.readouterr().out)
    assert said[0] == said[1] != b""
    assert not Path("-").exists()


@pytest.mark.parametrize(("options", "count"), [([], 2), (["--latest"], 1)])
def test_formats_of_rows_have_every_run(
    options: list[str], count: int, records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row a record of each run, or with --latest of the run that counts, on standard output."""
    assert run("csv", records, *options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == count + 1
    assert "failed" in lines[-1]


def test_other_formats_have_the_record_that_counts(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One testcase, of the newer run."""
    assert run("junit", records) == 0
    text = capsys.readouterr().out
    assert (text.count("<testcase"), text.count("<failure")) == (1, 1)


def test_a_pattern_chooses_metrics(records: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what fits is followed; a format that has all metrics takes no pattern."""
    assert run("github-smaller", records, "--metric", "p*") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run("bencher", records, "--metric", "ke*", "--metric", "med*") == 0
    (measures,) = json.loads(capsys.readouterr().out).values()
    assert measures.keys() == {"kept", "latency"}


@pytest.mark.parametrize("name", ["github-smaller", "prometheus", "hud"])
def test_a_metric_that_is_none_writes_nothing(
    name: str, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt one would be an empty series for ever; one that other records have is none of these."""
    out = tmp_path / "out"
    assert run(name, records, "--metric", "medain", "-o", str(out)) == 1
    assert "--metric medain: no record has such a metric; did you mean median" in capsys.readouterr().err
    assert not out.exists()
    assert run(name, records, "--metric", "engine_size", "--metric", "kept", "-o", str(out)) == 0


def test_the_step_summary_is_appended_to(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What other steps wrote stays, and what would be more than GitHub takes is refused."""
    path = tmp_path / "summary.md"
    path.write_text("before\n")
    monkeypatch.setenv(export.STEP_SUMMARY, str(path))
    assert run("summary", records, "--step-summary") == 0
    assert path.read_text("utf-8").startswith("before\n## trt-parity: 1 of 1 cells is red")
    path.write_bytes(b"x" * (1 << 20))
    assert run("summary", records, "--step-summary") == 1
    assert path.stat().st_size == 1 << 20


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["junit", "--metric", "p95"], "--metric: junit has all metrics or none"),
        (["junit", "--latest"], "--latest: junit always has one record a case"),
        (["csv", "--step-summary"], "--step-summary is about the format summary"),
        (["summary", "--step-summary"], "GITHUB_STEP_SUMMARY is not set"),
        (["xml"], "invalid choice: 'xml'"),
    ],
)
def test_options_that_do_not_fit_are_a_wrong_call(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and one line says what to do."""
    monkeypatch.delenv(export.STEP_SUMMARY, raising=False)
    with pytest.raises(SystemExit) as ended:
        run(words[0], "records", *words[1:])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("name", ["junit", "csv"])
def test_damage_writes_nothing(
    name: str, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line that is no record ends with file and line, unless it may be left out."""
    records.joinpath("b.jsonl").write_text('{"schema": 9}\n' + record().to_json() + "\n")
    output = tmp_path / "out"
    assert run(name, records, "-o", output) == 2
    assert not output.exists()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: {records / 'b.jsonl'}:1: not a record of schema 1 or 2")
    assert run(name, records, "-o", output, "--allow-damaged") == 0
    assert capsys.readouterr().err.startswith(f"left out: {records / 'b.jsonl'}:1: ")


@pytest.mark.parametrize("name", ["junit", "csv"])
def test_a_line_cut_short_is_said_and_the_rest_is_written(
    name: str, records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an interrupted run has is exported, with exit code 1."""
    with records.joinpath("b.jsonl").open("a") as file:
        file.write(CUT)
    assert run(name, records, "-o", tmp_path / "out") == 1
    assert READERS[name]((tmp_path / "out").read_bytes())
    assert "last line cut short" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["junit", "csv"])
def test_an_empty_folder_has_no_records(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named, with what makes records; so is a path that is not there."""
    for path in (tmp_path, tmp_path / "absent"):
        assert run(name, path, "-o", tmp_path / "out") == 2
        assert "tox run -m matrix" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_records_of_an_older_schema_are_exported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record of schema 1 has no batch: it is one of batch 1."""
    old = '{"stage": "convert", "verdict": "passed", "model": {"name": "digits"}, "opset": 11, "schema": 1}\n'
    (tmp_path / "old.jsonl").write_text(old)
    assert run("prometheus", tmp_path) == 0
    assert 'opset="11",precision="fp32",batch="1",verdict="passed"' in capsys.readouterr().out


def test_parquet_without_pyarrow_says_what_to_install(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The dependency group is named, and no file is left."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert run("parquet", records, "-o", tmp_path / "out") == 1
    assert "pip install --group parquet" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_one_line(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where the folder should be is named."""
    (tmp_path / "file").write_text("")
    assert run("csv", records, "-o", tmp_path / "file" / "out.csv") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path / "file") in line
