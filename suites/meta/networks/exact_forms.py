"""Small models of one node each that the rewrites by Gather, MatMul, Concat and Cast are for, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from suites.meta.networks.rewrite_models import single, small

F = np.float32
S = F(0.1)


def both(operator: str = "Xor", opset: int = 11, **attributes: Any) -> ModelProto:
    """Make a node of two comparisons."""
    nodes = [helper.make_node("Greater", ["x", "c"], ["a"]), helper.make_node("Less", ["x", "d"], ["b"]),
             helper.make_node(operator, ["a", "b"], ["y"], name="node", **attributes)]  # fmt: skip
    return small(nodes, {"c": F(0), "d": F(1)}, opset=opset, made=TensorProto.BOOL)


def truths(
    operator: str, *constants: Any, opset: int = 13, made: int = TensorProto.BOOL, **rest: Any
) -> ModelProto:
    """Make a model of one node that takes truth values, and constants after them."""
    names = [f"c{n}" for n in range(len(constants))]
    nodes = [helper.make_node("Greater", ["x", "zero"], ["b"]),
             helper.make_node(operator, ["b", *names], ["y"], name="node", **rest)]  # fmt: skip
    return small(nodes, {"zero": F(0), **dict(zip(names, constants, strict=True))}, opset=opset,
                 made=TensorProto.BOOL)  # fmt: skip


def einsum(equation: str, *shapes: Sequence[int | str], opset: int = 12) -> ModelProto:
    """Make a model of one Einsum of inputs of the shapes."""
    names = ["x", *(f"x{n}" for n in range(1, len(shapes)))]
    node = helper.make_node("Einsum", names, ["y"], name="node", equation=equation)
    return small([node], opset=opset, shape=shapes[0], more=dict(zip(names[1:], shapes[1:], strict=True)))


def sampled(mode: str, padding: str = "zeros", corners: int = 0, opset: int = 16) -> ModelProto:
    """Make a model of one GridSample, whose places lie inside and outside of the image."""
    node = helper.make_node("GridSample", ["x", "g"], ["y"], name="node", mode=mode, padding_mode=padding,
                            align_corners=corners)  # fmt: skip
    return small([node], opset=opset, shape=(2, 3, 6, 5), more={"g": (2, 4, 5, 2)})


def assigned(places: np.ndarray, updates: Sequence[int]) -> ModelProto:
    """Make a model of one ScatterND at constant places."""
    node = helper.make_node("ScatterND", ["x", "i", "u"], ["y"], name="node")
    return small([node], {"i": places}, opset=11, shape=(4, 5, 6), more={"u": updates})


def box(*ranges: tuple[int, int]) -> np.ndarray:
    """Return the places of ranges of the first axes, as an exporter writes an assignment to a slice."""
    return np.stack(np.meshgrid(*(np.arange(*one) for one in ranges), indexing="ij"), -1)


def greatest(k: int, largest: int = 1, axis: int = -1, output: str = "y") -> ModelProto:
    """Make a model of one TopK along an axis of 8000; output: of values or of places."""
    outputs, made = (["y", "i"], TensorProto.FLOAT) if output == "y" else (["v", "y"], TensorProto.INT64)
    node = helper.make_node("TopK", ["x", "k"], outputs, name="node", largest=largest, axis=axis)
    return small([node], {"k": np.array([k])}, opset=13, made=made, shape=(2, 8000) if axis else (8000, 2))


def bias() -> ModelProto:
    """Make a model of a convolution whose bias is stored in INT32, as static quantization writes it."""
    nodes = [helper.make_node("DequantizeLinear", ["b", "s"], ["d"], name="d"),
             helper.make_node("Conv", ["x", "w", "d"], ["y"], name="conv")]  # fmt: skip
    return small(nodes, {"b": np.arange(3, dtype=np.int32), "s": S, "w": np.ones((3, 4, 1, 1), F)})


def dequantized() -> ModelProto:
    """Make a model of a convolution whose weights a DequantizeLinear makes."""
    nodes = [helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"], name="d"),
             helper.make_node("Conv", ["x", "d"], ["y"], name="conv", kernel_shape=[1, 1])]  # fmt: skip
    weights = np.arange(-6, 6, dtype=np.int8).reshape(3, 4, 1, 1)
    return small(nodes, {"w": weights, "s": S, "z": np.int8(0)}, opset=10)


def computed_kernel() -> ModelProto:
    """Make a model of a convolution whose weights are computed, and whose kernel_shape is not written."""
    nodes = [
        helper.make_node("Mul", ["w", "m"], ["v"]),
        helper.make_node("Conv", ["x", "v"], ["y"], name="conv"),
    ]
    return small(nodes, {"w": np.ones((3, 4, 2, 2), F)}, more={"m": [1]})


def stored() -> ModelProto:
    """Make a model of a truth value that a Constant holds, and one that is an initializer."""
    held = numpy_helper.from_array(np.array([True]))
    nodes = [helper.make_node("Constant", [], ["c"], name="c", value=held),
             helper.make_node("Greater", ["x", "zero"], ["b"]), helper.make_node("And", ["b", "c"], ["d"]),
             helper.make_node("Or", ["d", "w"], ["y"])]  # fmt: skip
    return small(nodes, {"zero": F(0), "w": np.array([False])}, opset=11, made=TensorProto.BOOL)


def deconvolved(*sizes: int, **attributes: Any) -> ModelProto:
    """Make a model of a transposed convolution to an output of the sizes."""
    weights = np.linspace(-1, 1, 4 * 3 * 9, dtype=F).reshape(4, 3, 3, 3)
    return single("ConvTranspose", [weights], opset=11, strides=[2, 2], output_shape=sizes, **attributes)


def thirds() -> ModelProto:
    """Make a model of a Split of eight into three."""
    node = helper.make_node("Split", ["x"], ["y", "second", "third"], name="node", axis=-1, num_outputs=3)
    return small([node], opset=18)


SAMPLED = [(mode, padding, corners) for mode in ("bilinear", "nearest") for padding in ("zeros", "border")
           for corners in (0, 1)]  # fmt: skip
EQUATIONS: list[Any] = [
    ("trt7.0", "ij,jk->ik", (4, 5), (5, 3)),
    ("trt8.0", "bhid,bhjd->bhij", ("n", 4, "l", 8), ("n", 4, "l", 8)),
    ("trt8.0", "bhwc,hkc->bhwk", (2, 4, 3, 5), (4, 6, 5)),
    ("trt7.2", "bchw,bkc->bkhw", (1, 3, 4, 5), (1, 7, 3)),
    ("trt7.0", "ijk->kj", (3, 4, 5)),
    ("trt7.0", "ij,ij->", (3, 4), (3, 4)),
    ("trt7.0", "j,i", (3,), (4,)),
    ("trt8.4", "...ij,...jk->...ik", (2, 3, 4, 5), (2, 3, 5, 6)),
    ("trt8.6", "ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("trt10.1", "bii->bi", (2, 4, 4)),
    ("trt8.4", "ii", (4, 4)),
]
ROWS: list[tuple[str, str, ModelProto]] = [
    ("top in parts", "trt8.4", greatest(5000)),
    ("top in parts", "trt8.6", greatest(4000, axis=0, output="places")),
    ("top in parts", "rtx1.7", greatest(8000, largest=0, output="places")),
    ("pads of output_shape", "trt8.6", deconvolved(14, 16)),
    ("pads of output_shape", "trt7.0", deconvolved(15, 15)),
    ("pads of output_shape", "trt10.1", deconvolved(14, 13, auto_pad="SAME_UPPER")),
    ("sliced axes", "rtx1.7", single("Slice", [np.array([1]), np.array([3])], opset=13)),
    ("sliced axes", "trt8.6",
     single("Slice", [np.array([0, 1]), np.array([1, 4]), None, np.array([1, 2])], opset=13)),
    ("triangle of matrices", "trt8.6.0", single("Trilu", opset=14)),
    ("triangle of matrices", "trt8.5", single("Trilu", [np.array(1)], opset=14, upper=0)),
    ("triangle of matrices", "trt8.5", single("Trilu", opset=14, shape=("n", 4, 8, 8))),
    ("split sizes", "trt9.3", thirds()),
    ("opset", "trt8.6", thirds()),
    ("mode left out", "trt10.1", sampled("linear", opset=20)),
    ("mode left out", "rtx1.5", sampled("linear", opset=20)),
    ("opset", "trt10.1", sampled("cubic", opset=20)),
    ("opset", "rtx1.5", sampled("cubic", "border", opset=20)),
    *(("sampling by Gather", version, sampled(*how)) for how in SAMPLED for version in ("trt7.0", "trt8.4")),
    ("round by Floor", "trt8.0", single("Round", opset=11)),
    ("assignment by pieces", "trt8.0", assigned(box((0, 4), (1, 3)), (4, 2, 6))),
    ("assignment by pieces", "trt7.0", assigned(box((1, 3), (1, 5), (2, 4)), (2, 4, 2))),
    ("assignment by pieces", "trt8.0", assigned(box((0, 4)), (4, 5, 6))),
    ("assignment by pieces", "trt7.2", assigned(np.array([[3, 0], [-1, 4], [0, 0]]), (3, 6))),
    ("product of floats", "trt7.2", dequantized()),
    ("kernel written", "trt8.6", computed_kernel()),
    ("squeezed axes", "trt7.2", single("Squeeze", opset=11, shape=(1, 4, 1, 8))),
    ("added zero", "trt7.0", single("Gemm", [np.ones((8, 5), F)], opset=11, shape=(4, 8))),
    ("weights as floats", "trt8.4", bias()),
    ("weights as floats", "rtx1.7", bias()),
    ("truth constant as INT32", "trt7.0", stored()),
    *(("truth values as INT32", version, model) for version, model in [
        ("trt8.4", both("Equal", 13)),
        ("trt7.0", both("Concat", 11, axis=1)),
        ("trt7.0", truths("Expand", np.array([2, 4, 8, 8]), opset=11)),
        ("trt7.2", truths("Slice", np.array([1]), np.array([3]), np.array([1]), opset=11)),
        ("trt7.0", truths("Split", opset=11)),
        ("trt8.4", truths("Gather", np.array([0, 2]), axis=1)),
        ("trt8.0", truths("Tile", np.array([1, 2, 1, 1]))),
        ("trt8.4", truths("ReduceMax", np.array([1]), opset=20)),
    ]),
    *(("products", version, einsum(equation, *shapes)) for version, equation, *shapes in EQUATIONS),
]  # fmt: skip
"""Rewrite, release, a model that it is for."""
