"""The committed limits, as they come out for a case: a limit that is changed is changed here, too."""

import pytest

from fixtures.cases import Case
from fixtures.expectations import Expectations, load
from fixtures.metrics.parity import EXACT
from suites.meta.places import EXPECTATIONS

RTX15, RTX16, RTX17 = "rtx1.5.0.114", "rtx1.6.1.120", "rtx1.7.1.116"
LIMITS = [
    # stage, model, TensorRT, precision, value -> rtol, atol, relative_l2, times_fp16
    ("onnxruntime-parity", "yolov3", "", "fp32", "yolo_82", (1e-4, 1e-3, 2e-5, 0)),
    ("onnxruntime-parity", "yolov3", "", "fp32", "yolo_82/boxes", (1e-4, 1e-3, 1e-4, 0)),
    ("onnxruntime-parity", "retinaface-mnet025", "", "fp32", "landmarks", (1e-4, 1e-3, 1e-4, 0)),
    ("source-parity", "yolov3", "", "fp32", "yolo_82", (1e-4, 1e-3, 1e-5, 0)),
    ("source-parity", "yolov3", "", "fp32", "yolo_82/classes", (1e-4, 1e-3, 1e-4, 0)),
    ("opset-parity", "yolov5n", "", "fp32", "p3/boxes", (1e-5, 1e-5, 1e-6, 0)),
    ("pruning", "yolov3", "", "fp32", "yolo_82", (1e-4, 1e-3, 1e-5, 0)),
    ("pruning", "yolov3", "", "fp32", "yolo_82/boxes", (1e-4, 1e-3, 1e-4, 0)),
    ("source-gpu", "yolov5n", "", "fp32", "p3", (1e-3, 1e-3, 1e-4, 0)),
    ("source-gpu", "yolov5n", "", "fp32", "p3/boxes", (1e-3, 5e-3, 5e-4, 0)),
    ("source-gpu", "digits", "", "fp16", "logits", (5e-2, 2e-1, 2e-2, 5)),
    ("source-gpu", "resnet50", "", "fp16", "logits", (5e-2, 5e-1, 5e-2, 5)),
    ("source-gpu", "yolov5n", "", "fp16", "p3/classes", (1e-1, 1.0, 5e-2, 8)),
    ("fp16-parity", "digits", "", "fp16", "logits", (5e-2, 1e-1, 2e-2, 0)),
    ("fp16-parity", "yolov5n", "", "fp16", "p3/classes", (1e-1, 1.0, 5e-2, 0)),
    ("fp16-parity", "mobilenetv2", "", "fp16", "logits", (5e-2, 5e-1, 5e-2, 5)),
    ("fp16-parity", "retinaface-mnet025", "", "fp16", "landmarks", (5e-2, 5e-1, 1e-1, 0)),
    ("tensorrt-parity", "digits", RTX17, "fp32", "logits", (1e-3, 5e-3, 2e-4, 0)),
    ("tensorrt-parity", "yolov3", RTX17, "fp32", "yolo_82", (1e-3, 5e-3, 2e-4, 0)),
    ("tensorrt-parity", "yolov3", RTX16, "fp32", "yolo_82", (1e-3, 5e-3, 5e-4, 0)),
    ("tensorrt-parity", "yolov4-608", RTX15, "fp32", "yolo_139", (1e-3, 5e-3, 5e-4, 0)),
    ("tensorrt-parity", "yolov3-spp-608", RTX15, "fp32", "yolo_89", (1e-3, 5e-3, 5e-4, 0)),
    ("tensorrt-parity", "yolov3", RTX16, "fp32", "yolo_82/objectness", (1e-2, 2e-2, 2e-3, 0)),
    ("tensorrt-parity", "resnet18", RTX16, "fp32", "logits", (1e-3, 5e-3, 5e-4, 0)),
    ("tensorrt-parity", "resnet50", RTX16, "fp32", "logits", (1e-3, 5e-3, 8e-4, 0)),
    ("tensorrt-parity", "digits", RTX16, "tf32", "logits", (5e-2, 2e-1, 2e-2, 5)),
    ("tensorrt-parity", "yolov5n", RTX16, "tf32", "p3/boxes", (1e-1, 1.0, 2e-2, 8)),
    ("tensorrt-parity", "digits-yolov5n", RTX16, "tf32", "p3", (5e-2, 2e-1, 2e-2, 20)),
    ("tensorrt-parity", "digits-yolov5n", RTX16, "tf32", "p3/boxes", (1e-1, 1.0, 2e-2, 20)),
    ("tensorrt-parity", "digits-yolov5n", RTX17, "tf32", "p3", (5e-2, 2e-1, 2e-2, 5)),
    ("tensorrt-parity", "resnet50", RTX16, "tf32", "logits", (5e-2, 5e-1, 1e-1, 5)),
    ("tensorrt-parity", "retinaface-mnet025", RTX16, "tf32", "landmarks", (5e-2, 5e-1, 2e-1, 5)),
    ("tensorrt-parity", "digits", RTX16, "fp16", "logits", (5e-2, 2e-1, 3e-2, 15)),
    ("tensorrt-parity", "yolov3", RTX16, "fp16", "yolo_82/objectness", (1e-1, 1.0, 5e-2, 15)),
    ("tensorrt-parity", "yolov3-spp", RTX16, "fp16", "yolo_89/objectness", (1e-1, 1.0, 5e-2, 20)),
    ("tensorrt-parity", "mobilenetv2", RTX16, "fp16", "logits", (5e-2, 5e-1, 1e-1, 15)),
    ("tensorrt-parity", "retinaface-mnet025", RTX16, "fp16", "landmarks", (5e-2, 5e-1, 3e-1, 15)),
    ("migration", "digits", RTX17, "tf32", "logits", (5e-2, 2e-1, 2e-2, 0)),
    ("migration", "yolov5n", RTX17, "fp16", "p3/boxes", (2e-1, 2.0, 2e-2, 0)),
    ("migration", "digits", RTX17, "int8", "logits", (5e-2, 2.5e-1, 3e-2, 0)),
    ("migration", "digits", RTX17, "fp32", "logits", (1e-3, 5e-3, 2e-4, 0)),
    ("migration", "yolov3", RTX17, "fp32", "yolo_82/boxes", (1e-2, 2e-2, 2e-3, 0)),
    ("migration", "resnet50", RTX17, "fp16", "logits", (5e-2, 5e-1, 1e-1, 15)),
    ("tensorrt-parity", "unet", RTX17, "fp32", "mask", (0, 1, 3e-2, 0)),
    ("tensorrt-parity", "unet", RTX17, "fp16", "mask", (0, 1, 1.5e-1, 0)),
]


