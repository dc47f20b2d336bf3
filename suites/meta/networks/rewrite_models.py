"""Models with fixed shapes for tests of the rewrites, and what ONNX Runtime makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, save

from fixtures.compatibility import Release, by_label
from fixtures.compatibility.rewrites import Fixed, fix
from fixtures.runtimes.onnxruntime import OnnxRuntime

SHAPE = (1, 4, 8, 8)
FOLDS = pytest.mark.skipif(
    find_spec("onnxslim") is None, reason="not installed: onnxslim; use dependency group 'convert'"
)
"""Mark of tests that fold constants."""


def small(
    nodes: Sequence[NodeProto],
    constants: Mapping[str, Any] | None = None,
    *,
    opset: int = 17,
    shape: Sequence[int | str] = SHAPE,
    kind: int = TensorProto.FLOAT,
    made: int = TensorProto.FLOAT,
    more: Mapping[str, Sequence[int | str]] | None = None,
) -> ModelProto:
    """Make a model from x to y of the nodes. more: float inputs beside x. made: the type of y."""
    inputs = [helper.make_tensor_value_info("x", kind, shape)]
    inputs += [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, dims) for name, dims in (more or {}).items()
    ]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    output = helper.make_tensor_value_info("y", made, None)
    graph = helper.make_graph(nodes, "g", inputs, [output], tensors)
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=helper.find_min_ir_version_for(imports))


def single(operator: str, constants: Sequence[Any] = (), **rest: Any) -> ModelProto:
    """Make a model of one node named ``node``: constants follow x, None leaves one out."""
    options = {name: rest.pop(name) for name in ("opset", "shape", "kind", "made", "more") if name in rest}
    names = [f"c{n}" if value is not None else "" for n, value in enumerate(constants, 1)]
    node = helper.make_node(operator, ["x", *names], ["y"], name="node", **rest)
    given = {name: value for name, value in zip(names, constants, strict=True) if name}
    return small([node], given, **options)


def resize(
    scales: Sequence[float] = (), sizes: Sequence[int] = (), *, opset: int = 18, **attributes: Any
) -> ModelProto:
    """Make a model of one Resize, by scales or by sizes."""
    given: list[Any] = (
        [None, np.asarray(scales, np.float32)] if scales else [None, None, np.asarray(sizes, np.int64)]
    )
    if opset < 13:
        given[0] = np.zeros(0, np.float32)
        given[1] = np.zeros(0, np.float32) if given[1] is None else given[1]
    return single("Resize", given, opset=opset, **attributes)


def release(label: str) -> Release:
    """Return the release of a label."""
    row = by_label(label)
    assert row is not None
    return row


def fixed(model: ModelProto, label: str) -> Fixed:
    """Rewrite a model for a release."""
    row = release(label)
    return fix(model, row.flavour, row.version)


def feed(model: ModelProto, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw numbers for every input that is no initializer: floats of both signs, integers from 0 to 99."""
    random, given = np.random.default_rng(seed), {tensor.name for tensor in model.graph.initializer}
    drawn = {}
    for value in model.graph.input:
        if value.name in given:
            continue
        dims = [d.dim_value or 2 for d in value.type.tensor_type.shape.dim]
        dtype = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
        floats = dtype.kind == "f"
        numbers = 3 * random.standard_normal(dims) if floats else random.integers(0, 99, dims)
        drawn[value.name] = np.asarray(numbers).astype(dtype)
    return drawn


def run(model: ModelProto, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Run a model in ONNX Runtime."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.onnx"
        save(model, path)
        return list(OnnxRuntime(path).run([inputs])[0].values())


def assert_equal(before: ModelProto, after: ModelProto, seed: int = 0) -> None:
    """Hold the outputs of two models against each other: number, shapes, types, values up to rounding."""
    inputs = feed(before, seed)
    expected = run(before, inputs)
    taken = {value.name: value.type.tensor_type.elem_type for value in after.graph.input}
    given = {
        name: array.astype(helper.tensor_dtype_to_np_dtype(taken[name])) for name, array in inputs.items()
    }
    found = run(after, given)
    assert [(a.shape, a.dtype) for a in found] == [(a.shape, a.dtype) for a in expected]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
