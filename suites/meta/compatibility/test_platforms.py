"""The table of routes, Pythons, CUDA, GPUs and packages is well formed and says what was measured."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.compatibility.tables.platforms import TABLE, Platform, platform, platforms, read
from fixtures.compatibility.tables.releases import number, releases
from fixtures.compatibility.tables.spans import pair, span
from fixtures.environment import drivers
from suites.meta.places import ROOT

ROWS = sorted(platforms().values(), key=lambda row: (row.flavour, number(row.version)))
TOX = ROOT / "tox.ini"


def label(row: Platform) -> str:
    """Name a row."""
    return f"{row.flavour}-{row.version}"


def test_every_release_has_a_row_and_no_row_is_left_over() -> None:
    """The releases of the operator table and the rows are the same ones, in the same order."""
    assert list(platforms()) == [(row.flavour, row.version) for row in releases()]


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_packages_are_of_their_release(row: Platform) -> None:
    """A pinned package has the version of its row, its CUDA version in its name, the newest CUDA first."""
    for package in row.packages:
        name, version = package.pip.split()[0].split("==")
        assert number(version) == number(row.version)
        assert name in {row.flavour, f"{row.flavour}-cu{package.cuda}"}
        assert any(number(cuda.partition("-")[0] + ".0")[0] == package.cuda for cuda in row.cuda)
        assert package.platforms
    assert [p.cuda for p in row.packages] == sorted((p.cuda for p in row.packages), reverse=True)


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_a_driver_is_known_for_every_cuda_version(row: Platform) -> None:
    """Each CUDA version, and the end of each range, has a first driver, newer for a newer one."""
    ends = [end for cuda in row.cuda for end in cuda.split("-")]
    assert ends
    in_order = sorted(ends, key=number)
    needed = list(map(drivers.needed, in_order))
    assert needed == sorted(needed)


def test_every_source_is_used_and_speaks() -> None:
    """No source is listed for nothing, and each has its text."""
    known = json.loads(TABLE.read_text("utf-8"))["sources"]
    used = {source.text for row in ROWS for source in row.sources.values()}
    assert used == {row["text"] for row in known.values()}
    assert all(len(text) > 20 for text in used)


def test_the_file_has_one_line_a_release() -> None:
    """The table can be read in a diff."""
    text = TABLE.read_text("utf-8")
    assert len(text) < 40_000
    assert all(len(re.findall(rf'\n  "{re.escape(row.version)}": {{"int8"', text)) == 1 for row in ROWS)


@pytest.mark.parametrize(
    ("flavour", "version", "routes", "fp16"),
    [
        ("tensorrt", "7.0.0.11", ("calibrator", "qdq"), "flag"),
        ("tensorrt", "8.6.1", ("calibrator", "qdq"), "flag"),
        ("tensorrt", "10.16.1", ("calibrator", "qdq"), "flag or typed"),
        ("tensorrt", "11.0", ("qdq",), "typed"),
        ("tensorrt-rtx", "1.4.0.76", ("qdq", "weight-only"), "typed"),
        ("tensorrt-rtx", "1.7.1.116", ("qdq", "weight-only"), "typed"),
    ],
)
def test_routes_of_a_version(flavour: str, version: str, routes: tuple[str, ...], fp16: str) -> None:
    """Calibrators and flags end with TensorRT 10; TensorRT-RTX never had them."""
    row = platform(flavour, version)
    assert (row.int8_routes, row.fp16) == (routes, fp16)
    assert row.fp16_by("flag") == ("flag" in fp16)
    assert row.fp16_by("typed") == ("typed" in fp16)


def test_conditions_of_int8_are_those_that_builds_have_shown() -> None:
    """RTX 1.4 needs a GPU for quantized graphs; weights alone are free from 1.5, Q/DQ Conv from 1.7."""
    rtx = {version: platform("tensorrt-rtx", version).int8 for version in ("1.4", "1.5", "1.6", "1.7")}
    assert "needs a GPU" in rtx["1.4"]["weight-only"]
    assert [rtx[v]["weight-only"] for v in ("1.5", "1.6", "1.7")] == ["", "", ""]
    assert ["convolution" in rtx[v]["qdq"] for v in rtx] == [True, True, True, False]


def test_capabilities_that_were_measured() -> None:
    """On an H100 RTX 1.4 to 1.6 run and 1.7 refuses; that is marked measured."""
    for version, runs in (("1.4", True), ("1.5", True), ("1.6", True), ("1.7", False)):
        row = platform("tensorrt-rtx", version)
        assert (row.cc.runs, row.cc.refused) == (((9, 0),), ()) if runs else ((), ((9, 0),))
        assert row.sources["measured"].basis == "measured"


def test_an_unknown_fp16_route_is_an_error() -> None:
    """A route that does not exist is no answer."""
    with pytest.raises(ValueError, match="'half': flag or typed"):
        platform("tensorrt", "8.6").fp16_by("half")


def test_tox_installs_what_the_table_names() -> None:
    """Every TensorRT-RTX row has its tox environment with the same package, and tox has no other."""
    in_tox = dict(re.findall(r"^    (rtx\d+): (tensorrt-rtx\S+)$", TOX.read_text("utf-8"), re.MULTILINE))
    rows = [row for row in ROWS if row.flavour == "tensorrt-rtx"]
    assert in_tox == {"rtx" + row.version.replace(".", ""): row.packages[0].pip for row in rows}


BAD: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "unknown field": (lambda row: row.update(fp32="flag"), "unknown field fp32"),
    "missing field": (lambda row: row.pop("tf32"), "missing field tf32"),
    "unknown route": (lambda row: row["int8"].update(magic=""), "int8: 'magic'"),
    "unknown fp16": (lambda row: row.update(fp16="typd"), "fp16: 'typd'"),
    "unknown tf32": (lambda row: row.update(tf32="maybe"), "tf32: 'maybe'"),
    "python turned round": (lambda row: row.update(python="3.10-3.6"), "ends before it begins"),
    "no version": (lambda row: row["cc"].update(min="eight"), "'eight' is no major.minor"),
    "cc turned round": (lambda row: row["cc"].update(min="9.9"), "contradicts itself"),
    "unknown part of cc": (lambda row: row["cc"].update(best="8.0"), "cc: unknown field best"),
    "unknown platform": (lambda row: row["packages"][0].update(platforms=["amiga"]), "'amiga'"),
    "unknown part of a package": (lambda row: row["packages"][0].update(url=""), "unknown field url"),
    "fact without source": (lambda row: row["sources"].pop("cuda"), "sources: missing field cuda"),
    "source of no fact": (lambda row: row["sources"].update(price="api"), "sources: unknown field price"),
    "source that is not there": (lambda row: row["sources"].update(cuda="hearsay"), "hearsay"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_refused_by_file_and_row(name: str, tmp_path: Path) -> None:
    """Each planted error is refused with the file, the row and what is wrong."""
    break_row, message = BAD[name]
    data = json.loads(TABLE.read_text("utf-8"))
    break_row(data["releases"]["tensorrt"]["8.6"])
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(data))
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        read(planted)
    assert str(error.value).startswith("planted.json, tensorrt 8.6: ")


def test_a_basis_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """A source is documented, derived or measured."""
    data = json.loads(TABLE.read_text("utf-8"))
    data["sources"]["api"]["basis"] = "guessed"
    planted = tmp_path / "planted.json"
    planted.write_text(json.dumps(data))
    with pytest.raises(ValueError, match="basis of api: 'guessed'"):
        read(planted)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [("3.6-3.10", "3.9", "3.11"), ("3.8-3.8", "3.8", "3.9"), ("3.6-", "3.99", "3.5")],
)
def test_a_span_knows_what_is_in_it(text: str, inside: str, outside: str) -> None:
    """Versions are compared as numbers; an open end has no last one."""
    assert pair(inside) in span(text)
    assert pair(outside) not in span(text)


@pytest.mark.parametrize("text", ["3", "3.x", "", "a.b", "3.6.1"])
def test_what_is_no_version_is_an_error(text: str) -> None:
    """Two numbers with a dot between them, and nothing else."""
    with pytest.raises(ValueError, match="is no major"):
        pair(text)


@pytest.mark.parametrize(
    ("driver", "cuda"),
    [("580.159.04", (13, 0)), ("535.104.05", (12, 2)), ("470.82", (11, 4)), ("440.33.01", (10, 2)),
     ("522.06", (11, 8)), ("390.1", None), ("?", None)],
)  # fmt: skip
def test_what_a_driver_carries(driver: str, cuda: tuple[int, int] | None) -> None:
    """The newest CUDA version whose first driver is not newer."""
    assert drivers.carried(driver) == cuda


@pytest.mark.parametrize(
    ("cuda", "driver"),
    [("13", 580), ("13.2", 580), ("12.0-12.4", 525), ("11.8", 450), ("10.2", 440), ("10.0", 410)],
)
def test_the_driver_that_a_cuda_version_needs(cuda: str, driver: int) -> None:
    """Minor-version compatibility: the major version decides, before CUDA 11 the minor one too."""
    assert drivers.needed(cuda) == driver


def test_a_cuda_version_without_driver_is_an_error() -> None:
    """Nothing is made up for a CUDA version that the table does not have."""
    with pytest.raises(ValueError, match=r"CUDA 9\.0"):
        drivers.needed("9.0")
