"""The report: which record counts, which verdict a cell shows, what is written, how it exits."""

import csv
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.exports import csv_table
from fixtures.records import Metric, Record, append, read
from fixtures.report.folding import alike, alike_opsets
from fixtures.report.join import join
from fixtures.report.matrix import Cell, Column, build_matrix, red, worst_error
from fixtures.report.tables import accuracy_table, from_to, latency_table, percentile, reasons
from fixtures.verdicts import VERDICTS, Verdict

RTX = {"flavour": "tensorrt-rtx", "version": "1.7.1.116"}
CUT = '{"schema": 1, "stage": "conv'


def record(verdict: Verdict = "passed", minute: int = 0, **fields: Any) -> Record:
    """Make one record of a small model at opset 11."""
    defaults: dict[str, Any] = {
        "stage": "tensorrt-build", "model": {"name": "digits", "framework": "pytorch"}, "opset": 11,
        "tensorrt": RTX, "run_id": "run-1", "time": f"2026-01-01T10:{minute:02d}:00+00:00",
    }  # fmt: skip
    return Record(verdict=verdict, **(defaults | fields))


def written(folder: Path, *records: Record) -> Path:
    """Write records to one file and return it."""
    for one in records:
        append(folder / "a.jsonl", one)
    return folder / "a.jsonl"


def test_predicted_releases_of_equal_verdicts_are_folded() -> None:
    """Neighbours that say the same are one section; another verdict or a build begins a new one."""

    def at(version: str, verdict: Verdict, **fields: Any) -> Record:
        return record(
            verdict, stage="support", tensorrt={"flavour": "tensorrt", "version": version}, **fields
        )

    rows = [at("7.0", "unsupported"), at("7.1", "passed"), at("7.2", "passed"), at("10.0", "passed")]
    assert alike(build_matrix([*rows, record()])) == [
        ["rtx 1.7.1.116"],
        ["trt 7.0, predicted"],
        ["trt 7.1, predicted", "trt 7.2, predicted", "trt 10.0, predicted"],
    ]


@pytest.mark.parametrize(
    ("last", "folded"),
    [
        ([], [[10, 11], [13]]),
        ([record("passed", opset=13)], [[10, 11, 13]]),
        ([record("failed", opset=13)], [[10, 11], [13]]),
        ([record("passed", opset=13, model={"name": "lenet"}), record("passed", opset=13)], [[10, 11], [13]]),
        ([record("passed", opset=13), record("not-run", opset=13, stage="latency")], [[10, 11], [13]]),
    ],
    ids=["nothing", "the same", "another verdict", "a row more", "a stage not run"],
)
def test_neighbouring_opsets_at_which_all_is_alike_are_folded(
    last: list[Record], folded: list[list[int]]
) -> None:
    """Whatever was measured there; opset 13 alone has what is given, or else only another runtime does."""
    rows = [record("passed", opset=opset, metrics=worst(opset)) for opset in (10, 11)]
    elsewhere = record("passed", opset=13, model={"name": "lenet"}, stage="tensorrt-parity")
    matrix = build_matrix([*rows, *(last or [elsewhere])])
    assert alike_opsets(matrix, ["rtx 1.7.1.116"], {}) == {"rtx 1.7.1.116": folded}


