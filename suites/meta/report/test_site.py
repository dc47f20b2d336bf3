"""The site as files: which there are, what bad input does to them, and what stands beside the records."""

import json
import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.records import SCHEMA, Metric, Record
from fixtures.report.decoding import decoder
from fixtures.report.experiments import Epoch
from fixtures.report.fields import check
from fixtures.report.join import join
from fixtures.report.matrix import build_matrix
from fixtures.report.site.addresses import page
from fixtures.report.site.contents import Contents
from fixtures.report.site.extras import Extras, read_gammas, read_slimming, read_sweeps
from fixtures.report.site.hops import hops
from fixtures.report.site.written import sum_of
from fixtures.report.tables import Latency
from suites.meta.report import site
from suites.meta.report.planted import record, written

TRIED = {"model": "digits", "calibrator": "mse", "images": 4, "weights": "per tensor", "drop": None,
         "relative_l2": 0.1}  # fmt: skip


@pytest.fixture
def report() -> ModuleType:
    """The command, which needs jinja2 and rich."""
    return pytest.importorskip("fixtures.commands.report", reason="pip install --group report")


def names(folder: Path) -> set[str]:
    """Return the pages of models and releases of a site."""
    return {path.name for kind in ("model-*.html", "version-*.html") for path in folder.glob(f"pages/{kind}")}


def test_a_page_of_a_model_has_the_columns_of_its_cells(tmp_path: Path, report: ModuleType) -> None:
    """Opsets that only other models have would be empty columns."""
    one, other = ([record(model={"name": name}, opset=n) for n in opsets] for name, opsets in COLUMNS.items())
    report.main([str(written(tmp_path, *one, *other)), "--output", str(tmp_path / "out")])
    for name, opsets in COLUMNS.items():
        text = (tmp_path / "out" / "pages" / f"model-{name}.html").read_text("utf-8")
        head = text.split("<thead>")[1].split("</thead>")[0]
        assert re.findall(r"opset </span>(\d+)</th>", head) == list(map(str, opsets))


COLUMNS = {"low": (10, 11), "high": (11, 17, 21)}
"""Name of a model -> its opsets."""


def test_a_model_that_is_gone_loses_its_page(tmp_path: Path, report: ModuleType) -> None:
    """Pages of an earlier report that nothing leads to are removed; files of others are left alone."""
    out = ["--output", str(tmp_path / "out")]
    old = written(tmp_path, record(model={"name": "old"}), name="old.jsonl")
    new = written(tmp_path, record(model={"name": "new"}), name="new.jsonl")
    report.main([str(old), *out])
    theirs = [
        tmp_path / "out" / "pages" / name for name in ("notes.html", "model-notes.html", "model-old.js")
    ]
    for file in theirs:
        file.write_text("mine")
    report.main([str(new), *out])
    assert names(tmp_path / "out") == {"model-new.html", "version-rtx-1.7.1.116.html", "model-notes.html"}
    assert all(file.read_text() == "mine" for file in theirs)


def test_opsets_that_are_alike_are_one_column_of_the_overview(report: ModuleType, tmp_path: Path) -> None:
    """Its cell has the worst error of them, leads to that record and counts as all; other pages show each."""
    errors = {10: 0.25, 11: 0.75, 12: 0.5}
    written(tmp_path, *(record(opset=n, metrics={"worst": Metric(v, limit=1.0)}) for n, v in errors.items()))
    report.main([str(tmp_path), "--output", str(tmp_path / "out")])
    overview = (tmp_path / "out" / "index.html").read_text()
    model = (tmp_path / "out" / "pages" / "model-digits.html").read_text()
    (cell,) = re.findall(r'<a href="([^"]+)" data-count="3" aria-label="([^"]+)"', overview)
    assert cell == ("pages/model-digits.html#c2", "digits, rtx 1.7.1.116, opset 10 to 12: passed ✓P 0.75×")  # noqa: RUF001
    assert "opset </span>10\N{EN DASH}12</th>" in overview
    assert [f"opset {n}: passed" in model for n in errors] == [True] * 3


@pytest.mark.usefixtures("report")
def test_a_latency_is_drawn_on_the_scale_of_its_model() -> None:
    """The least and the greatest value are at its ends, their geometric mean is in the middle."""
    from fixtures.report.site.rows import BAR, bar

    row = Latency(record(), "trt", 20, low=0.1, median=1.0, high=10.0, p95=100.0, p5=0.01)
    assert re.findall(r'x1?="([\d.]+)"', bar(row, (0.01, 100.0))) == ["0.0", f"{BAR / 4}", f"{BAR / 2}"]
    assert 'x2="140.0"' in bar(row, (0.01, 100.0))
    assert f'x1="{BAR / 2}"' in bar(row, (1.0, 1.0))


