"""Each format is what its tool reads, whatever texts and numbers the records hold."""

import html
import io
import json
import math
from collections.abc import Callable
from functools import partial
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.exports import csv_table, series
from fixtures.exports.formats import NAMES
from fixtures.exports.series import Input
from fixtures.exports.text import block, line
from fixtures.records import Metric, Record
from suites.meta.exports.readers import READERS, markdown, texts, written
from suites.meta.report.planted import H100, record

EXOTIC = (
    'quote " and \' and `', "a\nb\r\nc\rd\te", "\x00\x08\x1b[2J\x7f\x9b31m", "\ufffe\uffff", "\ud800",
    "\u202egnp.exe", "<script>alert(1)</script> & </pre>", "]]>", "| pipe || \\| \\",
    "[link](javascript:alert(1)) https://example.org", "=1+1", "{label=\"x\"} # EOF", "名前 é", " ",
    "**b** _i_ ~~x~~ #1 @you", "🎉 $x$ {{ x }}", "-->", "\x1c\x85\u2028\u2029 ends",
)  # fmt: skip
STRANGE = st.one_of(st.sampled_from(EXOTIC), st.text(st.characters(), max_size=20))
NUMBERS = st.one_of(st.floats(), st.sampled_from((0.0, -0.0, 1e308, 5e-324, math.nan, math.inf)))


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Draw some texts and numbers, and make records that have them in each field."""
    pool, numbers = (
        cycle(draw(st.lists(STRANGE, min_size=2, max_size=5))),
        cycle(draw(st.lists(NUMBERS, min_size=2))),
    )
    return [strange(partial(next, pool), partial(next, numbers)) for _ in range(draw(st.integers(1, 3)))]


def strange(text: Callable[[], str], number: Callable[[], float]) -> Record:
    """Return a record of such texts and numbers; two of its values are usual."""
    metrics = {text(): Metric(number(), text(), limit=number()), text(): Metric(number(), text(), True)}
    usual = {"median": Metric(1.0, "ms"), "kept": Metric(99.0, "%", higher_is_better=True)}
    return Record(
        text() or "stage", "failed", {"name": text() or "m", "framework": text()}, converter=text(),
        precision=text(), route=text(), tensorrt={"flavour": "tensorrt", "version": text()}, runtime=text(),
        batch=text(), device={"name": text()}, dependencies={text(): text()}, message=text(), rerun=text(),
        run_id=text(), metrics=metrics | usual, samples=(number(), 1.0), commit=text(), seconds=number(),
        calibrator=text(), time="2026-01-01T10:00:00+00:00",
    )  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25)
@given(all_=records())
def test_whatever_a_record_holds_the_tool_reads_it(name: str, all_: list[Record]) -> None:
    """Every format is valid for any text and number, control characters and lone surrogates included."""
    followed = {"metrics": ("*",)} if name not in ("junit", "csv", "summary") else {}
    assert READERS[name](written(name, all_, **followed))


def shown(name: str, one: Record) -> list[str]:
    """Return texts that a format must hold of a record, as it writes them."""
    model = one.model["name"]
    if name in ("hud", "prometheus", "openmetrics"):
        return [line(model), line(one.device["name"])]
    if name.startswith("junit"):
        return [line(model), line(one.device["name"]), block(one.message)]
    if name == "csv":
        cell = block(model)
        return [f"'{cell}" if cell.startswith(csv_table.FORMULAS) else cell]
    if name == "parquet":
        return [text.encode("utf-8", "backslashreplace").decode() for text in (model, one.message)]
    return []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", EXOTIC)
def test_a_text_survives_or_is_written_out(name: str, text: str) -> None:
    """What the tool reads back is the text, with hidden characters as escapes."""
    metrics = {"median": Metric(1.0, "ms"), "top1_int8": Metric(99.0, "%", True)}
    model = {"name": text, "framework": text}
    one = record("failed", model=model, device={"name": text}, message=text, metrics=metrics, run_id=text)
    read = READERS[name](written(name, [one]))
    assert [expected for expected in shown(name, one) if expected not in read] == []
    joined = "\n".join(read)
    visible = html.escape(line(text)) if name == "summary" else line(text)
    assert visible in joined or name == "parquet" or (name == "csv" and block(text) in joined)


TIMED = record(
    stage="latency", runtime="tensorrt", device=H100, samples=(1.0, 2.0, 3.0, 4.0), message="steady",
    metrics={"median": Metric(2.5, "ms"), "iqr": Metric(1.5, "ms"), "build": Metric(3, "s", limit=9.0),
             "top1_int8": Metric(99.5, "%", higher_is_better=True), "sm_clock_before": Metric(1980, "MHz")},
)  # fmt: skip
CASE = "latency / digits / opset 11 / rtx 1.7.1.116 / fp32 / tensorrt / NVIDIA H100"


def test_github_benchmark_has_the_series_of_one_direction() -> None:
    """Name, value and unit; of a median half its interquartile range; the limit, verdict and run as extra."""
    smaller, bigger = (json.loads(written(f"github-{name}", [TIMED])) for name in ("smaller", "bigger"))
    median, build = smaller
    assert (median["name"], median["value"], median["unit"]) == (f"{CASE} / median", 2.5, "ms")
    assert median["range"] == "± 0.75"
    assert build["extra"].splitlines() == ["limit: 9", "verdict: passed", "run: day-1"]
    assert [entry["name"] for entry in bigger] == [f"{CASE} / top1_int8"]


def test_bencher_has_its_own_measures_in_its_units() -> None:
    """Latency is in nanoseconds with quartiles as bounds; other measures are named after metric and unit."""
    (measures,) = json.loads(written("bencher", [TIMED])).values()
    assert measures["latency"] == {"value": 2.5e6, "lower_value": 1.75e6, "upper_value": 3.25e6}
    assert measures["build-time"] == {"value": 3}
    assert measures.keys() == {"latency", "build-time", "top1-int8"}


def test_bencher_cuts_a_slug_where_a_word_ends() -> None:
    """A measure's slug has no two hyphens in a row, wherever it is cut."""
    for count in range(40, 64):
        one = record(metrics={"a" * count + " b" * 20: Metric(1.0)})
        READERS["bencher"](written("bencher", [one], metrics=("*",)))