def worst(value: float) -> dict[str, Metric]:
    """Return an error as a part of what is allowed."""
    return {"worst": Metric(value, "of allowed", limit=1.0)}


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2026-01-31T10:00:07+00:00", "2026-01-31T10:07:59+00:00", "2026-01-31 10:00 to 10:07 UTC"),
        ("2026-01-31T10:00:07.25+00:00", "2026-01-31T10:00:59+00:00", "2026-01-31 10:00 UTC"),
        ("2026-01-31T23:59:00Z", "2026-02-01T00:01:00Z", "2026-01-31 23:59 UTC to 2026-02-01 00:01 UTC"),
        ("2026-01-31T10:00:07+02:00", "2026-01-31T10:07:00Z",
         "2026-01-31 10:00+02:00 to 2026-01-31 10:07 UTC"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_when_a_run_was_says_what_its_ends_share_once(first: str, last: str, text: str) -> None:
    """Day and zone; seconds are of no use there."""
    assert from_to(first, last) == text


@pytest.fixture
def report() -> ModuleType:
    """Return the command line of the report, which needs jinja2 and rich."""
    return pytest.importorskip(
        "fixtures.commands.report", reason="needs jinja2 and rich: pip install --group report"
    )


numbers = st.floats(allow_nan=True, allow_infinity=True)
metrics = st.builds(Metric, numbers, st.text(), st.booleans(), st.none() | numbers)
texts = st.dictionaries(st.text(), st.text(), max_size=3)
any_record = st.builds(
    Record, stage=st.text(), verdict=st.sampled_from(VERDICTS), model=texts,
    opset=st.none() | st.integers(), tensorrt=texts,
    metrics=st.dictionaries(st.text(), metrics, max_size=3), message=st.text(),
    samples=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3).map(tuple),
)  # fmt: skip


@given(any_record)
def test_a_record_survives_its_json_line(one: Record) -> None:
    """A record read back is the record written, NaN and infinities included."""
    line = one.to_json()
    back = Record.from_json(line)
    assert "\n" not in line
    assert repr(back) == repr(one)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("failed", "passed", "passed"),
        ("passed", "failed", "failed"),
        ("passed", "not-run", "passed"),
        ("crashed", "not-run", "crashed"),
        ("unsupported", "not-run", "unsupported"),
        ("not-run", "failed", "failed"),
    ],
)
@pytest.mark.parametrize("order", [1, -1], ids=["in-order", "reversed"])
def test_the_latest_executed_record_counts(
    first: Verdict, second: Verdict, kept: Verdict, order: int, tmp_path: Path
) -> None:
    """The record of the later run replaces the earlier, unless the later was not run."""
    written(tmp_path, *[record(first, 1, run_id="a"), record(second, 2, run_id="b")][::order])
    assert [one.verdict for one in join([tmp_path]).records] == [kept]


def test_a_folder_is_searched_to_its_bottom(tmp_path: Path) -> None:
    """Files in folders below count, and the same record in two files is one record."""
    written(tmp_path / "x" / "y", record())
    written(tmp_path, record(), record(opset=12))
    joined = join([tmp_path, tmp_path / "x"])
    assert [one.opset for one in joined.records] == [11, 12]
    assert [(run.run_id, run.count, run.kept) for run in joined.runs] == [("run-1", 2, 2)]