@pytest.mark.usefixtures("report")
def test_a_build_that_ended_early_leaves_nothing_for_good(tmp_path: Path) -> None:
    """What it wrote is known to the next one, which removes it; lines that lead elsewhere remove nothing."""
    from fixtures.report.site.written import LIST, Written

    first = Written(tmp_path)
    first.add("pages/model-a.html", b"a")
    first.add("pages/d3.min.js", b"b")
    (tmp_path / "kept.txt").write_bytes(b"c")
    with (tmp_path / LIST).open("a") as file:
        file.write(f"{sum_of(b'c')} pages/../kept.txt\n{sum_of(b'c')} ../kept.txt\nff")
    second = Written(tmp_path)
    second.add("pages/model-b.html", b"d")
    second.remove_others()
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {
        "model-b.html", "written.txt", "kept.txt",
    }  # fmt: skip


@pytest.mark.usefixtures("report")
def test_a_folder_of_an_earlier_release_has_no_list(tmp_path: Path) -> None:
    """There pages are known by what they say, and libraries by their content."""
    from fixtures.report.site.written import Written

    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "model-a.html").write_text("<title>a · trt-parity</title>")
    (pages / "model-mine.html").write_text("<title>mine</title>")
    (pages / "d3.min.js").write_text("another version")
    Written(tmp_path).remove_others()
    assert {path.name for path in pages.iterdir()} == {"model-mine.html", "d3.min.js", "written.txt"}


@pytest.mark.usefixtures("report")
def test_who_watches_is_told_of_each_part(tmp_path: Path) -> None:
    """How many parts of the site there will be, and after each how many there are."""
    from fixtures.report.site.pages import Site
    from fixtures.report.site.writing import write

    told: list[int] = []
    made = Site(Contents(joined := join([written(tmp_path, *site.records())]), build_matrix(joined.records)))
    write(tmp_path / "out", made, told.append)
    assert told == list(range(1, made.count + 1))


def test_the_page_of_a_release_has_the_operators_of_the_models(tmp_path: Path) -> None:
    """Each operator with what the table says of it, its limits, and who uses it; and who passes there."""
    pages = site.build(tmp_path) / "pages"
    old, new = ((pages / f"version-trt-{version}.html").read_text("utf-8") for version in ("7.0", "8.6.0"))
    assert "<dd>0 of 1</dd>" in old
    assert "<dd>1 of 1: digits</dd>" in new
    rows = dict(re.findall(r'<tr><th scope="row">(\w+)</th><td><span class="[^"]*">([^<]*)<', old))
    assert rows == {"Conv": "taken, with limits", "Mish": "refused", "Resize": "taken, with limits"}
    assert "digits (3)" in old
    assert "node up (Resize) is refused" in old
    assert [re.findall(r"<dt>Opsets</dt><dd>(.*?)</dd>", page) for page in (old, new)] == [
        ["up to 11"],
        ["up to 17"],
    ]
    rtx = next(pages.glob("version-rtx-*.html")).read_text("utf-8")
    assert "<dt>Opsets</dt><dd>undocumented</dd>" in rtx


def test_runs_that_are_given_twice_count_once(tmp_path: Path, report: ModuleType) -> None:
    """A file beside its own copy changes no figure of the site."""
    texts = []
    for copies in (1, 2):
        files = [
            written(tmp_path, record("passed", 1), record("failed", 2), name=f"{n}.jsonl") for n in range(1)
        ]
        files += [Path(tmp_path, "copy.jsonl")] * (copies - 1)
        (tmp_path / "copy.jsonl").write_bytes(files[0].read_bytes())
        report.main([*map(str, files), "--output", str(tmp_path / f"out{copies}")])
        texts.append((tmp_path / f"out{copies}" / "pages" / "runs.html").read_text("utf-8"))
        files[0].unlink()
    assert texts[0] == texts[1]


