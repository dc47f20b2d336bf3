"""A detection data set on disk in COCO's layout, such as COCO 2017 itself, as a model's data set.

DIR/annotations/instances_val2017.json and the pictures of DIR/val2017, as cocodataset.org gives them.
Calibrated on pictures of DIR/train2017, where that is there.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from reference_models import inputs
from reference_models.datasets.pictures import Pictures, in_folder
from reference_models.model import ReferenceModel

ANNOTATIONS = Path("annotations", "instances_val2017.json")
PART, CALIBRATION = "val2017", "train2017"
CALIBRATED = 100
"""Pictures that INT8 is calibrated on; without DIR/train2017 they are at most a tenth of the others."""
LARGEST = 1e9
"""No coordinate of a picture is as large; NaN is not below it either."""
Row = Mapping[str, Any]


class CocoError(ValueError):
    """A folder is not in COCO's layout; the text says what is missing."""


@dataclass(frozen=True)
class Coco:
    """The data set of a detector whose input is (1, 3, height, width). mean, scale: those of `Pictures`."""

    folder: Path
    height: int
    width: int
    mean: tuple[float, ...] = Pictures.mean
    scale: tuple[float, ...] = Pictures.scale

    def __call__(self) -> dict[str, Any]:
        """Return calibration, images, boxes, labels, counts and crowd. Raise CocoError, OSError.

        A label is the place of its category among all, by their ids. Without pictures of train2017 the first
        ones of val2017 calibrate and are not evaluated.
        """
        content = read(self.folder)
        rows = sorted(content["images"], key=lambda row: int(row["id"]))
        files = [self.folder / PART / row["file_name"] for row in rows]
        if missing := [file for file in files if not file.is_file()]:
            raise CocoError(
                f"{missing[0]} is missing, and {len(missing) - 1} other pictures of {ANNOTATIONS}"
            )
        for file, row in zip(files, rows, strict=True):
            _hold_size(file, row)
        training = self.folder / CALIBRATION
        calibrating = in_folder(training)[:CALIBRATED] if training.is_dir() else ()
        spent = 0 if calibrating else min(CALIBRATED, max(1, len(files) // 10))
        if len(files) <= spent:
            raise CocoError(
                f"{self.folder}: {ANNOTATIONS} has {len(files)} pictures, which leaves none to evaluate; "
                f"expected two at least, or one and pictures in {CALIBRATION}"
            )
        pictures = partial(Pictures, width=self.width, height=self.height, mean=self.mean, scale=self.scale)
        return {
            "calibration": pictures(calibrating or tuple(files[:spent])),
            "images": pictures(tuple(files[spent:])),
            **self._objects(rows[spent:], content),
        }

    def _objects(self, images: Sequence[Row], content: Row) -> dict[str, np.ndarray]:
        """Return the objects of images, image after image, in pixels of the letterboxed input."""
        places = {number: place for place, number in enumerate(categories(content))}
        of_image: dict[int, list[Row]] = defaultdict(list)
        for row in content["annotations"]:
            of_image[row["image_id"]].append(row)
        pairs = [(image, row) for image in images for row in of_image[image["id"]]]
        return {
            "boxes": np.array([self._box(*pair) for pair in pairs], np.float64).reshape(-1, 4),
            "labels": np.array([places[row["category_id"]] for _, row in pairs], np.int64),
            "crowd": np.array([bool(row.get("iscrowd")) for _, row in pairs], bool),
            "counts": np.array([len(of_image[image["id"]]) for image in images], np.int64),
        }

    def _box(self, image: Row, row: Row) -> list[float]:
        """Return x1, y1, x2, y2 of a box that is given as x, y, width, height in pixels of its picture."""
        size, offset = inputs.placed(image["width"], image["height"], self.width, self.height)
        x, y, width, height = row["bbox"]
        factors = size[0] / image["width"], size[1] / image["height"]
        corners = (x, y, x + width, y + height)
        return [corner * factors[n % 2] + offset[n % 2] for n, corner in enumerate(corners)]


def _hold_size(file: Path, row: Row) -> None:
    """Raise CocoError for a picture that is none, or of another size: its boxes would lie elsewhere."""
    from PIL import Image

    try:
        with Image.open(file) as picture:
            size = picture.size
    except OSError as error:
        raise CocoError(f"{file} cannot be read as a picture ({error}); copy it again") from None
    if size != (row["width"], row["height"]):
        told = f"{row['width']}x{row['height']}"
        raise CocoError(
            f"{file} is {size[0]}x{size[1]} pixels, {ANNOTATIONS} has {told}: are they of one set?"
        )


def read(folder: Path) -> dict[str, Any]:
    """Return the content of a folder's annotations. Raise CocoError for what is no such file."""
    file = folder / ANNOTATIONS
    layout = f"expected {ANNOTATIONS} and {PART}/ in {folder}, as cocodataset.org has them"
    if not file.is_file() or not (folder / PART).is_dir():
        raise CocoError(f"there is no {file if not file.is_file() else folder / PART}; {layout}")
    try:
        content = json.loads(file.read_bytes())
        tables = {name: [*content[name]] for name in ("images", "annotations", "categories")}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CocoError(
            f"{file} is no file of annotations ({type(error).__name__}: {error}); {layout}"
        ) from None
    _check(tables, file)
    return tables


def _check(tables: Mapping[str, Sequence[Row]], file: Path) -> None:
    """Raise CocoError for a row with a wrong field, of the id of another, or that names what there is not."""
    ids: dict[str, set[int]] = {}
    for name, rows in tables.items():
        for number, row in enumerate(rows):
            for field, (is_right, expected) in FIELDS[name].items():
                found = row.get(field) if isinstance(row, Mapping) else None
                if not is_right(found):
                    what = f"has no {field}" if found is None else f"has the {field} {found!r}"
                    raise CocoError(f"{file}: {name}[{number}] {what}, expected {expected}")
        ids[name] = _distinct(name, rows, file) if "id" in FIELDS[name] else set()
    for number, row in enumerate(tables["annotations"]):
        for field, name in (("category_id", "categories"), ("image_id", "images")):
            if row[field] not in ids[name]:
                told = f"has the {field} {row[field]}, and {name} have none of that id"
                raise CocoError(f"{file}: annotations[{number}] {told}")


def _distinct(name: str, rows: Sequence[Row], file: Path) -> set[int]:
    """Return the ids of rows. Raise CocoError for one that two of them have."""
    counted = Counter(row["id"] for row in rows)
    if twice := [number for number, count in counted.items() if count > 1]:
        raise CocoError(f"{file}: {counted[twice[0]]} {name} have the id {twice[0]}, expected one")
    return set(counted)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_length(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_box(value: object) -> bool:
    """Say whether it is x, y, width and height: numbers, finite, no length below 0."""
    if not isinstance(value, list) or len(value) != 4 or any(isinstance(each, bool) for each in value):
        return False
    numbers = all(isinstance(each, (int, float)) and abs(each) < LARGEST for each in value)
    return numbers and value[2] >= 0 and value[3] >= 0


_ID = {"id": (_is_whole, "a whole number")}
_SIDE = (_is_length, "a number of pixels above 0")
FIELDS: Mapping[str, Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "images": {**_ID, "file_name": (_is_name, "the name of a file"), "width": _SIDE, "height": _SIDE},
    "annotations": {
        "image_id": _ID["id"],
        "category_id": _ID["id"],
        "bbox": (_is_box, "x, y, width and height: four finite numbers, no length below 0"),
    },
    "categories": _ID,
}
"""Table -> field -> whether a value is one, and what it should be."""


def categories(content: Row) -> list[int]:
    """Return the ids of the categories, in the order of the classes of a network trained on them."""
    return sorted(row["id"] for row in content["categories"])


def evaluated(models: Iterable[ReferenceModel], folder: Path) -> tuple[ReferenceModel, ...]:
    """Return the models, detectors of as many classes as a folder has evaluated on it.

    Raise CocoError where none of them is one.
    """
    count = len(categories(read(folder)))
    rows = tuple(_judged(model, folder) if classes(model) == count else model for model in models)
    if not any(isinstance(row.dataset, Coco) for row in rows):
        raise CocoError(f"none of the chosen models is a detector of the {count} classes of {folder}")
    return rows


def _judged(model: ReferenceModel, folder: Path) -> ReferenceModel:
    ((_, _, height, width),) = model.inputs.values()
    return replace(model, metric="map", dataset=Coco(folder, height, width), dataset_in_place=True)


def as_judged(model: ReferenceModel) -> ReferenceModel:
    """Return a detector as a run with ``--coco`` would have it, any other model as it is."""
    return replace(model, metric="map") if classes(model) else model


def classes(model: ReferenceModel) -> int:
    """Return how many classes a detector of one picture tells apart, 0 for a model that is none."""
    heads = getattr(model.decode, "keywords", {}).get("heads", ())
    shapes = [len(shape) == 4 and shape[1] == 3 for shape in model.inputs.values()]
    return int(heads[0].classes) if heads and shapes == [True] else 0
