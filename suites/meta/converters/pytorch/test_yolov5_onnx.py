"""Every YOLOv5 is converted to clean graphs that answer like the network, in every form."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures.converters.errors import ConversionError
from fixtures.converters.nms import PLUGIN_DOMAIN, Suppression
from fixtures.converters.pytorch.convert import Exporter
from fixtures.converters.yolov5 import convert
from reference_models import yolo
from reference_models.inputs import noise
from reference_models.pytorch import yolov5
from reference_models.pytorch.yolov5_layers import SIZES, Architecture
from suites.meta.reference_models.test_yolov5_architectures import STRUCTURES

MISSING = [n for n in ("torch", "onnxscript", "onnxruntime") if find_spec(n) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
SIDE = 64
BOUND = 5e-5
"""Relative L2 of a head: some 400 times float32 rounding, as the parity of yolov5n is held to."""
CASES: list[tuple[str, int, bool, Exporter, int]] = [
    *((*case, "torchscript", opset) for case in STRUCTURES for opset in (10, 13, 17)),
    *(("n", 6, False, "torchscript", opset) for opset in (11, 12, 14, 15, 16)),
    ("s", 6, False, "torchscript", 13),
    ("m", 5, False, "torchscript", 13), ("l", 3, False, "torchscript", 13),
    ("x", 6, False, "torchscript", 13),
]  # fmt: skip
"""Every structure at the opsets where forms change, every opset of torchscript once, every size once.

Dynamo, which takes ten seconds a network, has the oldest form, decoded; the matrix has the heads of yolov5n.
"""
SHAPES = {"Shape", "Gather", "Floor", "Cast", "ConstantOfShape", "Unsqueeze", "Expand", "Range", "Size"}
"""What is left in a graph whose sizes are computed at run time."""


@cache
def network(size: str, release: int, p6: bool) -> Any:
    """Build a network, as deep as its size says and as wide as n, its weights seeded and calibrated; once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, size, (SIZES["n"][0], SIZES[size][1]))
        module = yolov5.network(Architecture(size, release, p6))
    yolov5.seed_weights(module, 1, [noise((1, 3, 128, 128), 1.0, seed) for seed in range(2)])
    return module


def answer(model: onnx.ModelProto, images: np.ndarray) -> list[np.ndarray]:
    """Run a model in ONNX Runtime, on one thread and as it is written."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"images": images})


def source(module: Any, images: np.ndarray) -> list[np.ndarray]:
    """Run a network in torch."""
    import torch

    with torch.no_grad():
        given = module(torch.from_numpy(images))
    return [tensor.numpy() for tensor in (given if isinstance(given, tuple) else [given])]


def distance(got: list[np.ndarray], wanted: list[np.ndarray]) -> float:
    """Worst relative L2 over the outputs, after their number and shapes."""
    assert [a.shape for a in got] == [b.shape for b in wanted]
    return max(float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize(("size", "release", "p6", "exporter", "opset"), CASES)
def test_raw_heads_are_those_of_the_source(
    size: str, release: int, p6: bool, exporter: Exporter, opset: int
) -> None:
    """ONNX Runtime gives torch's heads, from a graph without any operator on shapes."""
    side = 2 * SIDE if p6 else SIDE
    module = network(size, release, p6)
    model = convert(module, (side, side), opset, exporter)
    images = noise((1, 3, side, side), 1.0, 7)
    assert distance(answer(model, images), source(module, images)) < BOUND
    counts = Counter(node.op_type for node in model.graph.node)
    assert not SHAPES & set(counts)
    assert counts["Resize"] == (3 if p6 else 2)
    assert counts["Slice"] == (6 if release < 6 else 0)
    assert counts["MaxPool"] == 3