@pytest.fixture(scope="module")
def committed() -> Expectations:
    """The committed rows."""
    return load(EXPECTATIONS)


@pytest.mark.parametrize(("stage", "model", "tensorrt", "precision", "value", "limits"), LIMITS)
def test_a_limit_is_what_it_was(
    stage: str, model: str, tensorrt: str, precision: str, value: str, limits: tuple[float, ...],
    committed: Expectations,
) -> None:  # fmt: skip
    """The rows together give these limits, whichever row gives which."""
    found = committed.tolerance(Case(stage, model, "", 13, tensorrt, precision), value)
    assert (found.rtol, found.atol, found.relative_l2, found.times_fp16) == limits


def test_of_labels_an_age_alone_may_differ(committed: Expectations) -> None:
    """At fp16 it may be off by one; no other label, and at no other precision."""
    case = Case("fp16-parity", "gender-age", "mxnet", 13, precision="fp16")
    found = committed.tolerance_of_label(case, "age")
    assert found is not None
    assert (found.rtol, found.atol, found.relative_l2, found.times_fp16) == (0, 1, 5e-2, 0)
    assert committed.tolerance_of_label(case, "gender") is None
    assert committed.tolerance_of_label(Case("onnxruntime-parity", "gender-age", "mxnet", 13), "age") is None
    assert EXACT.relative_l2 == 0


def test_every_row_is_pinned_here(committed: Expectations) -> None:
    """Each field of each row is the one that stands for a case above, or for the age."""
    standing = set()
    for stage, model, tensorrt, precision, value, _ in LIMITS:
        found = committed.tolerance(Case(stage, model, "", 13, tensorrt, precision), value)
        standing |= {(where, name) for name, where in found.rows.items()}
    rows = [row for row in committed.tolerances if row.texts.get("values") != "age"]
    assert {(row.where, name) for row in rows for name in row.numbers} - standing == set()
