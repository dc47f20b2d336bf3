"""Heads decoded in the graph, and NMS there, give what NumPy gives; a wrong formula would be seen."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.detections import append
from fixtures.converters.darknet.heads import Head
from fixtures.converters.dynamic_batch import with_dynamic_batch
from fixtures.converters.nms import DEFAULT_NMS, Outputs, Suppression
from fixtures.converters.onnx_graph import GraphBuilder
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import yolo

ANCHORS = ((10.0, 14.0), (23.0, 27.0), (37.0, 58.0))
COARSE = Head("coarse", (24, 3, 4), ANCHORS, 3, (16, 16))
FINE = Head("fine", (16, 6, 8), ANCHORS[:2], 3, (8, 8), scale_x_y=1.2)
REGION = replace(COARSE, kind="region", softmax=True)
GAUSSIAN = Head("gaussian", (36, 3, 4), ANCHORS, 3, (16, 16), "gaussian_yolo", 1.1)
MANY = Suppression(score=0.5, overlap=0.45, most=1000)


def model_of(
    heads: Sequence[Head], opset: int, outputs: Outputs, batch: int = 2, nms: Suppression = DEFAULT_NMS
) -> onnx.ModelProto:
    """A model whose inputs are the raw heads themselves."""
    graph = GraphBuilder("heads", opset)
    for head in heads:
        graph.input(head.tensor, (batch, *head.shape))
    append(graph, heads, batch, outputs, nms)
    return graph.model()


def raw(heads: Sequence[Head], batch: int = 2, spread: float = 1.5) -> dict[str, np.ndarray]:
    """Seeded raw heads; those of new_coords went through a logistic already."""
    random = np.random.default_rng(5)
    made = {h.tensor: spread * random.standard_normal((batch, *h.shape), np.float32) for h in heads}
    return {h.tensor: logistic(made[h.tensor]) if h.new_coords else made[h.tensor] for h in heads}


def logistic(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)), in float64."""
    return (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)


def run(model: onnx.ModelProto, sample: dict[str, np.ndarray], folder: Path) -> dict[str, np.ndarray]:
    """Check the model and run it in ONNX Runtime."""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, folder / "heads.onnx")
    return OnnxRuntime(folder / "heads.onnx").run([sample])[0]


