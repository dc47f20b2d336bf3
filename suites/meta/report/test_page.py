"""The pages of the report in a real browser: what a reader sees, hears and may do with a keyboard."""

import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

import pytest

from benchmarks.browser import DESKTOP, PHONE, Browser
from fixtures.report.foreign_text import clean
from fixtures.report.site import charts
from fixtures.verdicts import VERDICTS
from suites.meta.report import site

SHOWN = "[...document.querySelectorAll('tr[data-model]:not([hidden]) a.cell:not(.dim)')]"
"""The cells that a filter left."""
FIGURES = "[...document.querySelectorAll('figure.chart')]"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one site."""
    return site.build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this file."""
    try:
        opened = Browser(tmp_path_factory.mktemp("profile"))
    except LookupError as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    with opened:
        yield opened


@pytest.fixture
def overview(report: Path, browser: Browser) -> Browser:
    """The browser at the overview."""
    browser.open((report / "index.html").as_uri())
    return browser


def pages(report: Path) -> list[Path]:
    """Return every page of a site."""
    return sorted(report.rglob("*.html"))


def test_cells_name_their_verdicts(overview: Browser) -> None:
    """Each cell of the matrix has its verdict as symbol, letter and label, whatever the colour."""
    links = "[...document.querySelectorAll('tr[data-model=digits] a.cell')]"
    cells = overview.run(f"{links}.map(link => [link.ariaLabel, link.textContent])")
    said = {
        match[1]: text[1]
        for label, text in cells
        if (match := re.search(r"rtx 1\.7\.1\.116, opset \d+: ([a-z-]+)", label))
    }
    assert {verdict: said[verdict] for verdict in VERDICTS} == dict(zip(VERDICTS, "PFXUCN", strict=True))


@pytest.mark.parametrize(
    ("fragment", "cells"),
    [
        ("verdict=failed", 2), ("verdict=failed,crashed", 3), ("model=GENDER", 1), ("framework=mxnet", 1),
        ("version=trt+8.6.0", 1), ("version=trt+7.2", 1), ("precision=fp16", 1),
        ("precision=fp16&model=slim", 0), ("run=day-1", 1), ("model=nothing", 0),
    ],
)  # fmt: skip
def test_an_address_filters_the_matrix(fragment: str, cells: int, report: Path, browser: Browser) -> None:
    """The filters are the fragment of the address; what is left is counted aloud, other rows are gone."""
    browser.open(f"{(report / 'index.html').as_uri()}#{fragment}")
    assert browser.run(f"{SHOWN}.length") == cells
    assert browser.run("document.getElementById('shown').textContent").startswith(f"{cells} of ")
    assert browser.run("[...document.querySelectorAll('.matrix tr[data-model]:not([hidden])')].every("
                       "row => row.querySelector('a.cell:not(.dim)'))")  # fmt: skip


def test_a_filter_is_kept_in_the_address(overview: Browser) -> None:
    """Clicking and typing change the address, and showing all empties it."""
    overview.run("document.querySelector('input[value=failed]').click()")
    overview.run("filters.elements.model.focus()")
    overview.call("Input.insertText", text="digits")
    assert overview.run("location.hash") == "#verdict=failed&model=digits"
    overview.run("filters.querySelector('button').click(), new Promise(setTimeout)")
    assert overview.run("location.hash") == ""
    assert overview.run(f"{SHOWN}.length === document.querySelectorAll('a.cell').length")


def test_columns_without_a_match_are_gone(report: Path, browser: Browser) -> None:
    """Under a filter only columns with a match are left, and headings span what is left of theirs."""
    browser.open(f"{(report / 'index.html').as_uri()}#version=rtx+1.7.1.116&verdict=crashed")
    heads = "[...document.querySelectorAll('#executed thead th')].filter(th => th.checkVisibility())"
    assert browser.run(f"{heads}.map(th => th.textContent + th.colSpan)") == [
        "Model1", "rtx 1.7.1.1161", f"opset {site.OPSETS['crashed']}1",
    ]  # fmt: skip


