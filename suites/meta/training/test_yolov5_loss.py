"""The loss of YOLOv5: which boxes learn which objects, and what it is worth, against a literal form."""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from fixtures.training.errors import TrainingError
from reference_models import yolo
from reference_models.pytorch import digits_yolov5n, yolov5

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)
SIDE = 96
TRUTHS = np.array([
    [0, 3, 20, 30, 12, 17], [0, 9, 70, 71, 27, 40], [0, 1, 44.5, 12, 24, 30],
    [2, 0, 92, 3, 10, 15], [2, 4, 21, 33, 16, 26], [2, 4, 50, 50, 40, 80],
], np.float32)  # fmt: skip
"""Image, class, centre x, y, width, height; the second has no object, one of the third is at a corner."""


def detector() -> Any:
    """Describe the slim YOLOv5n."""
    from fixtures.training.detector import described

    return described(digits_yolov5n.network(), (3, SIDE, SIDE))


def drawn() -> list[np.ndarray]:
    """Draw the raw heads of three images."""
    rng = np.random.default_rng(3)
    return [rng.standard_normal((3, 45, SIDE // s, SIDE // s)).astype(np.float32) for s in (8, 16, 32)]


def wanted(stride: int, anchors: Any, truths: np.ndarray) -> set[tuple[int, ...]]:
    """List image, anchor, row, column and object of each box that learns one, number by number."""
    cells, found = SIDE // stride, set[tuple[int, ...]]()
    for number, (image, _, x, y, w, h) in enumerate(truths.tolist()):
        for which, (width, height) in enumerate(anchors):
            if max(w / width, width / w, h / height, height / h) >= 4:
                continue
            column, row = int(x / stride), int(y / stride)
            beside = column - 1 if x / stride - column < 0.5 else column + 1
            above = row - 1 if y / stride - row < 0.5 else row + 1
            for j, i in ((row, column), (row, beside), (above, column)):
                if 0 <= j < cells and 0 <= i < cells:
                    found.add((int(image), which, j, i, number))
    return found


def test_objects_are_learned_in_three_cells_by_every_anchor_of_their_size() -> None:
    """Against the rule written out; at the border of the image there are fewer cells."""
    import torch

    from fixtures.training.yolov5_loss import assign

    for head, stride in zip(detector().heads, (8, 16, 32), strict=True):
        made = assign(head, torch.from_numpy(TRUTHS), SIDE // stride, SIDE // stride)
        rows = {tuple(row) for row in torch.stack([*made.places, made.truth], 1).tolist()}
        assert rows == wanted(stride, head.anchors, TRUTHS)
        assert len(made.truth) == len(rows) > 30


def literal(raw: list[np.ndarray], heads: Any) -> tuple[float, float, float]:
    """Add up the three parts of the loss box by box, in float64."""
    import torch

    from fixtures.training.boxes import overlap

    parts = np.zeros(3)
    for head, values, balance in zip(heads, raw, (4, 1, 0.4), strict=True):
        stride = int(head.stride[0])
        x = values.astype(np.float64).reshape(3, 3, 15, *values.shape[2:])
        squashed, told, boxes, labels = 1 / (1 + np.exp(-x)), np.zeros(x[:, :, 4].shape), [], []
        for n, a, j, i, number in sorted(wanted(stride, head.anchors, TRUTHS)):
            s = squashed[n, a, :, j, i]
            box = [(2 * s[0] - 0.5 + i) * stride, (2 * s[1] - 0.5 + j) * stride]
            box += [(2 * s[k]) ** 2 * head.anchors[a][k - 2] for k in (2, 3)]
            good = float(
                overlap(torch.tensor(box), torch.from_numpy(TRUTHS[number, 2:].astype(float)), "ciou")
            )
            told[n, a, j, i] = max(told[n, a, j, i], good)
            boxes.append(1 - good)
            labels += [-math.log(p if k == TRUTHS[number, 1] else 1 - p) for k, p in enumerate(s[5:])]
        crossed = -(told * np.log(squashed[:, :, 4]) + (1 - told) * np.log(1 - squashed[:, :, 4]))
        parts += (np.mean(boxes), balance * crossed.mean(), np.mean(labels))
    weights = 0.05, (SIDE / 640) ** 2, 0.5 * 10 / 80
    box, objectness, classes = parts * weights
    return float(box), float(objectness), float(classes)


def test_the_loss_is_that_of_the_literal_form() -> None:
    """Its three parts, over three heads."""
    import torch

    described = detector()
    loss = described.loss_of(
        described.heads, [torch.from_numpy(x) for x in drawn()], torch.from_numpy(TRUTHS)
    )
    made = (float(loss.box), float(loss.objectness), float(loss.classes))
    assert made == pytest.approx(literal(drawn(), described.heads), rel=1e-4)


def test_images_without_objects_teach_that_there_is_none() -> None:
    """Boxes and classes have no gradient, objectness has."""
    import torch

    described = detector()
    raw = [torch.from_numpy(x).requires_grad_() for x in drawn()]
    described.loss_of(described.heads, raw, torch.zeros(0, 6)).total.backward()
    for x in raw:
        assert x.grad is not None
        gradient = x.grad.reshape(3, 3, 15, *x.shape[2:])
        assert (gradient[:, :, 4] > 0).all()
        assert not gradient[:, :, 5:].any()


def test_descent_finds_the_objects() -> None:
    """On the raw heads alone: every object is found where it is, and nothing else."""
    import torch

    described = detector()
    raw = [torch.from_numpy(x).requires_grad_() for x in drawn()]
    engine = torch.optim.Adam(raw, 0.1)
    for number in range(300):
        engine.param_groups[0]["lr"] = 0.1 * (1 - number / 300)
        engine.zero_grad()
        described.loss_of(described.heads, raw, torch.from_numpy(TRUTHS)).total.backward()
        engine.step()
    named = {head.output: x.detach().numpy() for head, x in zip(described.decoded, raw, strict=True)}
    for image in range(3):
        found = yolo.detections(yolo.decode(named, described.decoded), 0.5, image=image)
        expected = {(int(t[1]), *t[2:]) for t in TRUTHS if t[0] == image}
        assert len(found) == len(expected)
        for one in found:
            assert min(np.abs(np.subtract((one.label, *one.box), t)).max() for t in expected) < 1


def test_the_anchors_are_those_of_the_weights() -> None:
    """A network that a file gave other anchors is trained with them."""
    from fixtures.training.detector import described

    module = digits_yolov5n.network()
    module.model[-1].anchors.mul_(2)
    first = described(module, (3, SIDE, SIDE)).heads[0].anchors[0]
    assert first == pytest.approx((18, 32))
    assert yolov5.anchors_of(module)[0][0] == pytest.approx((18, 32))


@pytest.mark.parametrize(
    ("shape", "said"),
    [((3, 96, 100), "multiples of 32"), ((1, 96, 96), "three colours")],
)
def test_images_that_do_not_fit_are_refused(shape: tuple[int, ...], said: str) -> None:
    """The message says what fits."""
    from fixtures.training.detector import described

    with pytest.raises(TrainingError, match=said):
        described(digits_yolov5n.network(), shape)


def test_another_network_has_no_loss() -> None:
    """The message says which networks can be trained."""
    from torch import nn

    from fixtures.training.detector import described

    with pytest.raises(TrainingError, match=r"Conv2d: there is no loss .*YOLOv5"):
        described(nn.Conv2d(3, 3, 1), (3, SIDE, SIDE))