@pytest.mark.parametrize(("schema", "code"), [(1, 0), (2, 0), (0, 2), (SCHEMA + 1, 2)])
def test_an_older_schema_is_read_and_another_is_refused_by_its_number(
    schema: int, code: int, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records of schema 1 have no batch; what cannot be read says what can, and nothing is written."""
    row = {key: value for key, value in json.loads(record().to_json()).items() if key != "batch"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row | {"schema": schema}) + "\n")
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == code
    assert (f"it has schema {schema}" in capsys.readouterr().err) == bool(code)
    assert (tmp_path / "out" / "index.html").exists() != bool(code)


def test_without_plotly_the_group_is_named_and_nothing_written(
    tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library of the figures is looked for before anything else is done."""
    monkeypatch.setitem(sys.modules, "plotly", None)
    written(tmp_path, record())
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 1
    assert "plotly is not installed: pip install --group report" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_says_how_to_make_records(
    tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """No site is made of nothing."""
    assert report.main([str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    assert "no records found; make them" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_escapes_of_a_terminal_are_written_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The hostile name of the site clears no terminal; what the pages do with it is tested in a browser."""
    site.build(tmp_path)
    printed = capsys.readouterr().out
    assert "\\x1b[2J" in printed
    assert {one for one in printed if not one.isprintable()} == {"\n"}


@pytest.mark.parametrize(
    "name", ["a", "A", "a b", "a-b", "a/b", "..", ".", "", "a" * 300, "a~", "\u202e", "con?", "\ud800"]
)
def test_a_page_has_a_file_name_of_its_own(name: str) -> None:
    """Names of models become names of files that stay in their folder, on every file system."""
    others = ["a", "A", "a b", "a-b", "a/b", "..", ".", "", "a" * 300, "a~", "\u202e", "con?", "\ud800"]
    assert sum(page("model", name).lower() == page("model", other).lower() for other in others) == 1
    assert set(page("model", name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-~")
    assert len(page("model", name)) < 100


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "Expecting"), ("[]", "list indices"), ('{"epoch": 1}', "no field 'gammas'"),
        ('{"epoch": 1, "gammas": {"0": [1], "1": [1, 2]}}', "not equally long"),
        ('{"epoch": "x", "gammas": {}}', "invalid literal"),
    ],
)  # fmt: skip
def test_a_log_that_is_none_is_named_with_its_line(text: str, told: str, tmp_path: Path) -> None:
    """The line, what was expected and what is wrong; nothing is guessed."""
    path = tmp_path / "gammas.jsonl"
    path.write_text('{"epoch": 0, "gammas": {"0": [1, 2]}}\n' + text)
    with pytest.raises(ValueError, match=rf"gammas.jsonl:2: not a line of `prune sparsify --log`: .*{told}"):
        read_gammas(path)


def test_the_page_of_a_model_has_its_slimming(tmp_path: Path) -> None:
    """Each network with its costs and measures, each goal with its figure, each ratio, and the scales."""
    text = (site.build(tmp_path) / "pages" / "model-gender-age.html").read_text("utf-8")
    figures = json.loads(site.SLIMMING.read_text("utf-8"))
    for row in (*figures["rows"], *figures["cliff"]):
        cells = (f"{row['parameters']:,}", f"{row['flops'] / 1e6:.1f}", f"{row['accuracy']:.2f}",
                 f"{row['second']:.2f}")  # fmt: skip
        first = row.get("ratio", row["name"])
        assert f'<th scope="row">{first}</th>' + "".join(f'<td class="n">{one}</td>' for one in cells) in text
    assert all(f"<li>{goal}</li>" in text for goal in figures["goals"])
    assert "mAP50-95, points" in text
    channels = sum(map(sum, figures["gammas"][0]["gammas"].values()))
    assert f'<th scope="row">0</th><td class="n">{channels}</td>' in text
    charts = [json.loads(one) for one in re.findall(r'"application/json">(.*?)</script>', text)]
    (cliff,) = (one["rows"] for one in charts if one["kind"] == "cliff")
    assert {row["series"] for row in cliff} == {"pruned, not fine-tuned", "dense", "tuned"}


def test_the_log_of_a_model_stands_before_its_slimming() -> None:
    """Both have scales of sparse training; what was asked for by itself is shown."""
    slimming, log = read_slimming(site.SLIMMING), [Epoch(7, {"0": [1]})]
    assert Extras(slimmings={"a": slimming}).epochs("a") == slimming.epochs
    assert Extras(gammas={"a": log}, slimmings={"a": slimming}).epochs("a") == log
    assert Extras(slimmings={"a": slimming}).epochs("b") == ()


@pytest.mark.parametrize("field", ["measures", "rows", "cliff", "gammas", "goals"])
def test_figures_without_a_field_are_refused(field: str, tmp_path: Path) -> None:
    """The file is named, and what is missing."""
    figures = json.loads(site.SLIMMING.read_text("utf-8"))
    (tmp_path / "f.json").write_text(json.dumps({k: v for k, v in figures.items() if k != field}))
    with pytest.raises(
        ValueError, match=rf"f.json: not the figures.json of `benchmarks.slimming`: .*'{field}'"
    ):
        read_slimming(tmp_path / "f.json")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"accuracy": float("nan")}, "its accuracy is no finite number"),
        ({"accuracy": "much"}, "could not convert"),
        ({"name": 3}, "its name is no text"),
        ({"flops": None}, "NoneType"),
    ],
)
def test_figures_that_are_none_are_refused(change: dict[str, object], told: str, tmp_path: Path) -> None:
    """No page shows what is no number."""
    figures = json.loads(site.SLIMMING.read_text("utf-8"))
    figures["rows"][0] |= change
    (tmp_path / "f.json").write_text(json.dumps(figures))
    with pytest.raises(ValueError, match=f"f.json: not the figures.json of .*{told}"):
        read_slimming(tmp_path / "f.json")


@pytest.mark.parametrize("option", ["--gammas=digit={}", "--pruned=digit=digits", "--pruned=digits=digit"])
def test_an_option_about_an_unknown_model_is_refused(
    option: str, tmp_path: Path, report: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that no record bears is named with those nearest to it, and nothing is written."""
    log = tmp_path / "gammas.log"
    log.write_text('{"epoch": 0, "gammas": {"0": [1, 2]}}')
    words = [str(written(tmp_path, record())), "--output", str(tmp_path / "out"), option.format(log)]
    assert report.main(words) == 1
    assert "digit: no record is of this model; there are digits" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", TRIED)
def test_a_sweep_without_a_field_is_refused(field: str, tmp_path: Path) -> None:
    """Each field of an outcome is needed."""
    (tmp_path / "s.jsonl").write_text(json.dumps({k: v for k, v in TRIED.items() if k != field}))
    with pytest.raises(ValueError, match=rf"s.jsonl:1: .*{field}"):
        read_sweeps([tmp_path / "s.jsonl"])


def test_the_tightest_tolerance_is_that_of_the_worst_opset() -> None:
    """A row has the worst error at each opset, the greatest absolute one, and the L2 nearest its limit."""
    found = [
        record(stage="tensorrt-parity", opset=opset, metrics={
            "worst": Metric(worst, limit=1.0), "max_abs": Metric(worst / 100),
            "a relative_l2": Metric(1e-5, limit=1e-4),
            "b relative_l2": Metric(worst * 1e-4, limit=1e-3),
        })
        for opset, worst in ((11, 0.25), (13, 0.5))
    ]  # fmt: skip
    (row,) = hops(found)
    assert (row.worst, row.atol) == (0.5, 0.005)
    assert row.l2 == Metric(1e-5, limit=1e-4)
    assert {opset: one.metrics["worst"].value for opset, one in row.by_opset.items()} == {11: 0.25, 13: 0.5}


texts = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
values: dict[str, Any] = {
    "stage": st.text(max_size=5), "model": texts, "tensorrt": texts,
    "opset": st.none() | st.integers() | st.floats(),
    "samples": st.lists(st.floats() | st.integers(), max_size=2), "seconds": st.floats() | st.booleans(),
    "metrics": st.dictionaries(
        st.text(max_size=3), st.fixed_dictionaries({"value": st.floats() | st.none()})),
    "time": st.sampled_from(["", "2026-01-01", "2026-01-01T10:00:00+00:00", "yesterday"]),
    "schema": st.integers(0, 3), "batch": st.text(max_size=2) | st.integers(), "unknown": st.none(),
    "verdict": st.sampled_from(["passed", "fine"]),
}  # fmt: skip


@given(st.fixed_dictionaries({}, optional=values))
def test_the_quick_reader_agrees_with_the_thorough_one(row: dict[str, Any]) -> None:
    """What it takes is the same record to the bit, and passes the check of its fields."""
    pytest.importorskip("msgspec", reason="pip install --group report")
    line = json.dumps(json.loads(record().to_json()) | row)
    if (quick := decoder()(line.encode())) is not None:
        thorough = Record.from_json(line)
        check(thorough)
        assert [repr(getattr(quick, f.name)) for f in fields(Record)] == [
            repr(getattr(thorough, f.name)) for f in fields(Record)
        ]


def test_the_quick_reader_takes_what_the_suite_writes() -> None:
    """It would be no use if it left whole records to the other."""
    pytest.importorskip("msgspec", reason="pip install --group report")
    read = decoder()
    assert [read(one.to_json().encode()) for one in site.records()] == site.records()
    assert type(read(record().to_json().encode())) is Record