def test_bencher_cuts_long_names_and_keeps_them_apart() -> None:
    """A name of more than 1024 characters ends in a digest of the whole."""
    long = [record(model={"name": "m" * 2000 + end}, metrics={"worst": Metric(1)}) for end in "ab"]
    names = list(json.loads(written("bencher", long)))
    assert [len(name) for name in names] == [1024, 1024]
    assert len(set(names)) == 2


def test_hud_rows_hold_the_samples() -> None:
    """The samples of a latency are the values of its median, and a limit is its target."""
    rows = [json.loads(text) for text in written("hud", [TIMED]).decode().splitlines()]
    by_name = {row["metric"]["name"]: row for row in rows}
    assert by_name["median"]["metric"]["benchmark_values"] == [1.0, 2.0, 3.0, 4.0]
    assert by_name["build"]["metric"]["target_value"] == 9.0
    assert by_name["median"]["model"] == {
        "name": "digits", "type": "pytorch", "backend": "rtx 1.7.1.116", "origins": ["trt-parity"],
        "extra_info": {},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "element"),
    [
        ("passed", ""),
        ("failed", "failure"),
        ("crashed", "error"),
        ("xfailed", "skipped"),
        ("not-run", "skipped"),
    ],
)
def test_junit_has_an_element_for_each_verdict(verdict: Any, element: str) -> None:
    """What is red is a failure or an error, its first line the message and its verdict the type."""
    data = written("junit", [record(verdict, message="guilty hop: builder\nboxes differ", rerun="pytest x")])
    text = data.decode()
    assert (f'<{element} type="{verdict}" message="guilty hop: builder">' in text) == bool(element)
    counts = [
        f'{name}="{int(element == one)}"' for name, one in (("failures", "failure"), ("errors", "error"))
    ]
    assert all(text.count(count) == 2 for count in counts)
    assert "rerun: pytest x" in READERS["junit"](data)


def test_junit_properties_are_of_suites_and_where_asked_of_cases() -> None:
    """The schema has them on suites: run, model, device; another format has metrics on cases, too."""
    plain, more = (written(name, [TIMED]).decode() for name in ("junit", "junit-properties"))
    assert '<property name="device.name" value="NVIDIA H100" />' in plain
    assert '<property name="median" value="2.5" />' in more.split("<testcase")[1]
    assert 'name="median"' not in plain
    assert "build: 3 s, limit 9" in plain


@pytest.mark.parametrize("name", ["github-smaller", "bencher", "hud"])
def test_what_json_lacks_is_left_out_and_counted(name: str) -> None:
    """NaN and infinity are no JSON: they are not written, and the input says how many."""
    odd = record(metrics={"worst": Metric(math.nan), "build": Metric(math.inf), "median": Metric(1.0)})
    source = Input([odd])
    assert len([*series.points(source)]) == 1
    assert source.left == {series.NOT_FINITE: 2}
    assert "1.0" in written(name, [odd]).decode()


@pytest.mark.parametrize(("value", "text"), [(math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf")])
def test_prometheus_has_what_json_lacks(value: float, text: str) -> None:
    """NaN and infinities are values there."""
    lines = written("prometheus", [record(metrics={"worst": Metric(value)})]).decode().splitlines()
    assert [one.split()[-1] for one in lines if 'metric="worst"' in one] == [text]


def test_parquet_keeps_every_value() -> None:
    """Metrics and samples are lists, times are instants, and what a record lacks is null."""
    pyarrow = pytest.importorskip("pyarrow.parquet", reason="pip install --group parquet")
    (row,) = pyarrow.read_table(io.BytesIO(written("parquet", [TIMED]))).to_pylist()
    assert (row["model_name"], row["device_name"], row["opset"], row["samples"][3]) == (
        "digits",
        "NVIDIA H100",
        11,
        4,
    )
    assert row["metrics"][2] == {
        "name": "build", "value": 3.0, "unit": "s", "higher_is_better": False, "limit": 9.0
    }  # fmt: skip
    assert row["time"].isoformat() == "2026-01-01T10:00:00+00:00"


def test_texts_of_a_summary_are_no_markup() -> None:
    """The reader of this test sees markup where there is some."""
    with pytest.raises(AssertionError):
        markdown(b"| a |\n| --- |\n| **b** |\n")
    assert list(texts({"a": ["b", 1]})) == ["a", "b"]
