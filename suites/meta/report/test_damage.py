"""Damaged files, and records that are none: red until told otherwise, one line each."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fixtures import __main__ as command
from suites.meta.places import ROOT
from suites.meta.report.planted import CUT, record, written


@pytest.fixture
def report() -> ModuleType:
    """The command, which needs jinja2 and rich."""
    return pytest.importorskip("fixtures.commands.report", reason="pip install --group report")


def cut(folder: Path) -> Path:
    """A file whose last line an interrupted run left."""
    path = written(folder, record())
    path.write_text(path.read_text("utf-8") + CUT, "utf-8")
    return path


@pytest.mark.parametrize("tail", [CUT, "{", '"a', "\x00" * 40, CUT + "\n", CUT + "\n\n"])
def test_a_last_line_cut_short_is_red(
    tail: str, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the interrupted run would have said is not known: exit code 1, the title and a line say so."""
    path = written(tmp_path, record())
    path.write_text(path.read_text("utf-8") + tail, "utf-8")
    assert report.main([str(path), "--output", str(tmp_path / "out")]) == 1
    text = capsys.readouterr().out
    assert text.splitlines()[0] == "Nothing is red in 1 cell, 1 record file cut short"
    assert f"{path}:2: last line cut short" in text.replace("\n", "")
    assert "1 record file cut short" in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_an_old_green_does_not_hide_a_line_cut_short(tmp_path: Path, report: ModuleType) -> None:
    """The red record that was being written replaces no older one, and still the report is red."""
    written(tmp_path, record("passed", 1))
    (tmp_path / "b.jsonl").write_text(record("failed", 2).to_json()[:-20])
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1


def test_a_damaged_file_may_be_allowed(
    tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """--allow-damaged leaves out what is no record, at the end and elsewhere, and names it."""
    path = cut(tmp_path)
    path.write_text("no record\n" + path.read_text("utf-8"), "utf-8")
    out = ["--output", str(tmp_path / "out")]
    assert report.main([str(path), *out]) == 2
    assert not (tmp_path / "out").exists()
    capsys.readouterr()
    assert report.main([str(path), *out, "--allow-damaged"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert [f"{path}:{n}: " in line for n, line in zip((3, 1), lines, strict=True)] == [True, True]


def test_only_damage_is_no_report_even_when_allowed(tmp_path: Path, report: ModuleType) -> None:
    """Without one whole record there is nothing to report: exit code 2."""
    (tmp_path / "a.jsonl").write_text("no record\nnor this\n")
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out"), "--allow-damaged"]) == 2


WRONG: dict[str, Any] = {
    "stage": 7, "model": {"framework": "pytorch"}, "opset": "11", "tensorrt": {"version": 8}, "device": [],
    "baseline": "trt", "dependencies": {"numpy": None}, "precision": None, "batch": 8, "message": ["a"],
    "seconds": "long", "samples": "123", "run_id": 5, "commit": {}, "time": "yesterday", "rerun": 1.5,
    "metrics": {"worst": {"value": 10**400}}, "schema": 3, "verdict": "fine", "unknown": 1,
}  # fmt: skip


@pytest.mark.parametrize("field", WRONG)
def test_a_field_of_another_type_is_one_line_that_names_it(
    field: str, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every field of a record is looked at before anything is computed from it."""
    row = json.loads(record().to_json()) | {field: WRONG[field]}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert report.main([str(path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert f"{path}:1: " in error
    assert "delete that line" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("bytes_", [b"\x89PNG\r\n\x1a\n\x00\xff\xfe", b"[" * 100_000, b"\xff" * 9])
def test_bytes_of_a_file_are_not_printed(
    bytes_: bytes, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another kind of file is named by line, without what is in it."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(bytes_ + b"\n" + record().to_json().encode() + b"\n")
    assert report.main([str(path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert f"{path}:1: " in error
    assert error.isascii()
    assert len(error) < 1000


@pytest.mark.parametrize(
    "content", [b"no record\n" * 9, b"a,b\n1,2\n", b"\x08\x0a\x12\n\x07pytorch\n\xff{\n", b"words"]
)
def test_a_file_of_another_kind_is_one_line(
    content: bytes, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A text, a table, an ONNX file: it is said that it is none, and nothing of deleting its lines."""
    path = tmp_path / "some.onnx"
    path.write_bytes(content)
    assert report.main([str(path), "--output", str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path}: is no record file: none of its lines is JSON" in line
    assert "delete" not in line


READERS = (
    ["report", "IN", "-o", "OUT/report"], ["export", "csv", "IN", "-o", "OUT/csv"],
    ["export", "junit", "IN", "-o", "OUT/junit"], ["history", "import", "IN", "--db", "OUT/db"],
)  # fmt: skip
"""What reads a folder of records, IN."""


def placed(words: Iterable[str], folder: Path) -> list[str]:
    """Return words with the places that they name: the folders in and out."""
    return [re.sub("^(IN|OUT)", lambda name: f"{folder}/{name[0].lower()}", word) for word in words]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_regular_file_is_named(
    kind: str, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe that nobody writes to is not waited for; the records of a link that leads nowhere are missed."""
    file = written(tmp_path / "in", record()).with_name("b.jsonl")
    os.mkfifo(file) if kind == "pipe" else file.symlink_to("nowhere.jsonl")
    assert command.main(placed(words, tmp_path)) == 2
    assert f"{file}: is no regular file" in capsys.readouterr().err


CLOSED = """
import sys
from fixtures.__main__ import main
for words in sys.argv[1].split(";"):
    print(main(words.split()), flush=True)
"""


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    """What is red in it is not left out: exit code 1, and nothing is written."""
    closed = written(tmp_path / "in" / "closed", record("failed")).parent
    written(tmp_path / "in", record("passed", opset=12), name="b.jsonl")
    closed.chmod(0)
    lines = [" ".join(placed(words, tmp_path)) for words in READERS]
    as_others = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    child = [sys.executable, "-c", CLOSED, ";".join(lines)]
    try:
        done = subprocess.run([*as_others, *child], cwd=ROOT, capture_output=True, text=True, check=True)
    finally:
        closed.chmod(0o755)
    assert done.stdout.split() == ["1"] * len(READERS)
    assert done.stderr.count(f"{closed}: Permission denied") == len(READERS)
    assert not any((tmp_path / "out").glob("*"))


def test_errors_without_end_are_counted(
    tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of another kind is some lines on the terminal, not thousands."""
    (tmp_path / "a.jsonl").write_text("{}\n" * 5000)
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) < 10
    assert any("4995 more lines that are no record" in line for line in lines)


@pytest.mark.parametrize("stage", ["tensorrt-parity", "convert"])
def test_nothing_executed_is_said_in_title_and_exit_code(
    stage: str, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where every stage was not run, what tables predict does not make the report green."""
    predicted = record("passed", 1, stage="support")
    unrun = [record("not-run", 1, stage=stage, opset=opset) for opset in (11, 12)]
    written(tmp_path, *unrun, predicted)
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().out.startswith("Nothing was executed, 2 not run\n")
    title = (tmp_path / "out" / "index.html").read_text("utf-8").split("<title>")[1].split("</title>")[0]
    assert title == "Nothing was executed, 2 not run · trt-parity"


def test_an_output_that_cannot_be_written_is_one_line(
    tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file where the folder should be is named; exit code 1."""
    (tmp_path / "out").write_text("")
    assert report.main([str(written(tmp_path, record())), "--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert str(tmp_path / "out") in error
