"""Suppression that is appended keeps what NumPy keeps, and names what does not fit."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility import cautions, inspect, refusals
from fixtures.compatibility.rewrites.suppression import suppress
from suites.meta.networks.rewrite_models import release, run

BOXES, CLASSES = 40, 3
OPERATOR = "by=NonMaxSuppression,score=0.3,iou=0.4,most=100"


def detector(**shapes: tuple[int | str, ...]) -> ModelProto:
    """Make a model whose outputs are its inputs, of the names and shapes given."""
    nodes = [helper.make_node("Relu", [f"{name}.in"], [name], name=name) for name in shapes]
    ends = [
        [helper.make_tensor_value_info(name + end, TensorProto.FLOAT, dims) for name, dims in shapes.items()]
        for end in (".in", "")
    ]
    graph = helper.make_graph(nodes, "g", ends[0], ends[1])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def drawn(layout: str) -> tuple[ModelProto, dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Return a model of a layout, its inputs, and the boxes and scores that they mean, as corners."""
    random = np.random.default_rng(3)
    centers, sides = random.uniform(20, 80, (2, BOXES, 2)), random.uniform(10, 30, (2, BOXES, 2))
    scores, objectness = random.random((2, BOXES, CLASSES)), random.uniform(0.5, 1, (2, BOXES, 1))
    corners = np.concatenate([centers - sides / 2, centers + sides / 2], -1)
    boxes = np.concatenate([centers, sides], -1)
    given = {
        "corners": {"b": corners, "s": scores},
        "yolov5": {"o": np.concatenate([boxes, objectness, scores], -1)},
        "yolov8": {"o": np.concatenate([boxes, scores], -1).transpose(0, 2, 1)},
    }[layout]
    feeds = {f"{name}.in": value.astype(np.float32) for name, value in given.items()}
    meant = scores * objectness if layout == "yolov5" else scores
    return detector(**{name: value.shape for name, value in given.items()}), feeds, corners, meant


def kept(boxes: np.ndarray, scores: np.ndarray, score: float, iou: float) -> set[tuple[int, int, int]]:
    """Return image, class and box of what greedy suppression keeps, class by class."""
    found = set()
    areas = np.prod(boxes[..., 2:] - boxes[..., :2], -1)
    for image, label in np.ndindex(len(boxes), scores.shape[-1]):
        left = [n for n in np.argsort(-scores[image, :, label]) if scores[image, n, label] > score]
        while left:
            best, *left = left
            found.add((image, label, int(best)))
            low = np.maximum(boxes[image, left, :2], boxes[image, best, :2])
            high = np.minimum(boxes[image, left, 2:], boxes[image, best, 2:])
            shared = np.prod(np.maximum(high - low, 0), -1)
            over = shared / (areas[image, left] + areas[image, best] - shared)
            left = [n for n, share in zip(left, over, strict=True) if share <= iou]
    return found


SETTINGS = {
    "corners": "boxes=b,scores=s",
    "yolov5": "output=o,layout=yolov5",
    "yolov8": "output=o,layout=yolov8",
}


@pytest.mark.parametrize("layout", SETTINGS)
def test_the_operator_keeps_what_numpy_keeps(layout: str) -> None:
    """Places, boxes and scores of all layouts, for two images and three classes."""
    model, feeds, boxes, scores = drawn(layout)
    suppress(model, f"{SETTINGS[layout]},{OPERATOR}", release("trt8.6"))
    assert [value.name for value in model.graph.output] == ["det_places", "det_boxes", "det_scores"]
    places, found, points = run(model, feeds)
    expected = kept(boxes, scores, 0.3, 0.4)
    assert len(expected) < int(np.sum(scores > 0.3))
    assert {tuple(map(int, row)) for row in places} == expected
    wanted = boxes[places[:, 0], places[:, 2]]
    if layout != "corners":
        wanted = np.concatenate([(wanted[:, :2] + wanted[:, 2:]) / 2, wanted[:, 2:] - wanted[:, :2]], -1)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    np.testing.assert_allclose(points, scores[places[:, 0], places[:, 2], places[:, 1]], rtol=1e-5)


