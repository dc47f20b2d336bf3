"""What TensorRT-RTX refuses before a rewrite it builds after, for real."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from fixtures.compatibility import inspect
from fixtures.compatibility.rewrites import fix
from fixtures.runtimes.tensorrt import versions
from fixtures.runtimes.tensorrt.client import TensorRT
from fixtures.runtimes.tensorrt.messages import Build
from suites.meta.compatibility.rewrites.test_repairs import HALF, C, mixed
from suites.meta.compatibility.rewrites.test_rewrites import S, quantized, weights
from suites.meta.networks import exact_forms, generation_models, narrow_floats
from suites.meta.networks.rewrite_models import fixed, resize, single, small

F = np.float32
DILATED: dict[str, Any] = {"kernel_shape": [3, 2], "dilations": [2, 3], "pads": [1, 1, 1, 1]}
SYMMETRIC: dict[str, Any] = {"coordinate_transformation_mode": "half_pixel_symmetric", "opset": 19}
INTEGERS = np.arange(12)
OLDER = [row for row in exact_forms.ROWS if row[1] != "rtx1.7" and not inspect(row[2]).dynamic]
"""Rewrites for other releases than the one that builds here, of models that want no profile."""


def bytes_of(operator: str, **attributes: Any) -> ModelProto:
    """Make a model of bytes that are moved and then cast."""
    nodes = [helper.make_node(operator, ["x"], ["m"], name="move", **attributes),
             helper.make_node("Cast", ["m"], ["y"], name="cast", to=TensorProto.FLOAT)]  # fmt: skip
    return small(nodes, shape=(1, 8, 8, 3), kind=TensorProto.UINT8)


MODELS: dict[str, ModelProto] = {
    "dilated MaxPool": single("MaxPool", **DILATED),
    "antialias": resize([1, 1, 0.5, 0.5], mode="linear", antialias=1),
    "not_larger": resize(sizes=[12, 20], axes=[2, 3], keep_aspect_ratio_policy="not_larger"),
    "half_pixel_symmetric": resize([1, 1, 2, 1.6], mode="linear", **SYMMETRIC),
    "uint8 around 128": quantized(np.uint8(128)),
    "uint8 around 77": quantized(np.uint8(77)),
    "int8 around 3": quantized(np.int8(3)),
    "uint8 weights": weights(INTEGERS.astype(np.uint8), np.uint8(5)),
    "int8 weights around 3": weights(INTEGERS.astype(np.int8), np.int8(3), S),
    "mixed Add": mixed("Add", HALF, C, TensorProto.FLOAT),
    "mixed Mul": mixed("Mul", TensorProto.INT32, C.astype(np.int64), TensorProto.INT64),
    "mixed Concat": mixed("Concat", HALF, C, TensorProto.FLOAT, axis=1),
    "mixed Conv": small([helper.make_node("Conv", ["x", "w"], ["y"], name="node")],
                        {"w": np.ones((3, 4, 1, 1), np.float16)}),
    "8000 of the least": exact_forms.greatest(8000, largest=0),
    "bias of INT32": exact_forms.bias(),
    "bytes transposed": bytes_of("Transpose", perm=[0, 3, 1, 2]),
    "slope of the channels": single("PRelu", [np.full(4, 0.1, F)]),
    "CenterCropPad": single("CenterCropPad", [[6, 12]], axes=[2, 3], opset=18),
    "three outputs of LayerNormalization": small(
        [helper.make_node("LayerNormalization", ["x", "s"], ["a", "m", "d"], name="node"),
         helper.make_node("Add", ["a", "m"], ["y"])], {"s": np.ones(8, F)}),
    "sequences of halves": narrow_floats.recurrent("LSTM", "float16", 11, lengths=True),
    **{name: model for name, (_, model) in {**generation_models.GROUPED, **generation_models.PACKED}.items()},
}  # fmt: skip


@pytest.fixture(scope="module")
def rtx() -> Iterator[TensorRT]:
    """The TensorRT-RTX of the running interpreter."""
    interpreter = versions.default_interpreter()
    if interpreter is None:
        pytest.skip("this interpreter has no TensorRT")
    with TensorRT(interpreter, timeout=120) as runtime:
        if runtime.identity.flavour != "tensorrt-rtx":
            pytest.skip(f"{runtime.identity.label} is not TensorRT-RTX, which the models are for")
        yield runtime


def build(rtx: TensorRT, model: ModelProto, path: Path) -> Build:
    """Build a model; Q/DQ is asked for as int8."""
    onnx.save(model, path)
    quantized = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
    return rtx.build(path, precision="int8" if quantized else "fp32")


@pytest.mark.parametrize("case", MODELS)
def test_refused_before_and_built_after(rtx: TensorRT, tmp_path: Path, case: str) -> None:
    """The parser or builder refuses the model as it is, and builds what is written instead."""
    before = build(rtx, MODELS[case], tmp_path / "before.onnx")
    assert not before.ok
    done = fix(MODELS[case], rtx.identity.flavour, rtx.identity.version, gpu=rtx.identity.device is not None)
    assert done.remaining == ()
    assert done.changes
    after = build(rtx, done.model, tmp_path / "after.onnx")
    assert after.ok, after.problem


@pytest.mark.parametrize(
    ("version", "model"),
    [row[1:] for row in OLDER],
    ids=[f"{name} {version}" for name, version, _ in OLDER],
)
def test_what_is_written_for_another_release_is_built(
    rtx: TensorRT, tmp_path: Path, version: str, model: ModelProto
) -> None:
    """The forms for older releases, held by the one that is here: its parser takes a superset of theirs."""
    after = build(rtx, fixed(model, version).model, tmp_path / "after.onnx")
    assert after.ok, after.problem
