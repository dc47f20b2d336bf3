"""Small ONNX models, right and with one of the commonest errors, in pairs whose outputs should be equal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Pair = tuple[onnx.ModelProto, onnx.ModelProto]
RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.standard_normal((4, 3, 3, 3)).astype(np.float32)
SQUARE = RANDOM.standard_normal((3, 3)).astype(np.float32)


def _model(
    operator: str, weights: Sequence[np.ndarray] = (), opset: int = 13, **attributes: Any
) -> onnx.ModelProto:
    """One operator from `image` to `scores`. weights: of its other inputs; an empty one is left out."""
    names = [f"weight{n}" if array.size else "" for n, array in enumerate(weights)]
    node = helper.make_node(operator, ["image", *names], ["scores"], name=f"the_{operator}", **attributes)
    shape = [2, 3] if operator == "Gemm" else [2, 3, 4, 5] if operator == "Softmax" else [1, 3, 9, 9]
    graph = helper.make_graph(
        [node], "net", [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for array, name in zip(weights, names, strict=True) if name],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def channel_order() -> Pair:
    """The first convolution of a network of BGR images, whose weights were not turned for RGB."""
    return _model("Conv", [WEIGHT]), _model("Conv", [np.ascontiguousarray(WEIGHT[:, ::-1])])


def epsilon() -> Pair:
    """PyTorch's and Keras' BatchNorm epsilon, on variances of the size that trained networks have."""
    tensors = [np.ones(3), np.zeros(3), np.full(3, 0.5), np.full(3, 0.02)]
    weights = [tensor.astype(np.float32) for tensor in tensors]
    first, second = (_model("BatchNormalization", weights, epsilon=value) for value in (1e-5, 1e-3))
    return first, second


def resize() -> Pair:
    """A linear Resize that counts pixels by their centres, and by their corners."""
    scales = [np.zeros(0, np.float32), np.array([1, 1, 2, 2], np.float32)]
    modes = ("half_pixel", "asymmetric")
    first, second = (
        _model("Resize", scales, mode="linear", coordinate_transformation_mode=mode) for mode in modes
    )
    return first, second


def one_sided_padding() -> Pair:
    """TensorFlow's SAME of an even size pads the far side alone."""
    first, second = (_model("Conv", [WEIGHT], strides=[2, 2], pads=pads) for pads in ([1] * 4, [0, 0, 2, 2]))
    return first, second


def rounding_of_sizes() -> Pair:
    """Darknet and Caffe round the size of a pooled image up, PyTorch down."""
    first, second = (
        _model("MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=mode) for mode in (0, 1)
    )
    return first, second


def transposed() -> Pair:
    """A square weight matrix of a dense layer, the wrong way round: no shape tells."""
    return _model("Gemm", [SQUARE]), _model("Gemm", [SQUARE], transB=1)


def softmax() -> Pair:
    """Softmax without an axis: of all but the batch up to opset 12, of the last axis since 13."""
    return _model("Softmax", opset=12), _model("Softmax", opset=13)


def huge_weight() -> onnx.ModelProto:
    """A weight that fp16 does not have."""
    return _model("Conv", [WEIGHT * np.float32(1e5)])


def calibrated() -> onnx.ModelProto:
    """A network whose tensors have other names than those of a cache of long ago."""
    return _model("Conv", [WEIGHT])
