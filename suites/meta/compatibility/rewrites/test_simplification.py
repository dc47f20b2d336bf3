"""Folding of a whole model: what folds, what is left, and what is done when it cannot be."""

import re
from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility.rewrites import simplification
from suites.meta.networks.rewrite_models import FOLDS, assert_equal, fixed, single, small

pytestmark = FOLDS
F = np.float32
ROI = np.zeros(0, F)
FLOOR = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor", "mode": "nearest"}


def scaled(width: int | str = 8, side: int = 2) -> ModelProto:
    """Make a Resize whose scales hang on the shape of the input."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Slice", ["s", "b", "e"], ["hw"]),
        helper.make_node("Cast", ["hw"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["goal", "f"], ["up"]),
        helper.make_node("Concat", ["ones", "up"], ["scales"], axis=0),
        helper.make_node("Resize", ["x", "roi", "scales"], ["y"], name="up", **FLOOR),
    ]
    constants = {"b": np.array([2]), "e": np.array([4]), "ones": np.ones(2, F), "roi": ROI,
                 "goal": np.full(2, 8 * side, F)}  # fmt: skip
    return small(nodes, constants, opset=11, shape=(1, 4, 8, width))


def pooled() -> ModelProto:
    """Make a TopK of as many elements as a tensor within the model has rows."""
    nodes = [
        helper.make_node("MaxPool", ["x"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Shape", ["p"], ["s"]),
        helper.make_node("Slice", ["s", "b", "e"], ["k"]),
        helper.make_node("TopK", ["p", "k"], ["y", "i"], name="top"),
    ]
    return small(nodes, {"b": np.array([2]), "e": np.array([3])}, opset=11)


def padded(*more: onnx.NodeProto, end: str = "y") -> ModelProto:
    """Make a Pad whose pads come of constants, and nodes behind it."""
    nodes = [
        helper.make_node("Mul", ["half", "half"], ["m"]),
        helper.make_node("Concat", ["half", "m"], ["pads"], axis=0),
        helper.make_node("Pad", ["x", "pads"], [end], name="pad", mode="constant"),
    ]
    return small([*nodes, *more], {"half": np.array([0, 0, 1, 1])}, opset=11)


def chosen() -> ModelProto:
    """Make an If on the length of an axis, whose branches have unequal ranks."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("a", "b")]
    nodes = [helper.make_node("Squeeze", ["x"], ["a"], axes=[0]), helper.make_node("Identity", ["x"], ["b"])]
    then, other = (helper.make_graph([n], n.op_type, [], [v]) for n, v in zip(nodes, values, strict=True))
    made = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Equal", ["n", "one"], ["c"]),
        helper.make_node("If", ["c"], ["y"], name="either", then_branch=then, else_branch=other),
    ]
    return small(made, {"zero": np.array(0), "one": np.array(1)}, opset=11)


def transposed() -> ModelProto:
    """Make a convolution whose large weights are stored the other way round."""
    weight = np.linspace(-1, 1, 600 * 4 * 9, dtype=F).reshape(4, 600, 3, 3)
    nodes = [
        helper.make_node("Transpose", ["w"], ["t"], perm=[1, 0, 2, 3]),
        helper.make_node("Conv", ["x", "t"], ["y"], name="conv", kernel_shape=[3, 3]),
    ]
    return small(nodes, {"w": weight}, opset=11)


