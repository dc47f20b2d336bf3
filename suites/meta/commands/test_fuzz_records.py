"""Many bad record files for the report: one line each, never a traceback, never a silent success."""

import contextlib
import io
import json
import shutil
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from fixtures.records import Metric, Record
from fixtures.report.reading import read_files
from suites.meta.gates.mutations import COUNT
from suites.meta.report.planted import H100, record

pytestmark = pytest.mark.slow
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 7, 2**70, 1e308, "", "text", "\x1b[2J", "nan", "\ud800", "y" * 5000, [], [1], [[]],
    {}, {"a": 1}, {"name": None}, {"name": "x", "flavour": 3}, {"value": "long"}, "2099-01-01",
    "0001-01-01T00:00:00+14:00",
)  # fmt: skip


@cache
def whole() -> tuple[bytes, ...]:
    """Return the lines of records of many stages, a failed one as the second."""
    before = {"flavour": "tensorrt", "version": "8.6", "before": "builds"}
    made = [
        record("passed", 1, metrics={"worst": Metric(0.5, limit=1.0)}, device=H100),
        record("failed", 1, stage="tensorrt-parity", message="guilty hop: builder\nboxes differ"),
        record("not-run", 2, stage="latency", message="no GPU"),
        record("passed", 2, stage="latency", runtime="engine", samples=(1.0, 2.0, 3.0)),
        record("passed", 2, stage="int8-accuracy", metrics={"drop": Metric(0.01, limit=0.02)}),
        record("passed", 3, stage="migration", baseline=before),
        Record("convert", "unsupported", {"name": "a"}, opset=None),
    ]
    return tuple(one.to_json().encode() for one in made)


def bad_files(folder: Path, count: int) -> Iterator[Path]:
    """Write so many files, one after the other under one name, and yield the path of each."""
    path = folder / "bad.jsonl"
    for n in range(count):
        random = Random(n)  # noqa: S311  the same files in every run
        lines = [line for at, line in enumerate(whole()) if n % 2 or at != 1]
        changed = random.choice([_cut, _bytes, _field, _field, _field, _inner, _line])(lines, random)
        path.write_bytes(b"\n".join(changed) + b"\n" * random.randrange(3))
        yield path


def _cut(lines: list[bytes], random: Random) -> list[bytes]:
    return [*lines[:-1], lines[-1][: random.randrange(1, len(lines[-1]))]]


def _bytes(lines: list[bytes], random: Random) -> list[bytes]:
    data = bytearray(b"\n".join(lines))
    at, length = random.randrange(len(data)), random.randrange(1, 30)
    data[at : at + random.choice([0, length])] = random.choice([b"", random.randbytes(length), bytes(length)])
    return [bytes(data)]


def _field(lines: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(lines))
    row = json.loads(lines[at])
    row[random.choice([*row, "unknown"])] = random.choice(ODD)
    if random.random() < 0.2:
        del row[random.choice(list(row))]
    return [*lines[:at], json.dumps(row).encode(), *lines[at + 1 :]]


def _inner(lines: list[bytes], random: Random) -> list[bytes]:
    at = random.randrange(len(lines))
    row = json.loads(lines[at])
    field = random.choice(["model", "tensorrt", "baseline", "device", "dependencies"])
    row[field] = row[field] | {random.choice(["name", "version", "before", "worst"]): random.choice(ODD)}
    row["metrics"] = row["metrics"] | {"odd": {random.choice(["value", "limit", "unit"]): random.choice(ODD)}}
    return [*lines[:at], json.dumps(row).encode(), *lines[at + 1 :]]


def _line(lines: list[bytes], random: Random) -> list[bytes]:
    odd = [b"[" * 9000, b"{}", b"[]", b"7", b'"a"', b"null", b"\xff\xfe\x00", b"1" * 9000, b"\x1b[2J"]
    return [*lines, random.choice(odd), *lines[:1]]


def outcome(report: ModuleType, path: Path, output: Path) -> str:
    """Run the report on a file, and say how it ended."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = report.main([str(path), "--output", str(output)])
    except Exception as error:  # what a user would see as a traceback
        return f"traceback: {type(error).__name__}: {error}"
    said = err.getvalue().splitlines()
    if hidden := {c for c in out.getvalue() + err.getvalue() if not c.isprintable() and c != "\n"}:
        return f"control characters {hidden}"
    if code == 2:
        clear = said and all(f"{path}" in line and len(line) < 1100 for line in said)
        return "refused" if clear and not output.exists() else f"unclear: {said}"
    files = read_files([path])
    if said or files.errors or not (output / "index.html").exists():
        return f"silent: {said} {files.errors}"
    red = any(one.record.verdict in {"failed", "crashed"} for one in files.found)
    return {1: "red", 0: "green"}[code] if (code == 1) == (red or bool(files.cut)) else "wrong exit code"


def test_many_bad_record_files_are_shown_or_refused(tmp_path: Path) -> None:
    """What is no record ends with file, line and remedy; the rest is a report with the right exit code."""
    report = pytest.importorskip("fixtures.commands.report", reason="pip install --group report")
    (tmp_path / "in").mkdir()
    output = tmp_path / "out"
    counts: Counter[str] = Counter()
    for path in bad_files(tmp_path / "in", COUNT):
        counts[outcome(report, path, output)] += 1
        shutil.rmtree(output, ignore_errors=True)
    assert counts.keys() <= {"refused", "red", "green"}
    assert counts.total() == COUNT
    assert counts["refused"] >= 0.4 * COUNT
    assert min(counts["red"], counts["green"]) >= 0.01 * COUNT
