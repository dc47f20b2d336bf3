"""Operators of Microsoft's domain in exported language models, with numbers that ONNX Runtime computes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

DOMAIN = "com.microsoft"
HEADS, GROUPS, SIZE = 4, 2, 16
PLACES = 32
Value = tuple[str, Sequence[int | str], int]
Held = Mapping[str, np.ndarray | np.generic]


def _model(node: Any, taken: Sequence[Value], made: Sequence[Value], held: Held, opset: int) -> ModelProto:
    before, after = (
        [helper.make_tensor_value_info(n, kind, shape) for n, shape, kind in side] for side in (taken, made)
    )
    weights = [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()]
    graph = helper.make_graph([node], "g", before, after, weights)
    imports = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10 if opset > 20 else 8)


def angles(count: int, dtype: Any = np.float32) -> dict[str, np.ndarray]:
    """Return tables of cosines and sines of 32 positions."""
    turns = np.outer(np.arange(PLACES), 10.0 ** (-np.arange(count) / count))
    return {"cosines": np.cos(turns).astype(dtype), "sines": np.sin(turns).astype(dtype)}


def grouped(
    new: int | str = 4, cached: int | str = 0, batch: int | str = 1, *, packed: bool = False,
    rotary: bool = True, positions: bool = False, bias: bool = False, lengths: Sequence[int] = (),
    buffer: int = 0, opset: int = 17,
    more: Mapping[str, np.ndarray] | None = None, dtype: Any = np.float32, **attributes: Any,
) -> ModelProto:  # fmt: skip
    """Make a GroupQueryAttention of four heads in two groups.

    lengths: keys of each sequence less 1, all of them by default; buffer: the length of a cache that is as
    long after as before. Texts are axes of no fixed length, where lengths must be given.
    """
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    total = buffer or (cached + new if isinstance(cached, int) and isinstance(new, int) else "total")
    wide = (HEADS + 2 * GROUPS if packed else HEADS) * SIZE
    taken: list[Value] = [("q", (batch, new, wide), kind)]
    taken += [(name, (batch, new, GROUPS * SIZE), kind) for name in ("k", "v") if not packed]
    taken += [
        (name, (batch, GROUPS, buffer or cached, SIZE), kind) for name in ("pk", "pv") if buffer or cached
    ]
    taken += [("b", (1, HEADS, new, total), kind)] if bias else []
    whole = max(lengths) + 1 if lengths else int(cached) + int(new)
    counts = lengths or [whole - 1] * int(batch)
    held: dict[str, np.ndarray] = {"s": np.array(counts, np.int32), "t": np.array(whole, np.int32)}
    held |= angles(SIZE // 2, dtype) if rotary else {}
    if positions:
        held["at"] = np.tile(np.arange(int(new)) + int(cached), (int(batch), 1))
    held |= more or {}
    order = ["q", "k", "v", "pk", "pv", "s", "t", "cosines", "sines", "at", "b", *(more or {})]
    given = {name for name, *_ in taken} | held.keys()
    node = helper.make_node(
        "GroupQueryAttention", [name if name in given else "" for name in order], ["y", "c", "d"],
        name="node", domain=DOMAIN, num_heads=HEADS, kv_num_heads=GROUPS, do_rotary=int(rotary), **attributes,
    )  # fmt: skip
    made: list[Value] = [("y", (batch, new, HEADS * SIZE), kind)]
    made += [(name, (batch, GROUPS, total, SIZE), kind) for name in ("c", "d")]
    return _model(node, taken, made, held, opset)


def rotated(
    axes: int = 3,
    count: int = SIZE // 2,
    *,
    each: bool = True,
    opset: int = 17,
    headed: bool = True,
    **attributes: Any,
) -> ModelProto:
    """Make a RotaryEmbedding of two batches of three places. each: a position a place, else of the first."""
    shape = (2, 3, HEADS * SIZE) if axes == 3 else (2, HEADS, 3, SIZE)
    places = np.array([[0, 1, 2], [5, 3, 7]]) if each else np.array([4])
    if count < SIZE // 2:
        attributes |= {"rotary_embedding_dim": 2 * count}
    if headed:
        attributes |= {"num_heads": HEADS}
    node = helper.make_node("RotaryEmbedding", ["x", "at", "cosines", "sines"], ["y"], name="node",
                            domain=DOMAIN, **attributes)  # fmt: skip
    held = {"at": places, **angles(count)}
    return _model(node, [("x", shape, TensorProto.FLOAT)], [("y", shape, TensorProto.FLOAT)], held, opset)


def packed(
    rows: int = 64, block: int = 32, bits: int = 4, points: str = "", *, addend: bool = False,
    opset: int = 17, dtype: Any = np.float32, lead: Sequence[int] = (2, 3), order: bool = False,
    **attributes: Any,
) -> ModelProto:  # fmt: skip
    """Make a MatMulNBits to six columns. points: ``codes``, ``middle``, ``floats``, none where empty."""
    random, blocks, columns = np.random.default_rng(1), -(-rows // block), 6
    width = -(-blocks * bits // 8)
    held = {
        "w": random.integers(0, 256, (columns, blocks, block * bits // 8)).astype(np.uint8),
        "s": (random.random(columns * blocks) * 0.1 + 0.01).astype(dtype),
    }
    zero = {
        "codes": random.integers(0, 256, columns * width).astype(np.uint8),
        "middle": np.full(columns * width, 0x88 if bits == 4 else 128, np.uint8),
        "floats": (random.random((columns, blocks)) * 7).astype(dtype),
    }
    held |= {"z": zero[points]} if points else {}
    held |= {"o": np.arange(blocks * block, dtype=np.int32) // block} if order else {}
    held |= {"a": random.standard_normal(columns).astype(dtype)} if addend else {}
    names = ["x", *(name if name in held else "" for name in "wszoa")]
    node = helper.make_node("MatMulNBits", names, ["y"], name="node", domain=DOMAIN, K=rows, N=columns,
                            bits=bits, block_size=block, **attributes)  # fmt: skip
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return _model(node, [("x", (*lead, rows), kind)], [("y", (*lead, columns), kind)], held, opset)


GROUPED: dict[str, tuple[str, ModelProto]] = {
    "prompt": ("trt8.6", grouped()),
    "prompt and cache": ("trt10.1", grouped(2, 3)),
    "a token": ("rtx1.7", grouped(1, 3)),
    "packed": ("trt8.4", grouped(packed=True)),
    "a token, packed": ("trt11.5", grouped(1, 5, packed=True)),
    "not turned": ("trt7.1", grouped(2, 3, rotary=False, opset=11)),
    "neighbours turned": ("rtx1.4", grouped(2, 3, rotary_interleaved=1)),
    "a window": ("trt10.16", grouped(6, 2, local_window_size=3)),
    "a cap and sums": ("trt10.0", grouped(2, 3, softcap=3.0, bias=True)),
    "positions and a scale": ("rtx1.6", grouped(2, 3, positions=True, scale=0.3)),
    "batches": ("rtx1.7", grouped(1, 3, 2)),
    "opset 21": ("trt10.15", grouped(2, 3, opset=21)),
}
ROTATED: dict[str, tuple[str, ModelProto]] = {
    "three axes": ("trt8.6", rotated()),
    "three axes, by the table": ("trt8.6", rotated(headed=False)),
    "neighbours": ("trt10.16", rotated(interleaved=1)),
    "four axes": ("trt7.2", rotated(4, opset=11, headed=False)),
    "neighbours of four axes": ("trt11.5", rotated(4, headed=False, interleaved=1)),
    "a part of a head": ("trt10.1", rotated(count=4)),
    "neighbours of a part": ("trt10.1", rotated(4, 4, interleaved=1)),
    "from one place on": ("rtx1.7", rotated(each=False)),
}
PACKED: dict[str, tuple[str, ModelProto]] = {
    "no points": ("trt8.6", packed()),
    "points": ("rtx1.7", packed(points="codes")),
    "points in the middle": ("trt10.1", packed(points="middle")),
    "points of floats and an addend": ("trt8.0", packed(points="floats", addend=True)),
    "eight bits": ("trt10.16", packed(bits=8, points="codes")),
    "two bits": ("rtx1.5", packed(block=16, bits=2, points="codes")),
    "a rest of a block": ("trt8.5", packed(40, 16, points="codes", opset=11)),
    "an addend": ("trt11.5", packed(addend=True)),
    "INT4": ("trt10.16", packed(opset=21)),
    "INT4 and points": ("rtx1.7", packed(opset=21, points="codes", addend=True)),
    "opset 21 for 9.3": ("trt9.3", packed(opset=21, points="codes")),
}
KEPT: dict[str, ModelProto] = {
    "a softmax with a sink": grouped(more={"sink": np.zeros(HEADS, np.float32)}),
    "a smooth softmax": grouped(smooth_softmax=1),
    "an embedding of another scale": rotated(scale=2.0),
    "weights in another order": packed(order=True),
}
"""What is not written out."""