def grown() -> ModelProto:
    """Make a small constant that is expanded to four megabytes, before pads that fold."""
    model = padded(
        helper.make_node("Cast", ["half"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Expand", ["f", "wide"], ["e"], name="wide"),
        helper.make_node("ReduceSum", ["p"], ["r"], keepdims=0),
        helper.make_node("Mul", ["e", "r"], ["y"]),
        end="p",
    )
    wide = np.array([262144, 4])
    model.graph.initializer.append(onnx.numpy_helper.from_array(wide, "wide"))
    return model


FOLDED: dict[str, tuple[Callable[[], ModelProto], str, list[str]]] = {
    "scales of the shape": (scaled, "trt8.2", ["Resize"]),
    "scales that are no whole numbers": (lambda: scaled(width=12), "trt8.2", ["Resize"]),
    "scales below 1": (lambda: scaled(width=32), "trt8.2", ["Resize"]),
    "K of the shape of a tensor": (pooled, "trt8.2", ["MaxPool", "TopK"]),
    "pads of constants": (padded, "trt7.0", ["Pad"]),
    "an If on a length": (chosen, "trt7.2", ["Squeeze"]),
    "an output that is a shape": (
        lambda: single("Shape", start=1, opset=15, made=TensorProto.INT64), "trt8.4", ["Identity"],
    ),
    "weights stored transposed": (transposed, "trt7.2", ["Conv"]),
}  # fmt: skip


@pytest.mark.parametrize(("make", "version", "operators"), FOLDED.values(), ids=FOLDED)
def test_what_hangs_on_constants_and_shapes_is_folded(
    make: Callable[[], ModelProto], version: str, operators: list[str]
) -> None:
    """The version takes what is left, which gives the same outputs, and the change says with what."""
    model = make()
    done = fixed(model, version)
    assert done.good
    assert [node.op_type for node in done.model.graph.node] == operators
    assert [change.rewrite for change in done.changes] == ["fold"]
    assert "folded by onnxslim" in str(done.changes[0])
    assert_equal(model, done.model)


def test_nothing_is_folded_of_a_model_that_is_taken() -> None:
    """The release after takes computed scales, and the file stays as it is."""
    model = scaled()
    done = fixed(model, "trt8.6")
    assert (done.changes, done.notes) == ((), ())
    assert [node.op_type for node in done.model.graph.node] == [n.op_type for n in model.graph.node]


def test_the_file_does_not_grow_by_more_than_a_megabyte() -> None:
    """Pads are folded, an Expand to four megabytes is left, and both are said."""
    model = grown()
    done = fixed(model, "trt7.0")
    assert "Expand" in {node.op_type for node in done.model.graph.node}
    assert "Concat" not in {node.op_type for node in done.model.graph.node}
    assert done.model.ByteSize() < model.ByteSize() + simplification.GROWTH
    assert re.search(r"left .*'wide'.* beyond 1 MB", done.changes[0].what)


def test_large_weights_stay_out_of_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that nothing constant hangs on are no part of what is folded, and are whole afterwards."""
    model = padded(helper.make_node("MatMul", ["p", "w"], ["y"]), end="p")
    weight = np.linspace(-1, 1, 10 * 1000, dtype=F).reshape(10, 1000)
    model.graph.initializer.append(onnx.numpy_helper.from_array(weight, "w"))
    given, slim = [], simplification._slim

    def watched(one: ModelProto, size: int) -> ModelProto:
        given.append(one.ByteSize())
        return slim(one, size)

    monkeypatch.setattr(simplification, "_slim", watched)
    done = fixed(model, "trt7.0")
    assert given
    assert max(given) < 2000
    assert_equal(model, done.model)


def test_a_model_that_ends_in_a_plugin_is_folded() -> None:
    """What the plugin takes is compared, as ONNX Runtime does not know the plugin."""
    model = padded(helper.make_node("ResizeNearest_TRT", ["p"], ["y"], name="own"), end="p")
    done = fixed(model, "trt7.0")
    assert [node.op_type for node in done.model.graph.node] == ["Pad", "ResizeNearest_TRT"]
    assert done.good


def without_onnxslim(monkeypatch: pytest.MonkeyPatch) -> str:
    """Take the folder away."""
    monkeypatch.setattr(simplification, "find_spec", lambda _: None)
    return "pip install onnxslim"


def failing(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the folder raise."""
    monkeypatch.setattr(simplification, "_slim", lambda *_: 1 / 0)
    return "fails: ZeroDivisionError"


def spoiling(monkeypatch: pytest.MonkeyPatch) -> str:
    """Let the folder write other pads."""

    def wrong(model: ModelProto, _: int) -> ModelProto:
        other = ModelProto.FromString(model.SerializeToString())
        del other.graph.node[:]
        pads = np.array([0, 0, 1, 1, 0, 0, 1, 2])
        other.graph.initializer.append(onnx.numpy_helper.from_array(pads, "pads"))
        return other

    monkeypatch.setattr(simplification, "_slim", wrong)
    return "output 'pads' has other values when folded"


@pytest.mark.parametrize("spoil", [without_onnxslim, failing, spoiling])
def test_a_folding_that_cannot_be_trusted_is_left_out_and_said(
    spoil: Callable[[pytest.MonkeyPatch], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model stays as it is, and a note says what to install or what went wrong."""
    says, model = spoil(monkeypatch), padded()
    done = fixed(model, "trt7.0")
    assert says in done.notes[0]
    assert [refusal.node for refusal in done.remaining] == ["pad"]
    assert_equal(model, done.model)