@pytest.mark.parametrize(
    ("release", "exporter", "opset", "batch"),
    [
        (6, "torchscript", 10, 2),
        (6, "torchscript", 10, None),
        (6, "torchscript", 17, None),
        (3, "dynamo", 21, 2),
    ],
    ids=str,
)
def test_decoded_boxes_are_numpys(release: int, exporter: Exporter, opset: int, batch: int | None) -> None:
    """The decoded form, of a size that is no square, is NumPy's reading of raw heads, which are torch's."""
    module = network("n", release, False)
    model = convert(module, (96, 160), opset, exporter, batch=batch, outputs="decoded")
    assert not SHAPES & {node.op_type for node in model.graph.node}
    images = noise((2, 3, 96, 160), 1.0, 8)
    (predictions,) = answer(model, images)
    assert predictions.shape == (2, 3 * (12 * 20 + 6 * 10 + 3 * 5), 85)
    heads = yolov5.heads_of(module.architecture)
    both = answer(convert(module, (96, 160), opset, exporter, batch=batch), images)
    for got, wanted in zip(both, source(module, images), strict=True):
        assert np.linalg.norm(got - wanted) <= 2e-5 * np.linalg.norm(wanted)
    raw = {head.output: array for head, array in zip(heads, both, strict=True)}
    decoded = yolo.decode(raw, heads)
    for part, got in yolo.split({"out": predictions}, "out").items():
        wanted = np.concatenate([decoded[f"{h.output}/{part.removeprefix('out/')}"] for h in heads], 1)
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("opset", [10, 13])
def test_raw_heads_of_any_resolution(opset: int) -> None:
    """One model of a dynamic height and width answers at sizes that it was not converted at."""
    module = network("n", 6, False)
    model = convert(module, None, opset, "torchscript")
    assert not SHAPES & {node.op_type for node in model.graph.node}
    onnx.checker.check_model(model, full_check=True)
    for height, width in ((32, 32), (96, 64), (64, 192)):
        images = noise((1, 3, height, width), 1.0, height)
        assert distance(answer(model, images), source(module, images)) < BOUND


def test_other_static_sizes() -> None:
    """480x640, the one that is no square, has heads of its own three sizes, and torch's values."""
    module = network("n", 6, False)
    model = convert(module, (480, 640), 13, "torchscript")
    images = noise((1, 3, 480, 640), 1.0, 9)
    got = answer(model, images)
    assert [head.shape[2:] for head in got] == [(60, 80), (30, 40), (15, 20)]
    assert distance(got, source(module, images)) < BOUND


@pytest.fixture(scope="module")
def crowded() -> Any:
    """Build a network of three classes whose heads find much."""
    import torch

    module = yolov5.network(Architecture("n", classes=3))
    yolov5.seed_weights(module, 1, [noise((1, 3, 128, 128), 1.0, seed) for seed in range(2)])
    with torch.no_grad():
        for head in module.model[-1].m:
            head.bias.view(3, -1)[:, 4:] = torch.tensor([1.0, -1.0, 0.0, 1.0])
    return module


NMS = Suppression(score=0.4, overlap=0.3, most=30)


