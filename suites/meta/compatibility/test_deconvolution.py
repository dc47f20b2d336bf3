"""ConvTranspose with output_shape: where TensorRT pads otherwise than ONNX, and the pads to write."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto

from fixtures.compatibility import Caution, by_label, cautions, inspect
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks.support_models import fed

W = np.arange(36, dtype=np.float32).reshape(1, 4, 3, 3)
X = np.random.default_rng(3).standard_normal((1, 1, 8, 8)).astype(np.float32)


def doubled(**attributes: Any) -> ModelProto:
    """Make a ConvTranspose of stride 2 that gives 17 elements an axis without padding."""
    return fed("ConvTranspose", "FLOAT", *X.shape, opset=11, more=[W], strides=[2, 2], **attributes)


def wrong(model: ModelProto, label: str) -> list[Caution]:
    """Return what a release computes wrong of a model."""
    row = by_label(label)
    assert row is not None
    return [one for one in cautions(inspect(model), row) if one.kind == "wrong"]


@pytest.mark.parametrize(
    ("size", "mode", "label", "there"),
    [(16, None, "trt8.6", True), (15, None, "trt8.6", False), (17, None, "trt8.6", False),
     (18, None, "trt8.6", False), (14, None, "rtx1.7", True), (15, None, "trt7.0", True),
     (17, None, "trt7.0", False), (16, "SAME_UPPER", "trt10.1", False), (15, "SAME_UPPER", "trt10.1", True),
     (15, "SAME_LOWER", "rtx1.5", True), (16, "VALID", "trt8.5", True), (17, "VALID", "trt8.5", False)],
)  # fmt: skip
def test_an_output_shape_is_wrong_where_the_paddings_differ(
    size: int, mode: str | None, label: str, there: bool
) -> None:
    """An odd padding is shifted, 7.0 shifts every one, and beside auto_pad the attribute is not read."""
    more = {} if mode is None else {"auto_pad": mode}
    assert bool(wrong(doubled(output_shape=[size, size], **more), label)) == there


@pytest.mark.parametrize(
    ("wanted", "more"),
    [((16, 16), {}), ((15, 14), {}), ((15, 15), {"auto_pad": "SAME_UPPER"}),
     ((16, 15), {"auto_pad": "SAME_LOWER"})],
)  # fmt: skip
def test_the_pads_of_the_remedy_give_the_same(wanted: tuple[int, int], more: dict[str, str]) -> None:
    """ONNX Runtime gives equal outputs of output_shape and of the pads that the remedy names."""
    (found,) = wrong(doubled(output_shape=wanted, **more), "trt7.0")
    pads = found.remedy.partition("[")[2].partition("]")[0]
    rewritten = doubled(pads=[int(one) for one in pads.split(",")])
    one, other = (outputs(model) for model in (doubled(output_shape=wanted, **more), rewritten))
    assert one.shape[2:] == wanted
    np.testing.assert_array_equal(one, other)
    assert wrong(rewritten, "trt7.0") == []


def outputs(model: ModelProto) -> np.ndarray:
    """Return what ONNX Runtime gives for X."""
    (found,) = OnnxRuntime(model.SerializeToString()).run([{model.graph.input[0].name: X}])
    return next(iter(found.values()))


def test_of_unknown_lengths_nothing_is_said() -> None:
    """A dynamic axis has no padding that could be counted, and neither has an attribute of a wrong length."""
    dynamic = doubled(output_shape=[16, 16])
    dynamic.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    assert wrong(dynamic, "trt8.6") == []
    assert wrong(doubled(output_shape=[16]), "trt8.6") == []
