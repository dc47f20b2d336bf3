"""Mean average precision: by hand, by a literal implementation, and by pycocotools on the same boxes."""

import contextlib
import io
from collections.abc import Sequence

import numpy as np
import pytest

from fixtures.metrics import detection
from fixtures.metrics.detection import OVERLAPS, RECALLS, Objects, Rows, match

EMPTY = Objects(np.zeros((0, 4)), np.zeros(0, int), np.zeros(0, bool))
Scenes = tuple[list[Rows], list[Objects]]


def scenes(seed: int, images: int = 12, classes: int = 3, crowds: bool = True) -> Scenes:
    """Seeded objects, and detections that are some of them, moved, beside others that are none."""
    random = np.random.default_rng(seed)
    found, truth = [], []
    for _ in range(images):
        count = int(random.integers(0, 5))
        low, size = random.uniform(0, 60, (count, 2)), random.uniform(8, 30, (count, 2))
        labels = random.integers(0, classes, count)
        crowd = random.random(count) < (0.15 if crowds else 0)
        truth.append(Objects(np.hstack([low, low + size]), labels, crowd))
        near = np.hstack([low + size / 2, size]) + random.normal(0, 2, (count, 4))
        stray = random.uniform(5, 60, (4, 4))
        boxes = np.vstack([near, near[:1], stray])
        names = np.concatenate([labels, labels[:1], random.integers(0, classes + 1, 4)])
        scores = random.permutation(len(boxes)) / len(boxes) + random.random(len(boxes)) / 100
        found.append(np.column_stack([names, scores, boxes]))
    return found, truth


def once(images: int) -> np.ndarray:
    """Weights that take each image once."""
    return np.ones((1, images), np.int32)


def by_pycocotools(found: Sequence[Rows], truth: Sequence[Objects]) -> list[float]:
    """What `COCOeval.accumulate` makes of it: mAP at 0.50 to 0.95, and at 0.50."""
    from pycocotools.cocoeval import COCOeval

    known = np.unique(np.concatenate([one.labels for one in truth])).tolist()
    with contextlib.redirect_stdout(io.StringIO()):
        judge = COCOeval(
            detection._coco(detection._objects(truth), len(truth), known),
            detection._coco(detection._detections(found, set(known)), len(truth), known),
            "bbox",
        )
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return [float(value) for value in judge.stats[:2]]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_pycocotools_makes_of_it(seed: int) -> None:
    """With crowds, double finds, strays and classes that no object has, both figures are the same."""
    found, truth = scenes(seed)
    matches = match(found, truth)
    ours = [matches.mean_average_precision(once(12), part)[0] for part in (slice(None), slice(1))]
    assert ours == pytest.approx(by_pycocotools(found, truth), abs=1e-12)
    assert 0.05 < ours[0] < 0.95


@pytest.mark.parametrize("seed", range(5))
def test_a_draw_of_images_is_what_pycocotools_makes_of_that_set(seed: int) -> None:
    """An image that is drawn three times counts as three images, one that is not drawn as none."""
    found, truth = scenes(seed)
    weights = np.random.default_rng(seed).multinomial(12, np.full(12, 1 / 12), 4).astype(np.int32)
    ours = match(found, truth).mean_average_precision(weights)
    for row, figure in zip(weights, ours, strict=True):
        chosen = np.repeat(np.arange(12), row)
        expected, _ = by_pycocotools([found[n] for n in chosen], [truth[n] for n in chosen])
        assert figure == pytest.approx(expected, abs=1e-12)


def literal(found: Sequence[Rows], truth: Sequence[Objects], label: int, overlap: float) -> float:
    """Average precision as the definition reads, detection by detection, without crowds."""
    objects = [[box for box, name in zip(t.boxes, t.labels, strict=True) if name == label] for t in truth]
    rows = [(row[1], n, row[2:]) for n, each in enumerate(found) for row in each if row[0] == label]
    taken: set[tuple[int, int]] = set()
    precisions, recalls, hits = [], [], 0
    for count, (_, n, box) in enumerate(sorted(rows, key=lambda row: -row[0]), 1):
        shares = [(iou(box, other), k) for k, other in enumerate(objects[n]) if (n, k) not in taken]
        best, k = max(shares, default=(0.0, -1))
        if best >= overlap:
            taken.add((n, k))
            hits += 1
        precisions.append(hits / count)
        recalls.append(hits / sum(map(len, objects)))
    at = [max((p for p, r in zip(precisions, recalls, strict=True) if r >= x), default=0) for x in RECALLS]
    return float(np.mean(at))


def iou(box: np.ndarray, other: np.ndarray) -> float:
    """Intersection over union of a box by centre and size, and one by corners."""
    x, y, w, h = box
    width = min(x + w / 2, other[2]) - max(x - w / 2, other[0])
    height = min(y + h / 2, other[3]) - max(y - h / 2, other[1])
    inside = max(width, 0) * max(height, 0)
    return float(inside / (w * h + (other[2] - other[0]) * (other[3] - other[1]) - inside))


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_the_definition_says(seed: int) -> None:
    """A slow implementation that goes through the detections one by one gives the same mean."""
    found, truth = scenes(seed, crowds=False)
    expected = np.mean([literal(found, truth, label, x) for label in range(3) for x in OVERLAPS])
    assert match(found, truth).mean_average_precision(once(12))[0] == pytest.approx(expected, abs=1e-12)


def test_two_hits_and_a_miss_between_by_hand() -> None:
    """Precision is 1 up to half of the objects, 2/3 from there: 51 and 50 of 101 recalls."""
    boxes = np.array([[0, 0, 10, 10], [20, 20, 40, 40]], float)
    truth = [Objects(boxes, np.zeros(2, int), np.zeros(2, bool))]
    found = [np.array([[0, 0.9, 5, 5, 10, 10], [0, 0.8, 80, 80, 9, 9], [0, 0.7, 30, 30, 20, 20.0]])]
    expected = (51 + 50 * 2 / 3) / 101
    assert match(found, truth).mean_average_precision(once(1))[0] == pytest.approx(expected)


def test_nothing_found_is_zero() -> None:
    """A network that finds nothing has a figure, and it is 0."""
    _, truth = scenes(0)
    nothing = [np.zeros((0, 6))] * len(truth)
    assert match(nothing, truth).mean_average_precision(once(12)).tolist() == [0]


def test_a_draw_without_objects_has_no_figure() -> None:
    """Where a draw leaves no object at all there is nothing to find: NaN, not 0."""
    found, truth = scenes(0)
    weights = np.zeros((1, 12), np.int32)
    weights[0, next(n for n, one in enumerate(truth) if not len(one.labels))] = 12
    assert np.isnan(match(found, truth).mean_average_precision(weights)).all()


@pytest.mark.parametrize("cells", [1, 100])
def test_draws_that_are_taken_in_parts_are_the_same(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory decides how many draws are looked at together, and nothing else."""
    matches = match(*scenes(1))
    weights = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12), 9).astype(np.int32)
    whole = matches.mean_average_precision(weights)
    monkeypatch.setattr(detection, "CELLS", cells)
    assert matches.mean_average_precision(weights).tolist() == whole.tolist()


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ([], "of 1 images and objects of 0"),
        ([EMPTY], "no image has an object"),
    ],
)
def test_what_cannot_be_judged_is_refused(truth: list[Objects], said: str) -> None:
    """No image, other images, and images without a single object."""
    with pytest.raises(ValueError, match=said):
        match([np.zeros((0, 6))], truth)
