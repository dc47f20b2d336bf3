"""Which boxes of one network another still has."""

import numpy as np
import pytest

from fixtures.metrics.boxes import matched

BOX = (50.0, 50.0, 20.0, 20.0)


def row(label: int = 0, score: float = 0.9, shift: float = 0.0) -> list[float]:
    """A detection 20 pixels wide, moved to the right."""
    return [label, score, BOX[0] + shift, *BOX[1:]]


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ([row()], True),
        ([row(shift=1.0)], True),  # 19/21 = 0.905
        ([row(shift=1.1)], False),  # 18.9/21.1 = 0.896
        ([row(shift=-1.0)], True),
        ([row(shift=-1.1)], False),
        ([row(shift=-60.0)], False),
        ([row(label=1)], False),
        ([row(score=0.26)], True),
        ([], False),
    ],
    ids=[
        "the same",
        "a pixel aside",
        "more than a pixel aside",
        "to the left",
        "more to the left",
        "far away",
        "another class",
        "another score",
        "gone",
    ],
)
def test_a_box_is_there_when_it_overlaps_by_nine_tenths(after: list[list[float]], found: bool) -> None:
    """Class and place decide, the score does not."""
    rows = np.array(after).reshape(-1, 6)
    assert matched(np.array([row()]), rows).tolist() == [found]


def test_nine_tenths_are_enough() -> None:
    """A box of nine tenths of the width, inside the other, overlaps by just as much as is asked for."""
    narrower = np.array([[0, 0.9, 50.0, 50.0, 18.0, 20.0]])
    assert matched(np.array([row()]), narrower).tolist() == [True]


def test_one_box_stands_for_one_alone() -> None:
    """Of two that became one the better is there."""
    before = np.array([row(shift=0.2), row(score=0.5)])
    assert matched(before, np.array([row()])).tolist() == [True, False]
    assert matched(before, np.array([row(), row(shift=0.2)])).tolist() == [True, True]


def test_without_boxes_there_is_nothing_to_lose() -> None:
    """No detection, no answer."""
    assert matched(np.zeros((0, 6)), np.array([row()])).tolist() == []
