"""The page of the report in a real browser: what a reader sees after its script ran."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.records import Metric, Record, append
from fixtures.verdicts import VERDICTS, Verdict

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--window-size=1000,700",
)  # fmt: skip
OPSETS: dict[Verdict, int] = {verdict: opset for opset, verdict in enumerate(VERDICTS, 10)}
Browse = Callable[..., str]


def browser() -> str:
    """Return the path of a Chromium; skip the test where there is none, fail it in CI."""
    installed = next(filter(None, map(shutil.which, NAMES)), "")
    if found := os.environ.get("TRT_PARITY_CHROMIUM") or installed:
        return found
    reason = "no browser: install chromium (apt-get install chromium), or set TRT_PARITY_CHROMIUM"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page with a cell of every verdict."""
    report = pytest.importorskip(
        "fixtures.commands.report", reason="needs jinja2 and rich: pip install --group report"
    )
    folder = tmp_path_factory.mktemp("page")
    for verdict, opset in OPSETS.items():
        model = {"name": "digits", "framework": "pytorch"}
        metrics = {"worst": Metric(opset / 10, "of allowed", limit=1.0)}
        trt = {"flavour": "tensorrt-rtx", "version": "1.7.1.116"}
        message = f"<img src=x onerror=this.remove()> {verdict} https://example.invalid/why"
        one = Record("tensorrt-parity", verdict, model, opset=opset, tensorrt=trt, metrics=metrics,
                     message=message, rerun="pytest -k digits", samples=(1.0, 2.0))  # fmt: skip
        append(folder / "records.jsonl", one)
    report.main([str(folder), "--output", str(folder / "report")])
    return folder / "report" / "index.html"


@pytest.fixture
def browse(page: Path, tmp_path: Path) -> Browse:
    """Open the page with extra flags at a place in it; gives what the browser printed."""
    command = [browser(), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}"]

    def open_page(*flags: str, at: str = "") -> str:
        address = page.as_uri() + at
        done = subprocess.run([*command, *flags, address], capture_output=True, timeout=120, check=True)
        return done.stdout.decode()

    return open_page


def test_cells_name_their_verdicts(browse: Browse) -> None:
    """After the script ran, each cell of the matrix has its verdict as symbol, letter and label."""
    dom = browse("--dump-dom")
    cells = dict(re.findall(r'opset (\d+): ([a-z-]+)[^"]*"><span class="mark">', dom))
    letters = re.findall(r'<span class="mark">.<b>([A-Z])</b>', dom)
    assert cells == {str(opset): verdict for verdict, opset in OPSETS.items()}
    assert letters == list("PFXUCN")
    assert '<html lang="en" class="js">' in dom


def test_an_address_opens_its_cell(browse: Browse) -> None:
    """The address of a cell opens the panel with its records, message and command."""
    dom = browse("--dump-dom", at="#c2")
    panel = dom[dom.index('<dialog id="panel"') :]
    assert 'open=""' in panel.split(">")[0]
    assert "digits · opset 11 · rtx 1.7.1.116" in panel
    assert "&lt;img src=x" in panel
    assert "pytest -k digits" in panel


def test_the_page_asks_nothing_of_the_network(page: Path) -> None:
    """No element refers to another file or host."""
    text = page.read_text("utf-8")
    places = re.findall(r"<[^>]*?\b(?:src|href|action|data)\s*=\s*[\"']?([^\"'\s>]*)", text)
    assert places
    assert [place for place in places if place[:1] != "#" and place != "data:,"] == []
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket", text)


def test_every_record_is_there_without_the_script(page: Path) -> None:
    """With JavaScript off, each cell's link leads to its records inside the page."""
    text = page.read_text("utf-8")
    targets = re.findall(r'<a class="cell[^>]*href="#(c\d+)"', text)
    assert len(targets) == len(VERDICTS)
    assert all(f'<div id="{target}"' in text for target in targets)


def test_the_page_can_be_seen(browse: Browse, tmp_path: Path) -> None:
    """A screenshot is a PNG of the window's size with something in it."""
    shot = tmp_path / "page.png"
    browse(f"--screenshot={shot}")
    data = shot.read_bytes()
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (width, height) == (1000, 700)
    assert len(data) > 15_000
