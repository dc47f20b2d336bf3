"""A model at an older opset means the same, and is left alone where it cannot."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, checker, defs, helper, load

from fixtures.compatibility.check.deviations import schema_of
from fixtures.compatibility.rewrites.meanings import MEANINGS
from suites.meta.gates.child_runs import pipeline
from suites.meta.networks.rewrite_models import assert_equal, feed, fixed, run, single, small

F = np.float32
S, Z = F(0.1), np.int8(0)


def parts(opset: int, sizes: list[int] | None, **attributes: Any) -> ModelProto:
    """Make a Split into two whose halves are multiplied."""
    inputs = ["x", "s"] if sizes else ["x"]
    nodes = [helper.make_node("Split", inputs, ["a", "b"], name="node", axis=1, **attributes),
             helper.make_node("Mul", ["a", "b"], ["y"])]  # fmt: skip
    return small(nodes, {"s": np.array(sizes)} if sizes else {}, opset=opset)


def constant(**value: Any) -> ModelProto:
    """Make a sum with a Constant of any form."""
    nodes = [helper.make_node("Constant", [], ["c"], **value), helper.make_node("Mul", ["x", "c"], ["y"])]
    return small(nodes, opset=13)


def pair(opset: int) -> ModelProto:
    """Make a Q/DQ pair of one scale."""
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"], name="q"),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], name="d")]  # fmt: skip
    return small(nodes, {"s": S, "z": Z}, opset=opset)


def sampled() -> ModelProto:
    """Make a GridSample over a grid that is a constant."""
    grid = np.random.default_rng(0).uniform(-1, 1, (1, 5, 6, 2)).astype(F)
    return single("GridSample", [grid], opset=20, mode="linear")


ROWS: list[tuple[str, ModelProto]] = [
    ("trt7.0", single("Relu", opset=17)),
    ("trt7.0", single("Squeeze", [[0]], opset=13)),
    ("trt7.0", single("Unsqueeze", [[0, 3]], opset=17)),
    ("trt7.0", single("ReduceSum", [[1, 3]], opset=13, keepdims=0)),
    ("trt7.0", single("ReduceMean", [[1]], opset=18)),
    ("trt8.6", single("ReduceMax", [[2]], opset=20)),
    ("trt7.0", parts(17, [2, 2])),
    ("trt7.0", parts(18, None, num_outputs=2)),
    ("trt8.6", parts(19, None, num_outputs=2)),
    ("trt7.0", single("Softmax", opset=13)),
    ("trt7.0", single("Softmax", opset=17, axis=1)),
    ("trt7.0", single("LogSoftmax", opset=13, axis=-2)),
    ("trt7.0", single("Pad", [np.array([0, 0, 1, 2, 0, 0, 2, 1])], opset=21)),
    ("trt7.0", single("Clip", [F(-1), F(2)], opset=13)),
    ("trt7.0", single("Reshape", [[1, -1]], opset=19)),
    ("trt7.0", single("Reshape", [[1, -1]], opset=18, allowzero=1)),
    ("trt7.0", single("Pow", [np.array([2], F)], opset=15)),
    ("trt7.0", constant(value_float=2.5)),
    ("trt7.0", constant(value_floats=[2.5] * 8)),
    ("trt7.0", pair(17)),
    ("trt8.6", pair(21)),
    ("trt8.6", sampled()),
    ("trt8.6", single("AveragePool", opset=19, kernel_shape=[2, 2], dilations=[1, 1])),
    ("trt7.0", single("BatchNormalization", [np.ones(4, F)] * 4, opset=15)),
    ("trt8.6", single("Cast", opset=19, to=TensorProto.FLOAT)),
    ("trt8.0", single("Dropout", [F(0.5)], opset=17)),
    ("trt10.0", single("Upsample", opset=7, scales=[1.0, 1.0, 2.0, 2.0])),
]  # fmt: skip


@pytest.mark.parametrize(("version", "model"), ROWS)
def test_an_older_opset_means_the_same(version: str, model: ModelProto) -> None:
    """The model checks at the version's last opset, has its name there, and gives the same outputs."""
    done = fixed(model, version)
    assert done.remaining == ()
    assert "opset" in {change.rewrite for change in done.changes}
    del done.model.graph.value_info[:]
    assert_equal(model, done.model)
    for node in done.model.graph.node:
        checker.check_node(node, context(done.model))


def context(model: ModelProto) -> checker.C.CheckerContext:
    """Return what onnx checks a node against: the opsets of its model."""
    found = checker.C.CheckerContext()
    found.ir_version = model.ir_version
    found.opset_imports = {entry.domain: entry.version for entry in model.opset_import}
    return found


@pytest.mark.parametrize("converter", ["torchscript", "dynamo"])
def test_a_trained_model_gives_the_same_bits(converter: str, tmp_path: Path) -> None:
    """The digits model of either exporter, at its newest opset here, is equal to the bit for TensorRT 7.0."""
    pytest.importorskip("torch")
    made = pipeline(tmp_path / "artifacts").onnx_model(
        "digits", converter, 18 if converter == "dynamo" else 17
    )
    model = load(made.path)
    done = fixed(model, "trt7.0")
    assert done.remaining == ()
    inputs = feed(model)
    for expected, found in zip(run(model, inputs), run(done.model, inputs), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "model",
    [
        single("Reshape", [[1, 0]], opset=14, allowzero=1),
        single("ReduceSum", [[1]], opset=13, noop_with_empty_axes=1),
        single("Resize", [None, np.array([1, 1, 2, 2], F)], opset=19, shape=(1, 4, "h", "w"),
               coordinate_transformation_mode="half_pixel_symmetric"),
        single("DequantizeLinear", [np.ones(4, F)], opset=13, kind=TensorProto.INT8),
        single("DequantizeLinear", [np.float16(0.1)], opset=19, kind=TensorProto.INT8,
               made=TensorProto.FLOAT16),
        single("Relu", opset=14, kind=TensorProto.INT32, made=TensorProto.INT32),
        single("Cast", opset=13, to=TensorProto.BFLOAT16, made=TensorProto.BFLOAT16),
    ],
)  # fmt: skip
def test_what_has_no_older_form_stays(model: ModelProto) -> None:
    """An attribute, a type or a number of scales that opset 11 lacks leaves the opset as it is."""
    done = fixed(model, "trt7.0")
    node = done.remaining[-1]
    assert (node.node, node.operator) == ("node", model.graph.node[0].op_type)
    assert "has no form of it" in node.why
    assert done.model.opset_import[0].version == model.opset_import[0].version


def test_every_meaning_is_of_operators_that_changed_then() -> None:
    """A row names operators whose schema did change at its opset; no row is for an operator twice."""
    for since, operators, _ in MEANINGS:
        for operator in operators:
            new, old = schema_of(operator, since), schema_of(operator, since - 1)
            assert new is not None or defs.get_schema(operator, since).deprecated
            assert old is None or new is None or new.since_version == since, (operator, since)
