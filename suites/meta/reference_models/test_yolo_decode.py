"""Raw YOLO heads are read as the papers say, and what does not fit is refused."""

import math

import numpy as np
import pytest

from reference_models import yolo
from reference_models.yolo import Detection, Head

ANCHORS = ((10.0, 14.0), (23.0, 27.0))
HEADS = [
    Head("out", ANCHORS, 16, 3, "yolov3"),
    Head("out", ANCHORS, 16, 3, "yolov3", scale_x_y=1.05),
    Head("out", ANCHORS, 8, 3, "yolov5"),
    Head("out", ANCHORS, 8, 3, "new_coords", scale_x_y=2.0),
]


def raw_head(shape: tuple[int, ...] = (2, 16, 3, 4)) -> np.ndarray:
    """Random raw values of a head with two anchors and three classes."""
    return np.random.default_rng(1).normal(0, 2, shape).astype(np.float32)


def sigmoid(x: float) -> float:
    """Compute the textbook formula, in double precision."""
    return 1 / (1 + math.exp(-x))


def by_hand(raw: np.ndarray, head: Head, anchor: int, y: int, x: int) -> list[float]:
    """One box of the first image, by the formula of the paper, one number at a time."""
    tx, ty, tw, th = (float(v) for v in raw[0, anchor * 8 : anchor * 8 + 4, y, x])
    if head.style == "yolov5":
        cx, cy = 2 * sigmoid(tx) - 0.5 + x, 2 * sigmoid(ty) - 0.5 + y
        w, h = (2 * sigmoid(tw)) ** 2, (2 * sigmoid(th)) ** 2
    elif head.style == "new_coords":
        s = head.scale_x_y
        cx, cy, w, h = s * tx - (s - 1) / 2 + x, s * ty - (s - 1) / 2 + y, (2 * tw) ** 2, (2 * th) ** 2
    else:
        s = head.scale_x_y
        cx, cy = s * sigmoid(tx) - (s - 1) / 2 + x, s * sigmoid(ty) - (s - 1) / 2 + y
        w, h = math.exp(tw), math.exp(th)
    return [cx * head.stride, cy * head.stride, w * ANCHORS[anchor][0], h * ANCHORS[anchor][1]]


@pytest.mark.parametrize("head", HEADS, ids=lambda h: f"{h.style}-{h.scale_x_y}")
@pytest.mark.parametrize("cell", [(0, 0, 0), (0, 2, 1), (1, 1, 3)])
def test_a_box_is_what_the_formula_says(head: Head, cell: tuple[int, int, int]) -> None:
    """Each cell's box, objectness and classes stand in anchor, row, column order."""
    raw, (anchor, y, x) = raw_head(), cell
    decoded = yolo.decode({"out": raw}, [head])
    row = (anchor * 3 + y) * 4 + x
    assert decoded["out/boxes"][0, row] == pytest.approx(by_hand(raw, head, anchor, y, x), rel=1e-5)
    rest = [float(v) for v in raw[0, anchor * 8 + 4 : anchor * 8 + 8, y, x]]
    if head.style != "new_coords":  # there the head's convolution is logistic already
        rest = [sigmoid(v) for v in rest]
    assert decoded["out/objectness"][0, row] == pytest.approx(rest[0], rel=1e-5)
    assert decoded["out/classes"][0, row] == pytest.approx(rest[1:], rel=1e-5)


def test_the_shapes_are_those_of_the_contract() -> None:
    """Boxes, objectness and classes come apart, float32, one row per anchor and cell."""
    decoded = yolo.decode({"out": raw_head()}, HEADS[:1])
    shapes = {name: (array.shape, array.dtype.name) for name, array in decoded.items()}
    assert shapes == {
        "out/boxes": ((2, 24, 4), "float32"),
        "out/objectness": ((2, 24), "float32"),
        "out/classes": ((2, 24, 3), "float32"),
    }


@pytest.mark.parametrize("value", [-200.0, 200.0, np.nan, np.inf, -np.inf])
def test_extreme_values_raise_no_warning(value: float) -> None:
    """Values out of range stay visible: a probability is 0..1, and only NaN becomes NaN."""
    raw = np.full((1, 16, 1, 1), value, np.float32)
    objectness = yolo.decode({"out": raw}, HEADS[:1])["out/objectness"]
    assert np.isnan(objectness).all() == np.isnan(value)
    assert np.isnan(value) or ((objectness >= 0) & (objectness <= 1)).all()


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({"other": raw_head()}, "no output named 'out' among"),
        ({"out": raw_head((2, 15, 3, 4))}, r"shape \(2, 15, 3, 4\); expected \(N, 16, H, W\)"),
        ({"out": raw_head((2, 16, 12))}, r"shape \(2, 16, 12\)"),
    ],
)
def test_an_output_that_does_not_fit_is_named(outputs: yolo.Tensors, message: str) -> None:
    """A missing output, a wrong number of channels and a lost axis are each refused by name."""
    with pytest.raises(ValueError, match=message):
        yolo.decode(outputs, HEADS[:1])


def decoded_boxes(*rows: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Make decoded values of one image from rows of box, objectness and two classes."""
    table = np.asarray(rows, np.float32)[None]
    return {"o/boxes": table[..., :4], "o/objectness": table[..., 4], "o/classes": table[..., 5:]}


def test_the_better_of_two_overlapping_boxes_stays() -> None:
    """Of two boxes of one class over the overlap limit only the better score is a detection."""
    decoded = decoded_boxes((50, 50, 20, 20, 0.9, 0.8, 0), (52, 50, 20, 20, 0.9, 1.0, 0))
    best = Detection(0, float(np.float32(0.9)), (52, 50, 20, 20))
    assert yolo.detections(decoded, threshold=0.25) == [best]


@pytest.mark.parametrize(
    ("second", "count"),
    [
        ((52, 50, 20, 20, 0.9, 0, 1.0), 2),
        ((90, 50, 20, 20, 0.9, 1.0, 0), 2),
        ((63, 50, 20, 20, 0.9, 1.0, 0), 2),
        ((52, 50, 20, 20, 0.5, 0.4, 0), 1),
        ((52, 50, 0, 0, 0.9, 1.0, 0), 2),
    ],
    ids=["other class", "far away", "little overlap", "below threshold", "empty box"],
)
def test_only_rivals_are_suppressed(second: tuple[float, ...], count: int) -> None:
    """A box falls only to a better one of its own class that overlaps it by more than the limit."""
    decoded = decoded_boxes((50, 50, 20, 20, 0.9, 0.8, 0), second)
    assert len(yolo.detections(decoded, threshold=0.25)) == count


def test_a_suppressed_box_suppresses_nothing() -> None:
    """In a chain of three the last stays when only the suppressed middle one overlaps it."""
    chain = [(50 + 6 * i, 50, 20, 20, 0.9 - 0.1 * i, 1.0, 0) for i in range(3)]
    found = yolo.detections(decoded_boxes(*chain), threshold=0.25)
    assert [d.box[0] for d in found] == [50, 62]


def test_nothing_over_the_threshold_is_no_detection() -> None:
    """An image without candidates, and a model without heads, give an empty list."""
    assert yolo.detections(decoded_boxes((50, 50, 20, 20, 0.1, 0.1, 0.1))) == []
    assert yolo.detections({}) == []
