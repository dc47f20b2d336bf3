"""Sizes for dynamic inputs: what is written, what is refused, and which ones are named as a help."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from onnx.checker import check_model

from fixtures.compatibility.rewrites.hints import sizes_that_help
from fixtures.compatibility.rewrites.shapes import fix_shapes, shown
from suites.meta.networks.rewrite_models import FOLDS, fixed, release, small


def model(*shape: int | str) -> ModelProto:
    """Make a Range up to the width of the input, which only the width itself decides."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "last"], ["w"]),
        helper.make_node("Cast", ["w"], ["f"], to=1),
        helper.make_node("Range", ["zero", "f", "one"], ["r"], name="steps"),
        helper.make_node("Add", ["x", "r"], ["y"]),
    ]
    constants = {"last": np.array(-1), "zero": np.float32(0), "one": np.float32(1)}
    return small(nodes, constants, opset=11, shape=shape)


@pytest.mark.parametrize("name", ["x", ""])
def test_sizes_are_written_at_inputs_alone(name: str) -> None:
    """The name may be left out for a single input; a tensor of which nothing is inferred loses the name."""
    one = model("n", 4, 8, "w")
    one.graph.value_info.append(helper.make_tensor_value_info("r", 1, ["w"]))
    assert list(fix_shapes(one, {name: [2, 4, 8, 16]})) == [("x", "nx4x8xw made 2x4x8x16")]
    assert shown(one.graph.input[0]) == "2x4x8x16"
    assert shown(one.graph.value_info[-1]) == "?"


@pytest.mark.parametrize(("kernel", "expected"), [(1, "1x3x96x128"), (2, "1x3x48x64")])
def test_an_axis_that_is_called_as_another_keeps_its_own_size(kernel: int, expected: str) -> None:
    """An output called h, w as the input, but half as high (`dynamic_axes`), is valid, and stays so."""
    window = [kernel, kernel]
    pool = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=window, strides=window)
    one = small([pool], {}, opset=13, shape=(1, 3, "h", "w"))
    one.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", 1, (1, 3, "h", "w")))
    list(fix_shapes(one, {"x": [1, 3, 96, 128]}))
    check_model(one, full_check=True)
    assert shown(one.graph.output[0]) == expected


def test_an_axis_of_which_nothing_is_inferred_loses_its_name() -> None:
    """How many values are not zero hangs on the values."""
    one = small([helper.make_node("NonZero", ["x"], ["y"])], {}, opset=13, shape=("n", 4))
    one.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.INT64, (2, "n")))
    list(fix_shapes(one, {"x": [5, 4]}))
    check_model(one, full_check=True)
    assert shown(one.graph.output[0]) == "2x?"


@pytest.mark.parametrize(
    ("shape", "name", "sizes", "says"),
    [
        (("n", 4), "z", [1, 4], "--shape z: the model has the inputs x"),
        (("n", 4), "x", [1, 5], "--shape x:1x5: the model has x as nx4"),
        (("n", 4), "x", [1, 4, 4], "--shape x:1x4x4: the model has x as nx4"),
        (("n", "n"), "x", [1, 4], "n would be both 1 and 4"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    shape: tuple[int | str, ...], name: str, sizes: list[int], says: str
) -> None:
    """Another input, another length than is fixed, another number of axes, two sizes of one name."""
    with pytest.raises(ValueError, match=says):
        list(fix_shapes(model(*shape), {name: sizes}))


@FOLDS
@pytest.mark.parametrize(
    ("shape", "version", "says"),
    [
        (("n", 4, 8, "w"), "trt8.2", "1 of 1 go where sizes are fixed: --shape x:1x4x8x640"),
        ((1, 4, 8, 8), "trt8.2", ""),
        (("n", 4, 8, "w"), "trt8.6", ""),
    ],
)
def test_sizes_are_named_where_they_help(shape: tuple[int | str, ...], version: str, says: str) -> None:
    """Where a dynamic axis keeps a node refused; not of a model that is static, or taken."""
    one, row = model(*shape), release(version)
    assert sizes_that_help(one, fixed(one, version), row, gpu=True).startswith(says)
    assert bool(says) == bool(sizes_that_help(one, fixed(one, version), row, gpu=True))


def test_no_sizes_are_named_where_they_do_not_help() -> None:
    """A node that is refused at any size."""
    one = small([helper.make_node("Det", ["x"], ["y"], name="det")], shape=("n", 8, 8))
    assert sizes_that_help(one, fixed(one, "trt8.2"), release("trt8.2"), gpu=True) == ""