def test_a_cell_opens_its_records_and_gives_the_focus_back(overview: Browser) -> None:
    """Enter on a cell opens message, metrics and command, loaded from a file beside; Escape closes it."""
    overview.run("document.querySelector('tr[data-model=digits] a.v-failed').focus()")
    for kind in ("rawKeyDown", "char", "keyUp"):
        overview.call("Input.dispatchKeyEvent", type=kind, key="Enter", windowsVirtualKeyCode=13, text="\r")
    overview.wait_for("panel.open")
    text = overview.run("document.getElementById('panel').innerText")
    assert all(part in text for part in ("<b>failed</b>", "logits differ", "pytest -k digits"))
    assert "rerun: x" not in text
    assert overview.run("panel.clientHeight === innerHeight && panel.clientWidth < innerWidth")
    for kind in ("keyDown", "keyUp"):
        overview.call("Input.dispatchKeyEvent", type=kind, key="Escape", windowsVirtualKeyCode=27)
    overview.wait_for("!panel.open && document.activeElement.matches('a.cell.v-failed')")


def test_an_address_opens_its_cell(report: Path, browser: Browser) -> None:
    """The address of a cell in the page of its model opens its records."""
    browser.open((report / "pages" / "model-digits.html").as_uri() + "#c2")
    browser.wait_for("panel.open")
    assert "digits" in browser.run("document.getElementById('panel-title').textContent")


def test_a_command_is_copied(overview: Browser) -> None:
    """The button beside a command says that it was copied, or leaves it selected."""
    overview.run("document.querySelector('#red button.copy').click()")
    overview.wait_for("/Copied|Selected/.test(document.querySelector('#red button.copy').textContent)")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_page_fits_the_window_and_has_no_errors(
    size: tuple[int, int], report: Path, browser: Browser
) -> None:
    """No page is wider than its window, every figure is drawn, and the console is silent."""
    browser.errors.clear()
    for page in pages(report):
        browser.open(page.as_uri(), size)
        assert browser.run("document.documentElement.scrollWidth <= innerWidth"), page.name
        assert browser.run(f"{FIGURES}.every(f => f.querySelector('.main-svg'))"), page.name
    assert browser.errors == []
    assert browser.run("document.title") != "1"


def test_every_kind_of_figure_is_there(report: Path) -> None:
    """The model with everything beside it has each figure of a model, and the runs have theirs."""
    texts = [(report / "pages" / name).read_text("utf-8") for name in ("model-digits.html", "runs.html")]
    kinds = {
        json.loads(one)["kind"] for one in re.findall(r'"application/json">(.*?)</script>', "".join(texts))
    }
    script = (report / "pages" / "charts.js").read_text("utf-8")
    assert kinds == set(re.findall(r"^  (\w+): \(rows", script, re.MULTILINE))


def test_pages_with_figures_alone_load_the_library(report: Path) -> None:
    """Plotly's script is there once, whole; pages without a figure, such as the overview, do not load it."""
    (script,) = report.rglob("plotly*.js")
    assert script.read_bytes() == charts.library().read_bytes()
    for page in pages(report):
        text = page.read_text("utf-8")
        assert ("plotly.min.js" in text) == ('<figure class="chart' in text), page.name
    assert "plotly.min.js" not in (report / "index.html").read_text("utf-8")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_figures_have_their_marks_inside_their_width(
    size: tuple[int, int], report: Path, browser: Browser
) -> None:
    """Every row is a mark of some trace, nothing is wider than the page, no button stands over a figure."""
    browser.open((report / "pages" / "model-digits.html").as_uri(), size)
    seen = browser.run(
        f"{FIGURES}.map(f => [JSON.parse(f.querySelector('script').textContent).kind,"
        " f.querySelectorAll('.point, .boxlayer path.box, .barlayer path').length,"
        " f.querySelector('.main-svg').clientWidth <= f.clientWidth,"
        " f.querySelectorAll('.modebar-btn').length,"
        " f.querySelector('[role=img]').ariaLabel.startsWith(f.querySelector('figcaption').textContent)])"
    )
    assert {kind for kind, *_ in seen} == {
        "hops", "intervals", "noise", "latency", "sweep", "gammas", "cliff", "trend"
    }  # fmt: skip
    assert [one for one in seen if not one[1] or one[2:] != [True, 0, True]] == []


