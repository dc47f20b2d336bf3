"""The NumPy interpreter agrees with OpenCV's Darknet reader wherever OpenCV is right."""

from pathlib import Path

import numpy as np
import pytest

from suites.meta.oracles.darknet_interpreter import network
from suites.meta.oracles.darknet_interpreter.cases import CASES, Case
from suites.meta.oracles.darknet_interpreter.neck import neck

OPENCV_EPSILON = 1e-6
LIMIT = 1e-5
"""Relative L2. OpenCV folds BatchNorm in float32; of these cases the furthest is at 2e-6."""
AGREES = [
    "convolution_stride", "convolution_padding", "convolution_pad_over_padding", "convolution_even",
    "convolution_groups", "convolution_depthwise", "convolution_dilation_of_1x1",
    "convolution_default_activation", "convolution_bias", "activation_linear", "activation_logistic",
    "activation_relu", "activation_leaky", "activation_tanh", "activation_swish", "activation_mish",
    "maxpool_even", "maxpool_odd", "maxpool_stride_1", "maxpool_spp_5", "maxpool_spp_13",
    "maxpool_unpadded", "maxpool_cropped", "maxpool_padding_3", "avgpool", "upsample", "reorg",
    "crop_noadjust", "route", "route_single", "route_half", "shortcut", "shortcut_narrow",
    "shortcut_wide", "sam", "scale_channels", "dropout", "connected", "softmax", "yolo", "yolo_scaled",
    "neck",
]  # fmt: skip
WRONG = {
    "convolution_dilation": "padding is not multiplied by the dilation",
    "convolution_antialiasing": "the key is ignored",
    "convolution_antialiasing_2": "the key is ignored",
    "convolution_xnor": "the key is ignored",
    "maxpool_antialiasing": "the key is ignored",
    "upsample_4": "scale is ignored",
    "route_groups": "of several inputs only one is cut, or the whole is",
    "shortcut_several": "only the first of several layers is added",
    "shortcut_per_channel_relu": "weights_type is ignored",
    "softmax_temperature": "temperature is ignored: why the zoo's cifar.test differs",
    "softmax_tree": "the tree is ignored",
}
"""Cases that OpenCV 4.11 loads without a word and computes otherwise; measured, the reasons are inferred.

Not here: convolution_share, for which it reads weights beyond the end of the file, other numbers each time.
"""


def distance(case: Case, folder: Path, epsilon: float = OPENCV_EPSILON) -> float:
    """Relative L2 between OpenCV and the interpreter, the worst of all heads or of the last layer."""
    import cv2

    paths, data = case.write(folder), network.input_of(case.cfg, 1)
    outputs = network.run(*paths, data, epsilon=epsilon)
    heads = [layer - 1 for layer in network.heads_of(case.cfg)]
    net = cv2.dnn.readNetFromDarknet(*map(str, paths))
    net.setInput(data.astype(np.float32))
    actual = net.forward([f"conv_{layer}" for layer in heads]) if heads else [net.forward()]
    expected = [outputs[layer] for layer in heads or [max(outputs)]]
    return max(
        float(np.linalg.norm(a.ravel() - e.ravel()) / np.linalg.norm(e))
        for a, e in zip(actual, expected, strict=True)
    )


def case_named(name: str) -> Case:
    """Return one of the cases, or the neck of YOLOv4."""
    return neck() if name == "neck" else CASES[name]


@pytest.mark.parametrize("name", AGREES)
def test_opencv_computes_the_same(name: str, tmp_path: Path) -> None:
    """With OpenCV's epsilon of 1e-6 the interpreter gives OpenCV's numbers."""
    assert distance(case_named(name), tmp_path) < LIMIT


@pytest.mark.parametrize("name", WRONG)
def test_opencv_is_wrong_where_it_is_said_to_be(name: str, tmp_path: Path) -> None:
    """A row of WRONG that OpenCV computes like the interpreter is stale."""
    assert distance(CASES[name], tmp_path) > 100 * LIMIT


def test_darknets_epsilon_is_told_from_opencvs(tmp_path: Path) -> None:
    """Against OpenCV the interpreter's own epsilon, 1e-5, is seen at once."""
    assert distance(CASES["convolution_stride"], tmp_path, network.EPSILON) > 10 * LIMIT