def kept(boxes: np.ndarray, scores: np.ndarray) -> list[int]:
    """Greedy suppression of one class of one image, straight from its definition."""
    left = [i for i in np.argsort(-scores, kind="stable") if scores[i] > NMS.score]
    chosen: list[int] = []
    while left and len(chosen) < NMS.most:
        best, *rest = left
        chosen.append(int(best))
        left = [i for i in rest if overlap(boxes[best], boxes[i]) <= NMS.overlap]
    return chosen


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes as cx, cy, w, h."""
    sides = [
        min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2)
        for i in (0, 1)
    ]
    shared = max(sides[0], 0) * max(sides[1], 0)
    return float(shared / (a[2] * a[3] + b[2] * b[3] - shared))


def suppressed(predictions: np.ndarray) -> np.ndarray:
    """Rows of image, class, score, box, as the graph is to give them."""
    rows = []
    for image, values in enumerate(predictions):
        for label in range(values.shape[1] - 5):
            scores = values[:, 4] * values[:, 5 + label]
            rows += [[image, label, scores[i], *values[i, :4]] for i in kept(values[:, :4], scores)]
    return np.asarray(rows, np.float32)


@pytest.mark.parametrize(("opset", "batch"), [(11, 2), (17, None)])
def test_nms_in_the_graph_is_the_plain_algorithm(crowded: Any, opset: int, batch: int | None) -> None:
    """Detections of a batch are those of greedy suppression, of what the decoded form gives."""
    images, size = noise((2, 3, SIDE, SIDE), 1.0, 11), (SIDE, SIDE)
    (predictions,) = source(yolov5.decoded(crowded, *size), images)
    model = convert(crowded, size, opset, "torchscript", batch=batch, outputs="nms", nms=NMS)
    (got,) = answer(model, images)
    wanted = suppressed(predictions)
    above = (predictions[..., 4:5] * predictions[..., 5:] > NMS.score).sum()
    assert 20 < len(wanted) < 0.8 * above  # there is something to keep and something to suppress
    assert {0, 1} == set(wanted[:, 0])
    np.testing.assert_array_equal(got[:, :2], wanted[:, :2])
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-4)


def test_the_plugin_takes_boxes_and_scores(crowded: Any) -> None:
    """TensorRT's plugin stands at the end with its limits, and before it is what the decoded form gives."""
    module, size = crowded, (SIDE, SIDE)
    model = convert(module, size, 10, "torchscript", batch=2, outputs="efficientnms", nms=NMS)
    (plugin,) = (node for node in model.graph.node if node.domain == PLUGIN_DOMAIN)
    values = {entry.name: onnx.helper.get_attribute_value(entry) for entry in plugin.attribute}
    assert plugin.op_type == "EfficientNMS_TRT"
    assert values["max_output_boxes"] == NMS.most
    assert values["score_threshold"] == pytest.approx(NMS.score)
    assert values["iou_threshold"] == pytest.approx(NMS.overlap)
    assert [output.name for output in model.graph.output] == list(plugin.output)
    boxes, scores = answer(without(model, plugin), noise((2, 3, SIDE, SIDE), 1.0, 11))
    (predictions,) = source(yolov5.decoded(module, *size), noise((2, 3, SIDE, SIDE), 1.0, 11))
    np.testing.assert_allclose(boxes, predictions[..., :4], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scores, predictions[..., 4:5] * predictions[..., 5:], rtol=1e-4, atol=1e-5)


def without(model: onnx.ModelProto, plugin: onnx.NodeProto) -> onnx.ModelProto:
    """Cut a node off, so that what it takes is what the model gives."""
    cut = onnx.ModelProto.FromString(model.SerializeToString())
    cut.graph.node.remove(plugin)
    del cut.graph.output[:]
    for name in plugin.input:
        cut.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        cut.graph.output[-1].type.tensor_type.elem_type = onnx.TensorProto.FLOAT
    return cut


def converting(size: tuple[int, int] | None, opset: int, outputs: Any) -> Callable[[], onnx.ModelProto]:
    """Return a conversion that is yet to be made."""
    return lambda: convert(network("n", 6, False), size, opset, "torchscript", outputs=outputs)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (converting((60, 64), 13, "raw"), r"60x64: they are no multiples of the largest stride, 32"),
        (converting((64, 64), 10, "nms"), r"opset 10: it cannot pick the boxes .*at opset 11 or later"),
        (converting(None, 13, "decoded"), r"grid of the boxes: it is a constant of one input size"),
        (converting(None, 13, "nms"), r"Convert raw heads and decode them outside"),
    ],
    ids=["size", "opset", "dynamic decoded", "dynamic nms"],
)
def test_what_has_no_clean_graph_is_refused(attempt: Callable[[], Any], message: str) -> None:
    """Each refusal says what cannot be and what to do instead."""
    with pytest.raises(ConversionError, match=message):
        attempt()


def test_an_unknown_form_is_refused() -> None:
    """Only the four forms have a name."""
    with pytest.raises(ValueError, match="one of raw, decoded, nms, efficientnms"):
        converting((64, 64), 13, "boxes")()


def test_a_graph_that_holds_a_size_is_not_made_dynamic() -> None:
    """A constant of one size in the graph, the grid of decoded boxes, is named."""
    from fixtures.converters.dynamic_size import with_dynamic_resolution

    module = network("n", 6, False)
    with pytest.raises(ConversionError, match=r"height and width cannot be dynamic: .* depends on it"):
        with_dynamic_resolution(
            lambda height, width: convert(module, (height, width), 13, "torchscript", outputs="decoded"), 32
        )
