"""The loss has the gradients that Darknet writes, and decodes boxes as the references do."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.converters.darknet import config, network
from fixtures.converters.errors import ConversionError
from fixtures.training.yolo_head import YoloHead, decoded_as, read_heads
from reference_models import yolo
from suites.meta.training import networks

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)
TRUTHS = np.array([
    [0, 3, 20, 30, 12, 17], [0, 9, 70, 71, 27, 40], [0, 1, 44, 12, 24, 30],
    [2, 0, 90, 5, 10, 15], [2, 4, 21, 33, 16, 26], [2, 4, 50, 50, 60, 90],
], np.float32)  # fmt: skip
"""Image, class, centre x, y, width, height; the second image has no object."""


def resolved(folder: Path, **keys: object) -> network.Network:
    """Resolve the small detector with keys of its heads."""
    return network.resolve(config.read(networks.small(folder, **keys)))  # type: ignore[arg-type]


def drawn(net: network.Network, new_coords: bool = False) -> list[np.ndarray]:
    """Draw raw heads of three images; in 0..1 where they are logistic already."""
    rng = np.random.default_rng(3)
    raw = [rng.standard_normal((3, *head.shape)).astype(np.float32) for head in net.detectors]
    return [1 / (1 + np.exp(-values)) for values in raw] if new_coords else raw


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes as centre and size."""
    sides = [
        max(
            0.0, min(a[k] + a[k + 2] / 2, b[k] + b[k + 2] / 2) - max(a[k] - a[k + 2] / 2, b[k] - b[k + 2] / 2)
        )
        for k in (0, 1)
    ]
    shared = sides[0] * sides[1]
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def darknet_deltas(head: YoloHead, raw: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """Write what `forward_yolo_layer` adds to the gradient with ``iou_loss=mse``, number by number."""
    count, _, height, width = raw.shape
    x = raw.astype(np.float64).reshape(count, len(head.mask), -1, height, width)
    squashed = 1 / (1 + np.exp(-x))
    delta = np.zeros_like(x)
    delta[:, :, 4] = -squashed[:, :, 4]
    for n, a, j, i in np.ndindex(count, len(head.mask), height, width):
        anchor = head.anchors[head.mask[a]]
        box = np.array([
            (i + squashed[n, a, 0, j, i]) * head.stride[0], (j + squashed[n, a, 1, j, i]) * head.stride[1],
            np.exp(x[n, a, 2, j, i]) * anchor[0], np.exp(x[n, a, 3, j, i]) * anchor[1],
        ])  # fmt: skip
        if any(iou(box, t[2:]) > head.ignore for t in truths if t[0] == n):
            delta[n, a, 4, j, i] = 0
    for t in truths:
        near = [iou(np.array([0, 0, *t[4:]]), np.array([0, 0, *anchor])) for anchor in head.anchors]
        for a, which in enumerate(head.mask):
            if which == np.argmax(near) or near[which] > head.also:
                write_object(head, (delta, x, squashed), a, t)
    return delta


def write_object(
    head: YoloHead, arrays: tuple[np.ndarray, np.ndarray, np.ndarray], a: int, t: np.ndarray
) -> None:
    """Write `delta_yolo_box` and `delta_yolo_class` of one object."""
    delta, x, squashed = arrays
    n, i, j = int(t[0]), int(t[2] / head.stride[0]), int(t[3] / head.stride[1])
    scale = head.box_weight * (2 - t[4] * t[5] / (head.size[0] * head.size[1]))
    anchor = head.anchors[head.mask[a]]
    here = (n, a, slice(None), j, i)
    wanted = [t[2] / head.stride[0] - i, t[3] / head.stride[1] - j]
    delta[here][:2] += scale * (wanted - squashed[here][:2])
    delta[here][2:4] += scale * (np.log(t[4:] / anchor) - x[here][2:4])
    delta[here][4] = head.objectness_weight * (1 - squashed[here][4])
    delta[here][5:] += head.class_weight * (np.eye(head.classes)[int(t[1])] - squashed[here][5:])


@pytest.mark.parametrize("also", [1, 0.4])
def test_the_gradients_are_those_that_darknet_writes(also: float, tmp_path: Path) -> None:
    """Against a literal, slow form of Darknet's loops: two heads, an image without objects, large objects."""
    import torch

    from fixtures.training.loss import yolo_loss

    net = resolved(tmp_path, iou_thresh=also, ignore_thresh=0.3, iou_normalizer=0.5)
    heads, arrays = read_heads(net), drawn(net)
    raw = [torch.from_numpy(values).requires_grad_() for values in arrays]
    yolo_loss(heads, raw, torch.from_numpy(TRUTHS)).total.backward()
    for head, values, tensor in zip(heads, arrays, raw, strict=True):
        assert tensor.grad is not None
        expected = darknet_deltas(head, values, TRUTHS.astype(np.float64)).reshape(values.shape)
        np.testing.assert_allclose(-3 * tensor.grad.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("keys", [{}, {"scale_x_y": 1.2}, {"new_coords": 1, "scale_x_y": 2}], ids=str)
def test_boxes_are_decoded_as_the_references_are(keys: dict[str, Any], tmp_path: Path) -> None:
    """Every style of head gives the boxes of `reference_models.yolo`."""
    import torch

    from fixtures.training.boxes import cells, decode

    net = resolved(tmp_path, **keys)
    raw = drawn(net, "new_coords" in keys)
    named = {detector.output: values for detector, values in zip(net.detectors, raw, strict=True)}
    expected = yolo.decode(named, decoded_as(net))
    for name, head, values in zip(named, read_heads(net), raw, strict=True):
        boxes = decode(head, cells(head, torch.from_numpy(values))).reshape(3, -1, 4).numpy()
        np.testing.assert_allclose(boxes, expected[f"{name}/boxes"], rtol=1e-5, atol=1e-4)


OVERLAPS = {
    "the same box": ((5, 5, 4, 4), (5, 5, 4, 4), {"iou": 1, "giou": 1, "diou": 1, "ciou": 1}),
    "side by side": ((1, 1, 2, 2), (5, 1, 2, 2), {"iou": 0, "giou": -1 / 3, "diou": -0.4, "ciou": -0.4}),
    "another aspect": (
        (0, 0, 4, 2), (0, 0, 2, 4),
        {"iou": 1 / 3, "giou": 1 / 3 - 1 / 4, "diou": 1 / 3, "ciou": 1 / 3 - 0.03375},
    ),
}  # fmt: skip
"""By hand; of the last, v = 4 / pi^2 * (atan 2 - atan 1/2)^2 = 0.1678, alpha = v / (2/3 + v) = 0.2011."""


@pytest.mark.parametrize(("a", "b", "expected"), OVERLAPS.values(), ids=OVERLAPS)
def test_overlaps_are_those_of_the_papers(
    a: tuple[int, ...], b: tuple[int, ...], expected: dict[str, float]
) -> None:
    """IoU, GIoU, DIoU and CIoU of two boxes."""
    import torch

    from fixtures.training.boxes import overlap

    boxes = [torch.tensor(box, dtype=torch.float32) for box in (a, b)]
    made = {kind: float(overlap(boxes[0], boxes[1], kind)) for kind in expected}
    assert made == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("keys", [
    {}, {"iou_loss": "ciou"}, {"iou_loss": "giou", "scale_x_y": 1.1},
    {"new_coords": 1, "scale_x_y": 2, "iou_loss": "ciou"}, {"new_coords": 1, "scale_x_y": 2},
], ids=str)  # fmt: skip
def test_every_form_of_the_loss_is_least_where_boxes_are_right(keys: dict[str, Any], tmp_path: Path) -> None:
    """Descent on the raw heads alone finds the objects, and nothing else where no box is ignored."""
    import torch

    from fixtures.training.loss import yolo_loss

    net = resolved(tmp_path, ignore_thresh=1, **keys)
    raw = [torch.from_numpy(v).logit().requires_grad_() for v in drawn(net, new_coords=True)]
    squash = torch.sigmoid if "new_coords" in keys else torch.nn.Identity()
    engine, heads = torch.optim.Adam(raw, 0.1), read_heads(net)
    for number in range(200):
        engine.param_groups[0]["lr"] = 0.1 * (1 - number / 200)
        engine.zero_grad()
        yolo_loss(heads, [squash(values) for values in raw], torch.from_numpy(TRUTHS)).total.backward()
        engine.step()
    named = {d.output: squash(v).detach().numpy() for d, v in zip(net.detectors, raw, strict=True)}
    for image in range(3):
        found = yolo.detections(yolo.decode(named, decoded_as(net)), 0.5, image=image)
        expected = {(int(t[1]), *t[2:]) for t in TRUTHS if t[0] == image}
        assert len(found) == len(expected)
        for one in found:
            assert min(np.abs(np.subtract((one.label, *one.box), t)).max() for t in expected) < 0.5


REFUSED = {
    "no head": ("[net]\nwidth=8\nheight=8\nchannels=3\n[maxpool]\nsize=2\n", "no .yolo. head"),
    "another head": (
        "[net]\nwidth=8\nheight=8\nchannels=30\n[region]\nnum=2\nclasses=10\ncoords=4\nanchors=1,1,2,2\n",
        r"n\.cfg:5: layer 0 .region.: there is no loss",
    ),
    "an unknown loss": (
        "[net]\nwidth=8\nheight=8\nchannels=6\n[yolo]\nnum=1\nclasses=1\nanchors=1,1\niou_loss=siou\n",
        r"n\.cfg:9: .*iou_loss=siou.*mse, iou, giou, diou, ciou",
    ),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_heads_without_a_loss_are_refused(text: str, said: str) -> None:
    """The error names the line and what can be trained."""
    with pytest.raises(ConversionError, match=said):
        read_heads(network.resolve(config.parse(text, Path("n.cfg"))))