@pytest.mark.parametrize(
    "damage",
    [CUT, "[]", "7", '{"schema": 0}', '{"schema": 1}', '{"schema": 1, "verdict": "fine"}',
     '{"schema": 1, "verdict": "passed", "stage": "convert", "model": {}}',
     '{"schema": 1, "verdict": "passed", "metrics": {"worst": {"size": 1}}}'],
)  # fmt: skip
def test_a_damaged_line_is_an_error_that_names_it(
    damage: str, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line that is no record ends with exit code 2, file, line and remedy, and writes nothing."""
    path = written(tmp_path, record())
    good = path.read_text("utf-8")
    path.write_text(f"{good}{damage}\n{good}", "utf-8")
    assert report.main([str(path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert f"{path}:2: " in error
    assert "tox run -m matrix" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["passed", "not-run"], "passed"),
        (["not-run"], "not-run"),
        (["failed", "crashed", "passed"], "crashed"),
        (["not-run", "failed", "passed"], "failed"),
        (["passed", "unsupported"], "unsupported"),
        (["unsupported", "xfailed", "passed"], "xfailed"),
    ],
)
def test_a_cell_shows_the_worst_of_what_was_executed(verdicts: list[Verdict], expected: Verdict) -> None:
    """Red comes first, and a stage that was not run hides nothing."""
    for order in (verdicts, verdicts[::-1]):
        matrix = build_matrix(record(verdict, number) for number, verdict in enumerate(order))
        assert [cell.verdict for cell in matrix.cells.values()] == [expected]


def test_a_passed_build_without_parity_is_marked_partial() -> None:
    """A cell says when its verdict rests on some of its stages only."""
    found = [record(), record("not-run", stage="tensorrt-parity")]
    cell = build_matrix(found).cells["digits", Column("rtx 1.7.1.116", 11)]
    assert isinstance(cell, Cell)
    assert (cell.verdict, cell.partial, cell.not_run) == ("passed", True, 1)


@pytest.mark.parametrize(
    ("fields", "group"),
    [
        ({}, "rtx 1.7.1.116"),
        ({"tensorrt": {"flavour": "tensorrt", "version": "10.3.0"}}, "trt 10.3.0"),
        ({"tensorrt": {}}, "no TensorRT"),
        ({"tensorrt": {}, "stage": "convert"}, "ONNX Runtime"),
        ({"tensorrt": {}, "stage": "latency", "runtime": "tensorrt"}, "no TensorRT"),
        ({"tensorrt": {}, "stage": "latency", "opset": None}, "source framework"),
    ],
)
def test_a_record_has_its_column(fields: dict[str, Any], group: str) -> None:
    """TensorRT stages stand under their version, all others under ONNX Runtime."""
    assert list(build_matrix([record(**fields)]).groups) == [group]


def test_versions_and_models_sort_as_numbers() -> None:
    """Version 1.10 comes after 1.9, and model 10 after model 9."""
    versions = [{"flavour": "rtx", "version": v} for v in ("1.10.0", "1.9.0")]
    found = [record(tensorrt=trt, model={"name": name}) for trt in versions for name in ("m10", "m9")]
    matrix = build_matrix(found)
    assert list(matrix.groups) == ["rtx 1.9.0", "rtx 1.10.0"]
    assert [name for name, _ in matrix.models] == ["m9", "m10"]


def test_totals_count_every_record() -> None:
    """The totals name all six verdicts and add up to the records."""
    found = [record(verdict, opset=n) for n, verdict in enumerate([*VERDICTS, "passed"], 1)]
    totals = build_matrix(found).totals
    assert totals == dict.fromkeys(VERDICTS, 1) | {"passed": 2}
    assert {one.verdict for one in red(found)} == {"failed", "crashed"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"worst": 0.3, "a relative_l2": 9.0}, 0.3),
        ({"a relative_l2": 0.1, "b relative_l2": 0.2}, 0.2),
        ({"a worst": 5.0, "b worst": math.nan}, math.nan),
        ({"top1_fp32": 0.9}, None),
    ],
)
def test_the_worst_error_of_a_cell(found: dict[str, float], expected: float | None) -> None:
    """The worst metric goes before the norm, the greater before the less, NaN before all."""
    error = worst_error([record(metrics={name: Metric(value) for name, value in found.items()})])
    assert repr(error and error[1].value) == repr(expected)


@pytest.mark.parametrize(
    ("metrics", "name", "budget"),
    [
        ({"top1_fp32": 98, "top1_int8": 97, "drop": Metric(1, limit=2)}, "top1", "2 points"),
        ({"map_fp32": 50, "map50_fp32": 70, "kept_high": Metric(99, limit=98.5)}, "map", "98.5 % kept"),
        ({"score_fp32": 1, "drop_low": Metric(0, limit=1), "kept_high": Metric(99, limit=99)}, "score",
         "1 points, 99 % kept"),
        ({}, "", ""),
    ],
)  # fmt: skip
def test_a_row_of_accuracy_names_its_metric_and_budget(
    metrics: dict[str, float | Metric], name: str, budget: str
) -> None:
    """Whatever the metric is, and in old records, whose limit stands at the drop."""
    made = {key: one if isinstance(one, Metric) else Metric(one) for key, one in metrics.items()}
    (row,) = accuracy_table([record(stage="int8-accuracy", metrics=made)])
    assert (row.metric, row.budget) == (name, budget)


@pytest.mark.parametrize(("percent", "value"), [(0, 1.0), (50, 2.5), (75, 3.25), (100, 4.0)])
def test_percentiles_lie_between_the_ranks(percent: float, value: float) -> None:
    """Percentiles are interpolated linearly, in any order of samples."""
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == value


def test_scattered_samples_are_called_unstable() -> None:
    """A latency whose quartiles lie far apart says so."""
    samples = {"steady": (10.0, 10.1, 10.2, 10.1), "jumpy": (10.0, 20.0, 30.0, 11.0)}
    found = [
        record(stage="latency", runtime=name, tensorrt={}, samples=values) for name, values in samples.items()
    ]
    assert {row.runtime: row.unstable for row in latency_table(found)} == {
        "steady": False,
        "jumpy": True,
    }


def test_reasons_that_differ_by_case_only_are_one_reason() -> None:
    """Why stages were not run is grouped over models and opsets."""
    found = [
        record("not-run", opset=n, model={"name": m}, message=f"no ONNX model of {m} at opset {n}")
        for n in (11, 12)
        for m in ("digits", "yolov3-tiny")
    ]
    assert [(why, len(group)) for why, group in reasons(found)] == [("no ONNX model of … at opset …", 4)]


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("passed", 0), ("xfailed", 0), ("unsupported", 0), ("not-run", 1), ("failed", 1),
     ("crashed", 1)],
)  # fmt: skip
def test_the_exit_code_says_whether_anything_is_red(
    verdict: Verdict, code: int, tmp_path: Path, report: ModuleType
) -> None:
    """Failed and crashed records make the report fail, and nothing executed; its three files are there."""
    model = {"name": "digits", "framework": "pytorch", "digest": "0a"}
    path = written(tmp_path, record(verdict, model=model))
    assert report.main([str(path), "--output", str(tmp_path / "out")]) == code
    names = ["index.html", "pages", "records.csv", "records.jsonl"]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == names
    assert list(read(tmp_path / "out" / "records.jsonl")) == list(read(path))


@pytest.mark.parametrize("place", ["", "missing"])
def test_no_records_is_exit_code_two(
    place: str, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing to report is an error that says how to make records."""
    assert report.main([str(tmp_path / place), "--output", str(tmp_path / "out")]) == 2
    assert "tox run -m matrix" in capsys.readouterr().err


def test_what_is_red_is_printed_with_its_command(
    tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """The terminal shows the guilty hop, the difference and the command, markup left as it is."""
    message = "tensorrt-build digits: guilty hop: builder\n[bold]boxes[/bold] differ\nmore"
    path = written(tmp_path, record("failed", message=message, rerun="pytest -k digits"))
    report.main([str(path), "--output", str(tmp_path / "out")])
    text = capsys.readouterr().out
    assert all(part in text for part in ("✗F", *message.splitlines()[:2], "pytest -k digits"))


def test_the_page_escapes_messages(tmp_path: Path, report: ModuleType) -> None:
    """HTML in a message is shown, never run."""
    message, model = "<script>alert(1)</script>", {"name": '"><i>'}
    path = written(tmp_path, record("failed", message=message, rerun="<b>", model=model))
    report.main([str(path), "--output", str(tmp_path)])
    page = (tmp_path / "index.html").read_text("utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert not any(text in page for text in ("<script>alert", "<b></code>", '"><i>'))


def test_the_csv_has_one_row_per_record() -> None:
    """Commas and newlines in messages stay inside their field, and metrics have columns."""
    found = [record(message='a,"b"\nc', metrics={"worst": Metric(math.inf)}), record(opset=12)]
    rows = list(csv.DictReader("".join(csv_table.lines(found)).splitlines(keepends=True)))
    assert [row["opset"] for row in rows] == ["11", "12"]
    assert (rows[0]["message"], rows[0]["metric.worst"]) == ('a,"b"\nc', "inf")
