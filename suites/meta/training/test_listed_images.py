"""A user's own images: found, stretched, labelled, and every fault named by file and line."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.training.errors import TrainingError
from fixtures.training.listed_images import ListedImages, label_file

pytestmark = pytest.mark.skipif(
    find_spec("PIL") is None, reason="pillow is not installed; run `tox run -e meta`"
)


def listed(folder: Path, label: str = "2 0.5 0.25 0.5 0.5\n", names: str = "images/a.png\n") -> Path:
    """Write an image of 40 x 20 pixels, left half red, its labels, and a list of it."""
    from PIL import Image

    for name in ("images", "labels"):
        (folder / name).mkdir()
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20, 0] = 255
    Image.fromarray(pixels).save(folder / "images" / "a.png")
    (folder / "labels" / "a.txt").write_text(label)
    (folder / "list.txt").write_text(names)
    return folder / "list.txt"


def test_an_image_is_stretched_with_its_boxes(tmp_path: Path) -> None:
    """Pixels are RGB in 0..1 of the network's size, boxes corners in its pixels."""
    images = ListedImages(listed(tmp_path), 80, 60)
    image, boxes, labels = images[0]
    assert (len(images), images.classes, image.shape, image.dtype) == (1, 3, (3, 60, 80), np.float32)
    assert image[:, 30, 10].tolist() == [1, 0, 0]
    assert image[:, 30, 70].tolist() == [0, 0, 0]
    assert boxes.tolist() == [[20, 0, 60, 30]]
    assert labels.tolist() == [2]


def test_an_image_without_objects_has_an_empty_file(tmp_path: Path) -> None:
    """It has no box and no class."""
    path = listed(tmp_path, names="images/a.png\nimages/b.png\n")
    shutil.copy(tmp_path / "images" / "a.png", tmp_path / "images" / "b.png")
    (tmp_path / "labels" / "b.txt").write_text("\n")
    images = ListedImages(path, 80, 60)
    assert images[1].boxes.shape == (0, 4)
    assert (images.classes, images.highest) == (3, str(tmp_path / "labels" / "a.txt"))


def test_labels_may_lie_beside_the_image(tmp_path: Path) -> None:
    """Where no folder named labels has them."""
    assert label_file(tmp_path / "images" / "x" / "a.jpg") == tmp_path / "images" / "x" / "a.txt"
    listed(tmp_path)
    assert label_file(tmp_path / "images" / "a.png") == tmp_path / "labels" / "a.txt"


def test_other_labels_give_another_digest(tmp_path: Path) -> None:
    """A checkpoint of these images is none of those."""
    path = listed(tmp_path)
    first = ListedImages(path, 80, 60).digest
    assert ListedImages(path, 80, 60).digest == first
    assert ListedImages(path, 64, 60).digest != first
    (tmp_path / "labels" / "a.txt").write_text("2 0.5 0.25 0.5 0.51\n")
    assert ListedImages(path, 80, 60).digest != first


FAULTS = {
    "no line": ({"names": "\n"}, r"list\.txt: lists no image"),
    "an image that is not there": ({"names": "images/a.png\nb.png"}, r"list\.txt:2: 'b\.png' is not there"),
    "no object at all": ({"label": "\n"}, r"list\.txt: no image of it has an object; are .*a\.txt"),
    "a word": ({"label": "0 1 1 1 1\ncat .5 .5 .1 .1"}, r"a\.txt:2: expected class, .*got 'cat"),
    "too few numbers": ({"label": "1 .5 .5 .1"}, r"a\.txt:1: expected"),
    "pixels": ({"label": "1 20 10 5 5"}, r"a\.txt:1: .*from 0 to 1, got '1 20 10 5 5'"),
    "no width": ({"label": "1 .5 .5 0 .1"}, r"a\.txt:1: expected"),
    "no number": ({"label": "1 .5 nan .5 .1"}, r"a\.txt:1: expected"),
    "half a class": ({"label": "1.5 .5 .5 .5 .1"}, r"a\.txt:1: expected"),
}


@pytest.mark.parametrize(("given", "said"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_by_file_and_line(given: dict[str, str], said: str, tmp_path: Path) -> None:
    """What was expected stands in the message, too."""
    with pytest.raises(TrainingError, match=said):
        ListedImages(listed(tmp_path, **given), 80, 60)


def test_a_missing_label_file_and_a_broken_image_are_named(tmp_path: Path) -> None:
    """The one when the list is read, the other when the image is."""
    path = listed(tmp_path)
    (tmp_path / "images" / "a.png").write_bytes(b"no image")
    images = ListedImages(path, 80, 60)
    with pytest.raises(TrainingError, match=r"a\.png: no image that can be read"):
        images[0]
    (tmp_path / "labels" / "a.txt").unlink()
    with pytest.raises(TrainingError, match=r"a\.txt: labels of an image are not there"):
        ListedImages(path, 80, 60)


def test_images_that_are_learned_from_do_not_judge(tmp_path: Path) -> None:
    """By their files, however a list names them."""
    learned = ListedImages(listed(tmp_path), 80, 60)
    for ending in (".png", ".txt"):
        folder = "images" if ending == ".png" else "labels"
        shutil.copy(tmp_path / folder / f"a{ending}", tmp_path / folder / f"b{ending}")
    (tmp_path / "both.txt").write_text(f"images/b.png\n{tmp_path}/labels/../images/a.png\n")
    (tmp_path / "apart.txt").write_text("images/b.png\n")
    both, apart = (ListedImages(tmp_path / f"{name}.txt", 80, 60) for name in ("both", "apart"))
    with pytest.raises(
        TrainingError, match=r"both\.txt: 1 of its images are learned from, too, the first .*a"
    ):
        both.hold_apart(tmp_path / "both.txt", learned)
    apart.hold_apart(tmp_path / "apart.txt", learned)
