"""The tables of pages are printed from rows and records, and what is missing is an error."""

import json
from pathlib import Path

import pytest

from benchmarks.slimming import verdicts
from docs.tables import bases, campaign, markdown, results, slimming, traps
from fixtures import records
from fixtures.compatibility.tables.releases import BASES
from fixtures.metrics.alternation import Compared
from fixtures.metrics.resampling import Ratio
from fixtures.records import Record
from fixtures.report.site.extras import read_slimming
from suites.meta.docs.pages import DOCS, text

CAMPAIGNS = sorted(path.stem for path in (DOCS / "measurements").glob("*.jsonl"))
FROM_SCRATCH = sorted((DOCS / "measurements").glob("*-pruning/*.json"))
SLIMMINGS = sorted((DOCS / "measurements").glob("*-slimming/*.json"))
H100 = "2026-11-28-tensorrt-8.5.3.1-h100"
H200 = "2026-11-30-rtx-engines-h200"


def test_a_cell_stays_in_its_table() -> None:
    """A pipe is escaped and a line break is none."""
    assert markdown.table(("a", "b"), [("x|y", "1\n2")]) == "\n| a | b |\n| --- | --- |\n| x\\|y | 1 2 |\n\n"


def test_a_block_has_no_space_at_the_end_of_a_line() -> None:
    """What a command prints does not trip the hooks that look at whitespace."""
    assert markdown.code("\na \n\nb\n\n") == "\n```\na\n\nb\n```\n\n"


@pytest.mark.parametrize("rows", [[], [("1",)], [("1", "2", "3")]])
def test_a_table_without_rows_or_with_wrong_ones_is_refused(rows: list[tuple[str, ...]]) -> None:
    """What was not found cannot look like what is not there."""
    with pytest.raises(ValueError, match=r"without rows|columns"):
        markdown.table(("a", "b"), rows)


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (2.04e-4, "2.0e-4"), (9.9e-8, "9.9e-8"), (0.01314, "0.0131"), (1.0, "1"), (49.24, "49.2")],
)
def test_a_number_is_short(value: float, written: str) -> None:
    """It has two or three significant digits, and an exponent only below a hundredth."""
    assert markdown.short(value) == written


def test_opsets_are_written_as_spans() -> None:
    """Neighbours join, a gap parts."""
    assert traps.spans([10, 11, 12, 17, 20, 21]) == "10-12, 17, 20-21"


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_campaign_is_real_and_tells_no_machine(name: str) -> None:
    """Its records are read, have a page and a date, and name no folder of one machine."""
    found = campaign.read(name)
    assert found
    assert all(record.time.startswith("20") for record in found)
    assert f"({name}.jsonl)" in text(f"measurements/{name}.md")
    lines = (DOCS / "measurements" / f"{name}.jsonl").read_text("utf-8")
    assert [place for place in ("/tmp/", "/home/", "/root/", "/work/") if place in lines] == []  # noqa: S108


@pytest.mark.parametrize("path", SLIMMINGS, ids=lambda path: path.stem)
def test_a_slimming_is_real(path: Path) -> None:
    """The report reads it, its goals follow from its rows and times, and its page prints it."""
    found, told = read_slimming(path), json.loads(path.read_text("utf-8"))
    times = Compared(**told["latency"] | {"ratio": Ratio(**told["latency"]["ratio"])})
    dense, *_, tuned = found.networks[:4]
    assert (dense.name, tuned.name) == ("dense", "tuned")
    assert list(found.goals) == verdicts(dense, tuned, found.measures[0], times)
    name = f"{path.parent.name}/{path.stem}"
    page = text(f"measurements/{path.parent.name}.md")
    for print_ in (slimming.head, slimming.networks, slimming.goals, slimming.cliff):
        assert print_(name) in page


@pytest.mark.parametrize("path", FROM_SCRATCH, ids=lambda path: path.stem)
def test_a_training_from_scratch_is_real(path: Path) -> None:
    """It has both networks, as large as the pruned one, and its page prints it."""
    rows = {row.name: row for row in read_slimming(path).networks}
    small, *scratch = (rows[name] for name in ("tuned", "scratch-E", "scratch-B"))
    assert {row.parameters for row in scratch} == {small.parameters}
    name = f"{path.parent.name}/{path.stem}"
    page = text(f"measurements/{path.parent.name}.md")
    assert slimming.head(name) in page
    assert slimming.networks(name) in page
    assert slimming.scratch(name).splitlines()[-1] in page


def test_an_engine_shows_what_its_record_says() -> None:
    """Error, share of layers at the precision and part of what is allowed are those of the record."""
    rows = [
        line.split(" | ") for line in results.engines(H100).splitlines() if line.startswith("| lenet | 13 |")
    ]
    (fp16,) = [row for row in rows if row[4] == "fp16"]
    (record,) = [
        r for r in campaign.executed(H100, "tensorrt-parity")
        if (r.model["name"], r.opset, r.precision) == ("lenet", 13, "fp16")
    ]  # fmt: skip
    assert fp16[2] == record.tensorrt["version"]
    assert fp16[8] == f"{record.metrics['fp16_layers'].value:.0f} %" == "86 %"
    assert fp16[9] == markdown.short(record.metrics["logits relative_l2"].value) == "6.7e-4"
    assert fp16[10] == f"{markdown.short(record.metrics['worst'].value)} |"


def test_a_prune_shows_its_ratio_and_verdict() -> None:
    """By CUDA graphs where the record has them."""
    records = campaign.executed(H200, "pruned-latency")
    rows = results.pruned(H200).split("\n")[3:-2]
    assert len(rows) == len(records) > 2
    for record, row in zip(records, rows, strict=True):
        ratio = record.metrics["cuda_graph_ratio"].value
        assert f"| {record.baseline['model']} | {record.tensorrt['version']} | {record.precision} |" in row
        assert f"| {ratio:.3f} [" in row
        assert row.endswith(f"| {record.verdict} |")


def test_what_triage_said_is_shown() -> None:
    """A row for each record that it looked into, with the layer that it named and no path."""
    rows = results.triaged(H200).split("\n")[3:-2]
    assert [row.split(" | ")[0] for row in rows] == ["| warp", "| deconv"]
    assert "node '/GridSample' (GridSample)" in rows[0]
    assert "module 'd': node '/d/ConvTranspose'" in rows[1]
    assert all(" | 1 node | 4 of " in row for row in rows)
    with pytest.raises(ValueError, match=r"guilty layer, .* without rows"):
        results.triaged(H100)


def test_a_changed_record_changes_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign in which one verdict is another says so in its head."""
    line = json.loads((DOCS / "measurements" / f"{H100}.jsonl").read_text("utf-8").splitlines()[0])
    monkeypatch.setattr(campaign, "FOLDER", tmp_path)
    records.append(tmp_path / "planted.jsonl", Record.from_json(json.dumps(line | {"verdict": "crashed"})))
    assert "| records | 1 crashed |" in campaign.head("planted")
    assert "8.5.3.1" in campaign.head("planted")


def test_rows_are_counted_by_what_they_rest_on() -> None:
    """Every restriction and refusal counts once, and a basis of the table is one that the tables know."""
    found = bases.rows()
    assert {basis for _, basis, _ in found} <= set(BASES)
    assert found["tensorrt", "reported", "wrong"] == 2
    lines = bases.written().strip().splitlines()[2:]
    assert sum(int(cell) for line in lines for cell in line.split("|")[3:6]) == found.total()
