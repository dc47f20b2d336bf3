"""A folder in COCO's layout: its boxes are where the network sees them, and what is missing is named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.run import make_run
from fixtures.run.options import Options
from reference_models import registry
from reference_models.datasets.coco import Coco, CocoError, as_judged, classes, evaluated

PIL = pytest.importorskip("PIL.Image")
SIDE = 96
COUNT = 12


def content() -> dict[str, Any]:
    """Annotations of twelve pictures, wide and high in turn: a box each, and a crowd in the last one."""
    sizes = [(64, 32) if number % 2 else (32, 64) for number in range(COUNT)]
    images = [
        {"id": 100 - n, "file_name": f"{n}.png", "width": w, "height": h} for n, (w, h) in enumerate(sizes)
    ]
    boxes = [
        {"image_id": 100 - n, "category_id": 7 if n % 3 else 90, "bbox": [8, 4, 16, 8]} for n in range(COUNT)
    ]
    boxes.append({"image_id": 89, "category_id": 90, "bbox": [0, 0, 4, 4], "iscrowd": 1})
    return {"images": images, "annotations": boxes, "categories": [{"id": 90}, {"id": 7}]}


def written(folder: Path, change: Callable[[dict[str, Any]], object] = lambda _: None) -> Path:
    """Write the folder, with a white box on black in each picture."""
    rows = content()
    change(rows)
    (folder / "annotations").mkdir()
    (folder / "val2017").mkdir()
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(rows))
    for row in content()["images"]:
        pixels = np.zeros((row["height"], row["width"], 3), np.uint8)
        pixels[4:12, 8:24] = 255
        PIL.fromarray(pixels).save(folder / "val2017" / row["file_name"])
    return folder


def test_boxes_are_where_the_network_sees_them(tmp_path: Path) -> None:
    """The white box of each letterboxed picture lies inside its true box, to a pixel."""
    data = Coco(written(tmp_path), SIDE, SIDE)()
    ends = np.cumsum(data["counts"])
    for number, end in enumerate(ends):
        picture = data["images"][number]
        assert picture.shape == (3, SIDE, SIDE)
        x1, y1, x2, y2 = data["boxes"][end - data["counts"][number]]
        rows, columns = np.nonzero(picture[0] > 0.9)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(np.array(seen) - [x1, y1, x2, y2]).max() <= 2


def test_labels_are_places_and_a_crowd_is_one(tmp_path: Path) -> None:
    """Categories count by their ids, images by theirs; the first picture calibrates and is not evaluated."""
    data = Coco(written(tmp_path), SIDE, SIDE)()
    assert (len(data["calibration"]), len(data["images"])) == (1, COUNT - 1)
    assert data["counts"].tolist() == [1] * (COUNT - 1)
    assert data["labels"].tolist() == [0 if n % 3 else 1 for n in range(COUNT - 2, -1, -1)]
    calibrating, first = data["calibration"].files[0], data["images"].files[0]
    assert (calibrating.name, first.name) == ("11.png", "10.png")  # ids fall as names rise


def test_a_crowd_is_told_from_a_box(tmp_path: Path) -> None:
    """Of train2017 all pictures calibrate, and all of val2017 are evaluated."""
    folder = written(tmp_path)
    (folder / "train2017").mkdir()
    (folder / "train2017" / "a.png").write_bytes((folder / "val2017" / "3.png").read_bytes())
    data = Coco(folder, SIDE, SIDE)()
    assert [file.name for file in data["calibration"].files] == ["a.png"]
    assert data["counts"].tolist() == [2] + [1] * (COUNT - 1)
    assert data["crowd"].nonzero()[0].tolist() == [1]


def of(table: str, **values: object) -> Callable[[dict[str, Any]], object]:
    """Make what changes the second row of a table."""
    return lambda rows: rows[table][1].update(values)


BAD: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "no table": (lambda rows: rows.pop("images"), "KeyError: 'images'"),
    "no field": (lambda rows: rows["images"][2].pop("width"), r"images\[2\] has no width, expected a number"),
    "no row": (lambda rows: rows.update(images=[1, 2]), r"images\[0\] has no id, expected a whole number"),
    "no pictures": (lambda rows: rows.update(images=[], annotations=[]), "0 pictures, which leaves none"),
    "one picture": (
        lambda rows: rows.update(images=rows["images"][:1], annotations=rows["annotations"][:1]),
        "has 1 pictures, which leaves none to evaluate; expected two",
    ),
    "no category": (of("annotations", category_id=3), r"annotations\[1\] has the category_id 3, and categ"),
    "no image": (of("annotations", image_id=3), r"annotations\[1\] has the image_id 3, and images have none"),
    "two of an id": (of("images", id=100), "2 images have the id 100, expected one"),
    "two categories of an id": (of("categories", id=90), "2 categories have the id 90"),
    "an id of letters": (of("images", id="abc"), r"images\[1\] has the id 'abc', expected a whole"),
    "a category of letters": (of("categories", id="x"), r"categories\[1\] has the id 'x'"),
    "a name of digits": (of("images", file_name=5), r"images\[1\] has the file_name 5, expected the name of"),
    "no width": (of("images", width=0), r"images\[1\] has the width 0, expected a number of pixels above 0"),
    "a width of letters": (of("images", width="64"), r"images\[1\] has the width '64'"),
    "two numbers": (
        of("annotations", bbox=[1, 2]),
        r"annotations\[1\] has the bbox \[1, 2\], .* four finite",
    ),
    "no box": (
        of("annotations", bbox=None),
        r"annotations\[1\] has no bbox, expected x, y, width and height",
    ),
    "a box of letters": (of("annotations", bbox=["a", 1, 2, 3]), r"annotations\[1\] has the bbox"),
    "a box of no numbers": (
        of("annotations", bbox=[float("nan"), 1, 2, 3]),
        r"annotations\[1\] has the bbox",
    ),
    "an endless box": (of("annotations", bbox=[1e308] * 4), r"annotations\[1\] has the bbox"),
    "a box inside out": (of("annotations", bbox=[1, 1, -2, 3]), r"no length below 0"),
    "a box of truths": (of("annotations", bbox=[True, 1, 1, 1]), r"annotations\[1\] has the bbox"),
    "no picture": (lambda rows: rows["images"][0].update(file_name="x.png"), "x.png is missing, and 0 other"),
    "another size": (
        of("images", width=640, height=320),
        "1.png is 64x32 pixels, .* has 640x320: are they of",
    ),
}


@pytest.mark.parametrize(("change", "said"), BAD.values(), ids=BAD)
def test_annotations_that_do_not_fit_are_named(
    change: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    """File, table, row and field."""
    with pytest.raises(CocoError, match=said):
        Coco(written(tmp_path, change), SIDE, SIDE)()


@pytest.mark.parametrize("length", [0, 2, 60])
def test_a_picture_that_is_none_is_named(length: int, tmp_path: Path) -> None:
    """At the start where its head says so, else when it is read: its file, and what to do."""
    file = written(tmp_path) / "val2017" / "3.png"
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises((CocoError, OSError), match=r"3\.png cannot be read as a picture .*; copy it again"):
        [*Coco(tmp_path, SIDE, SIDE)()["images"]]


def test_a_folder_without_the_layout_is_refused_at_the_start(tmp_path: Path) -> None:
    """The run ends before anything is collected, and says what was expected."""
    options = replace(Options(), models="yolov3-tiny", coco=tmp_path, artifacts=tmp_path / "artifacts")
    with pytest.raises(
        ValueError, match=r"there is no .*instances_val2017.json; expected .* as cocodataset.org"
    ):
        make_run(options)


def test_the_rerun_command_names_the_folder() -> None:
    """A failure is reproduced on the same pictures."""
    assert "--coco=/elsewhere" in [*Options(coco=Path("/elsewhere")).given()]


def test_only_detectors_of_its_classes_are_judged(tmp_path: Path) -> None:
    """Two classes are nobody's here; 80 are those of the official networks."""
    folder, models = written(tmp_path), registry.models()
    assert (classes(models["yolov3-tiny"]), classes(models["yolov5n"]), classes(models["digits"])) == (
        80,
        80,
        0,
    )
    with pytest.raises(CocoError, match="none of the chosen models is a detector of the 2 classes"):
        evaluated([models["yolov3-tiny"], models["digits"]], folder)
    rows = content()
    rows["categories"] += [{"id": number} for number in range(100, 178)]
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(rows))
    tiny, digits = evaluated([models["yolov3-tiny"], models["digits"]], folder)
    assert (tiny.metric, digits) == ("map", models["digits"])
    assert as_judged(models["yolov5n"]).metric == "map"
