"""What ONNX does not allow is repaired as its exporter meant it, and inputs get types that a version has."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility import inspect
from fixtures.compatibility.rewrites import forms, pooling
from fixtures.compatibility.rewrites.graphs import Fresh, makers, types
from fixtures.compatibility.rewrites.site import Site
from suites.meta.networks.rewrite_models import assert_equal, feed, fixed, run, single, small

F = np.float32
HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def mixed(operator: str, narrow: int, constant: np.ndarray, made: int, **attributes: Any) -> ModelProto:
    """Make a model whose last node takes x in another type than its constant."""
    nodes = [helper.make_node("Cast", ["x"], ["n"], to=narrow),
             helper.make_node(operator, ["n", "c"], ["y"], name="node", **attributes)]  # fmt: skip
    return small(nodes, {"c": constant}, made=made)


C = (np.arange(256).reshape(1, 4, 8, 8) % 7).astype(F)


@pytest.mark.parametrize(
    ("model", "what", "expected"),
    [
        (mixed("Add", HALF, C, FLOAT), "'n' cast from FLOAT16 to FLOAT", lambda x: x.astype(np.float16) + C),
        (mixed("Mul", TensorProto.INT32, C.astype(np.int64), TensorProto.INT64),
         "'n' cast from INT32 to INT64", lambda x: x.astype(np.int32) * C.astype(np.int64)),
        (mixed("Div", FLOAT, (C + 1).astype(np.float16), FLOAT), "'c' cast from FLOAT16 to FLOAT",
         lambda x: x / (C + 1)),
        (mixed("Concat", HALF, C, FLOAT, axis=1), "'n' cast from FLOAT16 to FLOAT",
         lambda x: np.concatenate([x.astype(np.float16), C], 1)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["trt8.6", "rtx1.7"])
def test_mixed_types_are_promoted(model: ModelProto, what: str, expected: object, version: str) -> None:
    """The narrower input is cast, the change says from what to what, and the numbers are NumPy's."""
    done = fixed(model, version)
    assert [(change.node, change.rewrite) for change in done.changes] == [("node", "repair")]
    assert what in done.changes[0].what
    inputs = feed(model)
    assert callable(expected)
    (found,) = run(done.model, inputs)
    wanted = expected(inputs["x"])
    assert found.dtype == wanted.dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


@pytest.mark.parametrize("version", ["trt8.6", "rtx1.7"])
def test_what_is_said_to_be_narrower_is_cast_back(version: str) -> None:
    """A node that takes FLOAT beside FLOAT16, and is said to make FLOAT16, computes in FLOAT."""
    scale = np.linspace(-1, 1, 8, dtype=F)
    nodes = [helper.make_node("Cast", ["x"], ["n"], to=HALF),
             helper.make_node("LayerNormalization", ["n", "c"], ["y"], name="node")]  # fmt: skip
    model = small(nodes, {"c": scale}, opset=17, made=HALF)
    done = fixed(model, version)
    assert [change.what for change in done.changes] == [
        "input 'n' cast from FLOAT16 to FLOAT", "output 'y' cast from FLOAT to FLOAT16"]  # fmt: skip
    inputs = feed(model)
    (found,) = run(done.model, inputs)
    x = inputs["x"].astype(np.float16).astype(F)
    wanted = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * scale
    assert found.dtype == np.float16
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


def test_types_that_differ_by_right_are_left_alone() -> None:
    """The index of Gather, the condition of Where and the shape of Reshape have types of their own."""
    model = single("Gather", [[1, 0]], axis=1)
    assert fixed(model, "rtx1.7").changes == ()


def test_a_slope_that_meets_the_wrong_axis_is_moved_to_the_channels() -> None:
    """A slope for each channel gets the shape (C, 1, 1), and scales the channels."""
    slope = np.array([0.1, 0.2, 0.3, 0.4], F)
    model = single("PRelu", [slope])
    done = fixed(model, "rtx1.7")
    assert [change.what for change in done.changes] == ["slope of shape (4,) given as (4, 1, 1)"]
    x = feed(model)["x"]
    np.testing.assert_array_equal(run(done.model, {"x": x})[0], np.where(x < 0, x * slope[:, None, None], x))


@pytest.mark.parametrize("slope", [np.full(8, 0.1, F), np.full(1, 0.1, F), np.full((4, 1, 1), 0.1, F)])
def test_a_slope_that_broadcasts_is_left_alone(slope: np.ndarray) -> None:
    """What ONNX allows is not touched."""
    assert fixed(single("PRelu", [slope]), "rtx1.7").changes == ()


def site(model: ModelProto) -> Site:
    """The place of a model's one node."""
    node = next(iter(inspect(model).nodes.values()))[0]
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    return Site(node, node.opset, types(model), weights, makers(model), Fresh(model))


@pytest.mark.parametrize(
    ("apply", "model"),
    [
        (forms.slope_of_full_rank, single("PRelu", [np.linspace(-1, 1, 8, dtype=F)])),
        (forms.slope_without_prelu, single("PRelu", [np.linspace(-1, 1, 4, dtype=F).reshape(4, 1, 1)])),
        (pooling.without_unit_dilations, single("MaxPool", kernel_shape=[2, 2], dilations=[1, 1])),
    ],
)
def test_rewrites_that_no_table_calls_for_yet_are_equal(apply: object, model: ModelProto) -> None:
    """Applied by hand, each gives the same outputs."""
    place = site(model)
    assert callable(apply)
    assert apply(place)
    after = ModelProto.FromString(model.SerializeToString())
    del after.graph.node[:]
    after.graph.node.extend(place.nodes)
    after.graph.initializer.extend(place.constants)
    assert_equal(model, after)


def cast_of(kind: int, *, through: bool = False) -> ModelProto:
    """Make a model that casts its input to float, behind a Reshape or not."""
    nodes = [helper.make_node("Cast", ["r" if through else "x"], ["y"], name="cast", to=FLOAT)]
    if through:
        nodes.insert(0, helper.make_node("Reshape", ["x", "s"], ["r"], name="flat"))
    return small(nodes, {"s": np.array([-1])} if through else {}, opset=11, kind=kind)


@pytest.mark.parametrize(
    ("kind", "through", "version", "changed"),
    [
        (TensorProto.UINT8, False, "trt7.0", True),
        (TensorProto.UINT8, False, "trt8.6", False),
        (TensorProto.UINT8, True, "trt7.0", True),
        (TensorProto.INT64, False, "trt8.6", True),
        (TensorProto.INT64, True, "trt7.0", True),
        (TensorProto.INT64, True, "trt10.0", False),
        (TensorProto.INT64, False, "rtx1.7", False),
        (FLOAT, False, "trt7.0", False),
    ],
)
def test_inputs_get_a_type_that_the_version_has(
    kind: int, through: bool, version: str, changed: bool
) -> None:
    """INT32 takes the place of UINT8 and INT64 where nothing is lost, and the change tells the caller."""
    model = cast_of(kind, through=through)
    done = fixed(model, version)
    assert [change.rewrite for change in done.changes] == ["input"] * changed
    assert all("the caller must give int32" in change.what for change in done.changes)
    assert done.model.graph.input[0].type.tensor_type.elem_type == (TensorProto.INT32 if changed else kind)
    assert_equal(model, done.model)