@pytest.mark.parametrize("layout", SETTINGS)
def test_the_plugin_takes_boxes_and_scores(layout: str) -> None:
    """What it takes, cut off before it, is what the layout means; its attributes are those asked for."""
    model, feeds, corners, scores = drawn(layout)
    suppress(model, f"{SETTINGS[layout]},score=0.3,iou=0.4,most=7", release("trt8.6"))
    plugin = model.graph.node[-1]
    read = {attribute.name: helper.get_attribute_value(attribute) for attribute in plugin.attribute}
    assert (plugin.op_type, plugin.domain) == ("EfficientNMS_TRT", "TRT")
    assert (read["max_output_boxes"], read["background_class"]) == (7, -1)
    assert (read["score_threshold"], read["iou_threshold"]) == pytest.approx((0.3, 0.4))
    assert read["box_coding"] == (layout != "corners")
    shapes = [[d.dim_value for d in value.type.tensor_type.shape.dim] for value in model.graph.output]
    assert shapes == [[2, 1], [2, 7, 4], [2, 7], [2, 7]]
    del model.graph.node[-1], model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in plugin.input
    )
    boxes, points = run(model, feeds)
    half = (boxes[..., 2:] - boxes[..., :2]) / 2 if layout == "corners" else boxes[..., 2:] / 2
    middle = (corners[..., :2] + corners[..., 2:]) / 2
    np.testing.assert_allclose(half, (corners[..., 2:] - corners[..., :2]) / 2, rtol=1e-4)
    start = boxes[..., :2] + half if layout == "corners" else boxes[..., :2]
    np.testing.assert_allclose(start, middle, rtol=1e-4)
    np.testing.assert_allclose(points, scores, rtol=1e-5)


@pytest.mark.parametrize(
    ("version", "operator"),
    [("trt8.0", "EfficientNMS_TRT"), ("trt10.1", "EfficientNMS_TRT"), ("rtx1.7", "NonMaxSuppression")],
)
def test_each_release_gets_the_one_that_it_has(version: str, operator: str) -> None:
    """The plugin where it is, else the operator, and the release takes the model by the tables."""
    model, *_ = drawn("corners")
    suppress(model, SETTINGS["corners"], release(version))
    assert operator in {node.op_type for node in model.graph.node}
    row = release(version)
    assert refusals(model, row.flavour, row.version, gpu=True) == []
    assert [one for one in cautions(inspect(model), row) if one.kind == "wrong"] == []


PAIR = {"b": (1, 9, 4), "s": (1, 9, 3)}


@pytest.mark.parametrize(
    ("shapes", "text", "says"),
    [
        (PAIR, "boxes=b", "give boxes=NAME,scores=NAME, or output=NAME,layout"),
        (PAIR, "output=b", "give boxes=NAME,scores=NAME, or output=NAME,layout"),
        (PAIR, "boxes=z,scores=s", "boxes=z: the model has the outputs b, s"),
        (PAIR, "boxes=s,scores=b", "boxes=s: 's' is 1x9x3, expected N x B x 4"),
        ({"b": (1, 9, 4), "s": (1, 8, 3)}, "boxes=b,scores=s", "'s' is 1x8x3, expected N x 9 x classes"),
        ({"b": (1, 9, 4), "s": (9, 3)}, "boxes=b,scores=s", "'s' is 9x3, expected three axes"),
        ({"o": (1, 9, 5)}, "output=o,layout=yolov5", "'o' is 1x9x5, expected N x B x 5"),
        ({"o": (1, 4, 9)}, "output=o,layout=yolov8", "'o' is 1x4x9, expected N x 4"),
        (PAIR, "boxes=b,scores=s,iou=2", "iou=2: '2' is not from 0 to 1"),
        (PAIR, "boxes=b,scores=s,coding=middle", "coding=middle: 'middle' is none of corners, center"),
        ({**PAIR, "det_boxes": (1,)}, "boxes=b,scores=s", "the model has a tensor 'det_boxes' already"),
    ],
)
def test_what_does_not_fit_is_one_line(
    shapes: dict[str, tuple[int | str, ...]], text: str, says: str
) -> None:
    """Outputs that are missing, of other shapes, or not told; values that are none."""
    with pytest.raises(ValueError, match=says) as caught:
        suppress(detector(**shapes), text, release("trt8.6"))
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("--nms")


@pytest.mark.parametrize("version", ["trt7.2", "rtx1.7"])
def test_a_release_without_the_plugin_says_so(version: str) -> None:
    """The plugin is refused by name where there is none."""
    with pytest.raises(ValueError, match=r"TensorRT does since 8\.0; by=NonMaxSuppression"):
        suppress(detector(**PAIR), "boxes=b,scores=s,by=EfficientNMS_TRT", release(version))