def reference(heads: Sequence[Head], sample: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what `reference_models.yolo.decode` says of [yolo] heads, all heads in one."""
    rows = [yolo.Head(h.tensor, h.anchors, int(h.stride[0]), h.classes, "yolov3", h.scale_x_y) for h in heads]
    decoded = yolo.decode(sample, rows)
    parts = ("boxes", "objectness", "classes")
    return {part: np.concatenate([decoded[f"{h.tensor}/{part}"] for h in heads], axis=1) for part in parts}


def unlike(mine: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> list[str]:
    """Names of the outputs that differ by more than float32 rounding."""
    assert list(mine) == list(theirs)
    close = {name: np.allclose(mine[name], theirs[name], rtol=2e-5, atol=2e-5) for name in mine}
    return [name for name in mine if mine[name].shape != theirs[name].shape or not close[name]]


@pytest.mark.parametrize("opset", range(10, 22))
def test_decoded_heads_are_those_of_numpy(opset: int, tmp_path: Path) -> None:
    """Two heads of unlike strides and scales, at each opset, agree with the NumPy decoder."""
    heads = (COARSE, FINE)
    made = run(model_of(heads, opset, "decoded"), raw(heads), tmp_path)
    assert unlike(made, reference(heads, raw(heads))) == []


def test_new_coords_are_squares_of_what_the_convolution_gave(tmp_path: Path) -> None:
    """With scale_x_y 2 they are the YOLOv5 boxes of the same logits, by an independent decoder."""
    head = replace(COARSE, new_coords=True, scale_x_y=2.0)
    logits = raw([COARSE])
    made = run(model_of([head], 13, "decoded"), raw([head]), tmp_path)
    decoded = yolo.decode(logits, [yolo.Head("coarse", ANCHORS, 16, 3, "yolov5")])
    theirs = {part: decoded[f"coarse/{part}"] for part in ("boxes", "objectness", "classes")}
    assert unlike(made, theirs) == []


@pytest.mark.parametrize("opset", [10, 13, 18])
def test_region_classes_share_one_sum(opset: int, tmp_path: Path) -> None:
    """A YOLOv2 head has softmax over classes, and boxes and objectness of a yolo head."""
    made = run(model_of([REGION], opset, "decoded"), raw([REGION]), tmp_path)
    assert unlike(made, reference([COARSE], raw([REGION]))) == ["classes"]
    scores = np.exp(raw([REGION])["coarse"].reshape(2, 3, 8, 12)[:, :, 5:]).transpose(0, 1, 3, 2)
    expected = scores / scores.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(made["classes"], expected.reshape(2, 36, 3), rtol=1e-5)


@pytest.mark.parametrize("opset", [10, 13, 18])
def test_gaussian_heads_leave_the_deviations_out_of_the_box(opset: int, tmp_path: Path) -> None:
    """Means and deviations alternate: boxes are the means, objectness is lowered by the deviations."""
    sample = raw([GAUSSIAN])
    made = run(model_of([GAUSSIAN], opset, "decoded"), sample, tmp_path)
    fields = sample["gaussian"].reshape(2, 3, 12, 3, 4)
    plain = fields[:, :, [0, 2, 4, 6, *range(8, 12)]].reshape(2, 24, 3, 4)
    theirs = reference([replace(COARSE, scale_x_y=1.1)], {"coarse": plain})
    sure = 1 - logistic(fields[:, :, 1:8:2]).mean(axis=2).reshape(2, 36)
    theirs["objectness"] = theirs["objectness"] * sure
    assert unlike(made, theirs) == []


@pytest.mark.parametrize(
    ("wrong", "seen"),
    [
        (replace(FINE, anchors=FINE.anchors[::-1]), ["boxes"]),
        (replace(FINE, anchors=tuple((h, w) for w, h in FINE.anchors)), ["boxes"]),
        (replace(FINE, scale_x_y=1.0), ["boxes"]),
        (replace(FINE, stride=(16, 8)), ["boxes"]),
        (replace(FINE, new_coords=True), ["boxes", "objectness", "classes"]),
        (replace(FINE, softmax=True), ["classes"]),
    ],
)
def test_a_head_read_wrongly_is_seen(wrong: Head, seen: list[str], tmp_path: Path) -> None:
    """Anchors in another order, w and h swapped, no scale_x_y, another stride: the parity fails."""
    made = run(model_of([COARSE, wrong], 11, "decoded"), raw((COARSE, FINE)), tmp_path)
    assert unlike(made, reference((COARSE, FINE), raw((COARSE, FINE)))) == seen


@pytest.mark.parametrize("opset", range(11, 22))
def test_detections_in_the_graph_are_those_of_numpy(opset: int, tmp_path: Path) -> None:
    """NMS gives the same objects, image by image, as the greedy suppression in NumPy."""
    heads, sample = (COARSE, FINE), raw((COARSE, FINE))
    rows = run(model_of(heads, opset, "nms", nms=MANY), sample, tmp_path)["detections"]
    decoded = {f"all/{part}": value for part, value in reference(heads, sample).items()}
    assert len(rows) > 40
    for image in range(2):
        found = yolo.detections(decoded, MANY.score, MANY.overlap, image)
        theirs = sorted((d.label, -d.score, *d.box) for d in found)
        mine = sorted((row[1], -row[2], *row[3:]) for row in rows[rows[:, 0] == image].tolist())
        np.testing.assert_allclose(mine, theirs, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize(
    "other", [replace(MANY, overlap=0.2), replace(MANY, score=0.6), replace(MANY, most=3)]
)
def test_each_number_of_the_suppression_counts(other: Suppression, tmp_path: Path) -> None:
    """A stricter threshold, or fewer boxes a class, gives fewer detections."""
    heads, sample = (COARSE, FINE), raw((COARSE, FINE))
    counts = [
        len(run(model_of(heads, 13, "nms", nms=n), sample, tmp_path)["detections"]) for n in (MANY, other)
    ]
    assert counts[1] < counts[0]


@pytest.mark.parametrize("outputs", ["decoded", "nms"])
def test_a_dynamic_batch_has_no_size_in_its_graph(outputs: Outputs, tmp_path: Path) -> None:
    """One model takes batches of 1 and 4 and gives what the static models give."""
    heads = (COARSE, FINE)
    model = with_dynamic_batch(lambda size: model_of(heads, 13, outputs, size))
    for batch in (1, 4):
        made = run(model, raw(heads, batch), tmp_path)
        fixed = run(model_of(heads, 13, outputs, batch), raw(heads, batch), tmp_path)
        assert unlike(made, fixed) == []


def test_the_plugin_node_is_as_its_readme_says() -> None:
    """EfficientNMS takes boxes as centre and size; no runtime here can run it, so only its form is tried."""
    model = model_of([COARSE, FINE], 13, "efficientnms", nms=MANY)
    onnx.checker.check_model(model)
    (node,) = [n for n in model.graph.node if n.op_type == "EfficientNMS_TRT"]
    values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    assert list(node.input) == ["boxes", "scores"]
    assert node.domain in {entry.domain for entry in model.opset_import}
    assert [o.name for o in model.graph.output] == list(node.output)
    assert (values["box_coding"], values["background_class"], values["plugin_version"]) == (1, -1, b"1")
    assert (values["max_output_boxes"], values["score_activation"]) == (1000, 0)
    assert [round(values[name], 6) for name in ("score_threshold", "iou_threshold")] == [0.5, 0.45]
