"""Make the README's picture: the first screen of the report of real records, seen by a headless Chromium.

    python -m docs.make_picture [RECORDS...]

Writes docs/images/report.webp. Without arguments the records are `CAMPAIGNS` of docs/measurements. Needs
Chromium on PATH, and the groups `report` and `convert`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from fixtures.commands import report

DOCS = Path(__file__).parent
PICTURE = DOCS / "images" / "report.webp"
CAMPAIGNS = ("2026-11-29-main-job", "2026-11-28-tensorrt-8.5.3.1-h100", "2026-11-29-tensorrt-8.6.0-h200")
"""The main job, and two releases of TensorRT on GPUs: what one screen can show."""
WIDTH, HEIGHT = 1280, 1040
"""The window, in CSS pixels: the matrix whole, without the sections below it."""
LARGEST = 200_000
"""Bytes that the picture may have: it is loaded by everyone who looks at the README."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 120.0


def main(paths: Sequence[str], picture: Path = PICTURE) -> int:
    """Make the picture; return 0. Raise SystemExit with one line if a part is missing or it is too large."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit(f"none of {', '.join(BROWSERS)} is on PATH: apt-get install chromium")
    chosen = list(paths) or [str(DOCS / "measurements" / f"{name}.jsonl") for name in CAMPAIGNS]
    with tempfile.TemporaryDirectory() as folder:
        if report.main([*chosen, "--output", folder]) == report.NO_RECORDS:
            raise SystemExit(f"{', '.join(chosen)}: no records to make a report of")
        _compress(_photograph(browser, Path(folder)), picture)
    if (size := picture.stat().st_size) > LARGEST:
        raise SystemExit(f"{picture}: {size} bytes, {LARGEST} are allowed; choose fewer records")
    print(f"{picture}: {size} bytes")
    return 0


def _photograph(browser: str, folder: Path) -> Path:
    """Return a PNG of the page's first screen, in light colours."""
    shot = folder / "report.png"
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-light-mode",
        f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={folder / 'profile'}", f"--screenshot={shot}",
        (folder / "index.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    if not shot.exists():
        raise SystemExit(f"{browser} made no picture: {done.stderr.strip()[-300:]}")
    return shot


def _compress(shot: Path, picture: Path) -> None:
    """Write the picture as lossless WebP: half a PNG, and text stays sharp."""
    from PIL import Image

    with Image.open(shot) as image:
        image.convert("RGB").save(picture, lossless=True, method=6)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
