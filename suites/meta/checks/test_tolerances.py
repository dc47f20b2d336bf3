"""An error of a known size is red in each place where tolerances differ: none is wider than is said here.

The sizes are about three times what is allowed. A limit that is widened on purpose is changed here, too.
"""

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.expectations import load
from fixtures.metrics.parity import Tolerance, difference
from suites.meta.places import EXPECTATIONS

ROUNDING = 1e-4
"""What fp16 rounding alone is taken to do, where a limit is a multiple of it."""
RTX = "rtx1.6.1.120"
PLANTED = [
    # stage, model, TensorRT, precision, value; then what is red: an element's error where 1 is expected, a
    # relative L2, a multiple of fp16 rounding (0: the limit does not follow it)
    ("source-parity", "yolov3", "", "fp32", "yolo_82", 4e-3, 3e-5, 0),
    ("source-parity", "yolov3", "", "fp32", "yolo_82/boxes", 4e-3, 3e-4, 0),
    ("source-gpu", "digits", "", "fp32", "logits", 6e-3, 3e-4, 0),
    ("source-gpu", "yolov5n", "", "fp32", "p3/boxes", 2e-2, 1.5e-3, 0),
    ("source-gpu", "digits", "", "fp16", "logits", 0.8, 6e-2, 15),
    ("source-gpu", "yolov5n", "", "fp16", "p3/boxes", 4, 0.15, 24),
    ("source-gpu", "resnet50", "", "fp16", "logits", 2, 0.15, 15),
    ("onnxruntime-parity", "yolov3", "", "fp32", "yolo_82", 4e-3, 6e-5, 0),
    ("onnxruntime-parity", "yolov3", "", "fp32", "yolo_82/boxes", 4e-3, 3e-4, 0),
    ("onnxruntime-parity", "retinaface-mnet025", "", "fp32", "landmarks", 4e-3, 3e-4, 0),
    ("opset-parity", "digits", "", "fp32", "logits", 6e-5, 3e-6, 0),
    ("fp16-parity", "digits", "", "fp16", "logits", 0.5, 6e-2, 0),
    ("fp16-parity", "yolov3", "", "fp16", "yolo_82/boxes", 4, 0.15, 0),
    ("fp16-parity", "retinaface-mnet025", "", "fp16", "landmarks", 2, 0.3, 0),
    ("tensorrt-parity", "digits", RTX, "fp32", "logits", 2e-2, 6e-4, 0),
    ("tensorrt-parity", "yolov3-tiny", RTX, "fp32", "yolo_16/objectness", 0.1, 6e-3, 0),
    ("tensorrt-parity", "yolov3", RTX, "fp32", "yolo_82", 2e-2, 1.5e-3, 0),
    ("tensorrt-parity", "yolov3-608", RTX, "fp32", "yolo_82", 2e-2, 1.5e-3, 0),
    ("tensorrt-parity", "yolov3-spp", RTX, "fp32", "yolo_82", 2e-2, 1.5e-3, 0),
    ("tensorrt-parity", "resnet18", RTX, "fp32", "logits", 2e-2, 1.5e-3, 0),
    ("tensorrt-parity", "mobilenetv2", RTX, "fp32", "logits", 2e-2, 1.5e-3, 0),
    ("tensorrt-parity", "resnet50", RTX, "fp32", "logits", 2e-2, 2.5e-3, 0),
    ("tensorrt-parity", "digits", RTX, "tf32", "logits", 0.8, 6e-2, 15),
    ("tensorrt-parity", "yolov5n", RTX, "tf32", "p3/boxes", 4, 6e-2, 24),
    ("tensorrt-parity", "retinaface-mnet025", RTX, "tf32", "landmarks", 2, 0.6, 15),
    ("tensorrt-parity", "resnet50", RTX, "tf32", "logits", 2, 0.3, 15),
    ("tensorrt-parity", "digits", RTX, "fp16", "logits", 0.8, 0.1, 45),
    ("tensorrt-parity", "yolov5n", RTX, "fp16", "p3/boxes", 4, 0.15, 45),
    ("tensorrt-parity", "yolov3-spp", RTX, "fp16", "yolo_82/objectness", 4, 0.15, 60),
    ("tensorrt-parity", "retinaface-mnet025", RTX, "fp16", "landmarks", 2, 0.9, 45),
    ("tensorrt-parity", "resnet50", RTX, "fp16", "logits", 2, 0.3, 45),
    ("migration", "digits", RTX, "fp32", "logits", 2e-2, 6e-4, 0),
    ("migration", "yolov3", RTX, "fp32", "yolo_82/objectness", 0.1, 6e-3, 0),
    ("migration", "digits", RTX, "tf32", "logits", 0.8, 6e-2, 0),
    ("migration", "yolov5n", RTX, "tf32", "p3/boxes", 7, 6e-2, 0),
    ("migration", "digits", RTX, "int8", "logits", 1, 0.1, 0),
    ("tensorrt-parity", "gender-age", RTX, "fp16", "age", 3, 0.15, 0),
    ("onnxruntime-parity", "unet", "", "fp32", "mask", 3, 0.1, 0),
    ("tensorrt-parity", "unet", RTX, "fp16", "mask", 3, 0.5, 0),
]
SCALED = [planted for planted in PLANTED if planted[-1]]
ROWS = load(EXPECTATIONS)
Planted = tuple[str, str, str, str, str, float, float, int]


def name_of(planted: Planted) -> str:
    """The name of a planted error in the terminal."""
    return "-".join(filter(None, planted[:5]))


def tolerance_of(planted: Planted) -> Tolerance:
    """The tolerance of the value that an error is planted into."""
    stage, model, tensorrt, precision, value = planted[:5]
    case = Case(stage, model, "", 17, tensorrt, precision)
    return ROWS.tolerance_of_label(case, value) or ROWS.tolerance(case, value)


@pytest.mark.parametrize("planted", PLANTED, ids=name_of)
def test_one_wrong_element_is_red(planted: Planted) -> None:
    """It fails among a million others, where the norm hardly sees it."""
    ones = np.ones(1_000_000, np.float32)
    wrong = ones.copy()
    wrong[7] += planted[5]
    assert not difference("value", ones, wrong, tolerance_of(planted)).ok


@pytest.mark.parametrize("planted", PLANTED, ids=name_of)
def test_a_small_error_in_all_elements_is_red(planted: Planted) -> None:
    """It fails by the norm, where no element is beyond its allowance."""
    tolerance = tolerance_of(planted)
    small = np.full(1000, tolerance.atol, np.float32)
    found = difference("value", small, small * np.float32(1 + planted[6]), tolerance)
    assert (found.mismatched, found.ok) == (0, False)


@pytest.mark.parametrize("planted", SCALED, ids=name_of)
def test_an_error_beyond_fp16_rounding_is_red(planted: Planted) -> None:
    """Where a limit follows fp16 rounding, a multiple of it fails that the row's own limit would let pass."""
    tolerance = tolerance_of(planted)
    small = np.full(1000, tolerance.atol, np.float32)
    off = small * np.float32(1 + planted[7] * ROUNDING)
    assert difference("value", small, off, tolerance).ok
    assert not difference("value", small, off, tolerance.scaled(ROUNDING)).ok
