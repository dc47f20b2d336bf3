"""How far INT8 agrees with float32 is counted right, and no photo calibrates what it judges."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks.official_int8 import SERIES, agreement, main, pictures
from fixtures.checks.scoring import MeanAveragePrecision
from fixtures.metrics.detection import Rows

MISSING = [name for name in ("PIL", "pycocotools", "sklearn") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
METRIC = MeanAveragePrecision(dict, None)


def found(*rows: tuple[float, ...]) -> Rows:
    """Detections: class, score, none, ... as `reference_models.yolo.found` gives them."""
    return np.array(rows, np.float64).reshape(-1, 6)


BEFORE = [
    found((0, 0.9, 50, 50, 20, 20), (1, 0.8, 20, 20, 10, 10)),
    found((0, 0.7, 30, 30, 20, 20), (0, 0.1, 70, 70, 9, 9)),
]


def test_equal_detections_agree_whole() -> None:
    """What float32 shows is there, box for box; what is below the threshold counts neither way."""
    same = agreement(METRIC, BEFORE, BEFORE)
    assert (same.same.value, same.near.value, same.every, same.half) == (
        100,
        100,
        pytest.approx(100),
        pytest.approx(100),
    )


@pytest.mark.parametrize(
    ("after", "same", "near", "whole"),
    [
        ([found(), found()], 0, 0, False),
        ([BEFORE[0], found()], 200 / 3, 200 / 3, False),
        ([found((1, 0.9, 50, 50, 20, 20), (1, 0.8, 20, 20, 10, 10)), BEFORE[1]], 200 / 3, 200 / 3, False),
        ([found((0, 0.9, 53, 50, 20, 20), (1, 0.8, 20, 20, 10, 10)), BEFORE[1]], 200 / 3, 100, False),
        ([found((0, 0.2, 50, 50, 20, 20), (1, 0.8, 20, 20, 10, 10)), BEFORE[1]], 200 / 3, 200 / 3, True),
    ],
    ids=["nothing", "one image", "another class", "moved by 3 of 20 pixels", "a score that nobody sees"],
)
def test_planted_losses_are_counted(after: list[Rows], same: float, near: float, *, whole: bool) -> None:
    """Of three boxes, by class, place and score; mAP asks for the order of scores alone."""
    seen = agreement(METRIC, BEFORE, after)
    assert (seen.same.value, seen.near.value) == (pytest.approx(same), pytest.approx(near))
    assert (seen.every == pytest.approx(100)) == whole


def test_pictures_alike_are_one_series(tmp_path: Path) -> None:
    """By names, each picture once; icons, and files that are no pictures, are none."""
    from PIL import Image

    names = ["left01", "left02", "right01", "bus", "aloeL", "aloeR", "copy_of_bus", "icon"]
    for number, name in enumerate(names):
        side, grey = (20 if name == "icon" else 200), (3 if "bus" in name else number)
        Image.new("RGB", (side, side), (grey, grey, grey)).save(tmp_path / f"{name}.png")
    (tmp_path / "read.txt").write_text("bus")
    found_ = sorted([file.stem for file in series] for series in pictures([tmp_path, tmp_path]))
    assert found_ == [["aloeL", "aloeR"], ["bus"], ["left01", "left02", "right01"]]
    assert SERIES == 4


def test_too_few_photos_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, whether weights or photos are missing."""
    assert main([str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "sees something on 0 pictures of them" in said or "official weights cannot be had" in said
