"""The README's picture is light, and its script makes one from real records."""

import shutil
from pathlib import Path

import pytest

from docs import make_picture
from suites.meta.docs.pages import DOCS, README, links

RECORDS = DOCS / "measurements" / "2026-11-29-main-job.jsonl"
BROWSER = any(map(shutil.which, make_picture.BROWSERS))


def size(picture: Path) -> tuple[int, int]:
    """Return width and height of a picture in pixels."""
    from PIL import Image

    with Image.open(picture) as image:
        return image.size


def test_the_committed_picture_is_shown_and_light() -> None:
    """The README shows it, and it has less than 200 kB and the size that the script gives."""
    pytest.importorskip("PIL")
    assert make_picture.PICTURE.relative_to(README.parent).as_posix() in links(README)
    assert make_picture.PICTURE.stat().st_size < make_picture.LARGEST
    assert size(make_picture.PICTURE) == (make_picture.WIDTH, make_picture.HEIGHT)


@pytest.mark.slow
@pytest.mark.skipif(not BROWSER, reason="Chromium is not on PATH")
def test_the_script_makes_it_of_records(tmp_path: Path) -> None:
    """Chromium sees the page of the records, and the picture is not one colour."""
    image = pytest.importorskip("PIL.Image")
    assert make_picture.main([str(RECORDS)], tmp_path / "report.webp") == 0
    assert size(tmp_path / "report.webp") == (make_picture.WIDTH, make_picture.HEIGHT)
    with image.open(tmp_path / "report.webp") as seen:
        assert len(seen.convert("RGB").getcolors(1 << 20)) > 50


def test_a_machine_without_a_browser_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line says what to install, and nothing is written."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match="apt-get install chromium"):
        make_picture.main([str(RECORDS)], tmp_path / "report.webp")
    assert not (tmp_path / "report.webp").exists()


@pytest.mark.skipif(not BROWSER, reason="Chromium is not on PATH")
def test_a_folder_without_records_is_told(tmp_path: Path) -> None:
    """One line says where there are none, and nothing is written."""
    with pytest.raises(SystemExit, match="no records to make a report of"):
        make_picture.main([str(tmp_path)], tmp_path / "report.webp")
    assert not (tmp_path / "report.webp").exists()