def test_names_in_figures_are_shown_as_text(report: Path, browser: Browser) -> None:
    """Plotly takes a part of HTML for markup: a name that looks like it is written out."""
    browser.open((report / "pages" / "runs.html").as_uri())
    drawn = browser.run(
        "(() => { const figure = document.querySelector('figure.chart');"
        " const about = JSON.parse(figure.querySelector('script').textContent);"
        " for (const row of about.rows) row.row = '<b>a</b> &amp; <br>%{x}';"
        " figure.querySelector('script').textContent = JSON.stringify(about); draw(figure);"
        " return figure.querySelector('g.ytick').textContent; })()"
    )
    assert drawn == "<b>a</b> &amp; <br>%{x}"


@pytest.mark.parametrize("name", ["2026-11-28 00:00 000000000000", "m" * 30, "WWW, rtx 1.6.1.120, int8, qdq"])
def test_no_name_beside_a_figure_is_cut_by_its_edge(name: str, report: Path, browser: Browser) -> None:
    """Wide letters and figures have their room, too."""
    browser.open((report / "pages" / "runs.html").as_uri())
    left = browser.run(
        "(() => { const figure = document.querySelector('figure.chart');"
        " const about = JSON.parse(figure.querySelector('script').textContent);"
        f" for (const row of about.rows) row.row = {json.dumps(name)};"
        " figure.querySelector('script').textContent = JSON.stringify(about); draw(figure);"
        " return figure.querySelector('g.ytick text').getBoundingClientRect().left"
        " - figure.getBoundingClientRect().left; })()"
    )
    assert left >= 0


def test_a_figure_follows_the_width_of_the_window(report: Path, browser: Browser) -> None:
    """Who turns a phone sees the figure at its new width."""
    browser.open((report / "pages" / "runs.html").as_uri())
    width, height = PHONE
    browser.call(
        "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=True
    )
    browser.run(
        "new Promise(done => { const drawn = document.querySelector('.main-svg');"
        " const wait = () => drawn.clientWidth < innerWidth ? done() : setTimeout(wait, 20); wait(); })"
    )


@pytest.mark.skipif(find_spec("axe_core_python") is None, reason="needs axe-core: pip install --group meta")
@pytest.mark.parametrize("name", ["index.html", "pages/model-digits.html", "pages/runs.html"])
def test_axe_finds_no_barrier(name: str, report: Path, browser: Browser) -> None:
    """No rule of axe-core for WCAG 2.1 A and AA, and none of its best practices, is broken."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    browser.open((report / name).as_uri())
    browser.run(axe)
    broken = browser.run(
        "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 200))]))"
    )
    assert broken == []


class Links(HTMLParser):
    """What a page refers to, and the names of its own places."""

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note names and references."""
        for name, value in attrs:
            if name == "id":
                self.places.add(value or "")
            if name in ("href", "src", "action", "data"):
                self.links.append(value or "")


def test_every_link_leads_somewhere_in_the_folder(report: Path) -> None:
    """No page refers to a host, or to a file or a place that is not there; a script is not needed for it."""
    found: dict[Path, Links] = {}
    for page in pages(report):
        found[page] = Links()
        found[page].feed(page.read_text("utf-8"))
    for page, parsed in found.items():
        for link in parsed.links:
            path, _, place = link.partition("#")
            target = (page.parent / unquote(path)).resolve() if path else page
            assert link == "data:," or target.is_relative_to(report.resolve()), link
            assert link == "data:," or target.exists(), link
            assert not place or "=" in place or place in found[target].places, link
    texts = "".join(
        (report / "pages" / name).read_text("utf-8") for name in ("site.css", "site.js", "charts.js")
    )
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket", texts)


def test_every_record_is_there_without_the_script(report: Path) -> None:
    """Without JavaScript each record is a row of its model's page, below the name that its cell leads to."""
    lines = (report / "records.jsonl").read_text("utf-8").splitlines()
    rows = "".join(page.read_text("utf-8") for page in report.glob("pages/model-*.html"))
    assert rows.count('<tr><td><span class="badge') == len(lines)


def test_names_and_messages_are_shown_as_text(report: Path, browser: Browser) -> None:
    """A hostile name is the title of its page, in a file of its folder; nothing of it is markup or hidden."""
    (page,) = report.glob("pages/model-*~*.html")
    browser.open(page.as_uri())
    assert browser.run("document.querySelector('h1').textContent") == clean(site.HOSTILE)
    assert browser.run("document.querySelectorAll('main img, main script:not([type])').length") == 0
    assert browser.run("document.querySelector('#red pre').textContent").strip() == clean(site.HOSTILE)
