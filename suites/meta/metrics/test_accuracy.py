"""Accuracy is the share of images that are right, and nothing that cannot be judged is given a share."""

import numpy as np
import pytest

from fixtures.metrics.accuracy import hits, top1

NAN = float("nan")
LOGITS = np.array([[1.0, 2.0, 0.0], [3.0, 3.0, 1.0], [0.0, 5.0, NAN], [9.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("labels", "share"),
    [((1, 0, 2, 0), 0.75), ((1, 1, 1, 0), 0.5), ((0, 2, 0, 2), 0.0)],
    ids=["the third has a NaN", "the lowest of equals counts", "none"],
)
def test_the_share_of_right_images_is_given(labels: tuple[int, ...], share: float) -> None:
    """Of equal logits the lowest class counts, and an image with a NaN is wrong."""
    assert top1(LOGITS, np.array(labels)) == share


@pytest.mark.parametrize(
    ("logits", "labels", "said"),
    [
        (LOGITS[0], np.array([1]), r"logits \(3,\) and labels \(1,\): expected"),
        (LOGITS, np.array([1, 0, 2]), r"logits \(4, 3\) and labels \(3,\)"),
        (LOGITS, np.array([[1], [0], [2], [0]]), r"labels \(4, 1\)"),
        (LOGITS[:0], np.array([], int), "no image"),
        (LOGITS, np.array([1.0, 0, 2, 0]), "labels are float64, expected integers"),
        (LOGITS, np.array([1, 0, 3, 0]), "labels run from 0 to 3, there are 3 classes"),
        (LOGITS, np.array([1, -1, 2, 0]), "labels run from -1 to 2"),
    ],
)
def test_what_cannot_be_judged_is_refused(logits: np.ndarray, labels: np.ndarray, said: str) -> None:
    """Shapes that do not fit, no image, and labels that are no classes each have their words."""
    with pytest.raises(ValueError, match=said):
        top1(logits, labels)


def test_an_image_with_a_nan_is_wrong_however_many_classes_count() -> None:
    """Its label is among the best three of three classes, and the image is wrong all the same."""
    assert hits(LOGITS, np.array([1, 0, 1, 0]), 3).tolist() == [True, True, False, True]


def test_the_place_of_a_label_decides() -> None:
    """A label at the third place is among the best three, and not among two."""
    logits = np.array([[0.1, 0.9, 0.5, 0.3]] * 4)
    labels = np.array([1, 2, 3, 0])
    found = [hits(logits, labels, best).tolist() for best in (1, 2, 3, 4)]
    assert found == [[place < best for place in range(4)] for best in (1, 2, 3, 4)]
