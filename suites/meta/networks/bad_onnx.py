"""ONNX files that are wrong in a thousand ways: of a valid one, some bytes or one thing of the graph changed.

The n-th file is the same in every run. Not every change makes a file invalid: onnx.checker says which are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import onnx
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper

from fixtures.compatibility.specimens import enumerated

Change = Callable[[ModelProto, Random], None]
SEEDS = 60
"""Specimens that are changed, spread over all of them."""


@cache
def seeds() -> tuple[bytes, ...]:
    """Return valid models of many operators, and one with weights that are large, as files."""
    specimens = enumerated()
    step = max(1, len(specimens) // SEEDS)
    return (_weighty().SerializeToString(), *(one.model.SerializeToString() for one in specimens[::step]))


def _weighty() -> ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="conv", kernel_shape=[3, 3]),
        helper.make_node("Resize", ["c", "", "s"], ["r"], name="resize", mode="nearest"),
        helper.make_node("Mish", ["r"], ["y"], name="mish"),
    ]
    weights = np.random.default_rng(0).standard_normal((8, 4, 3, 3)).astype(np.float32)
    tensors = [
        numpy_helper.from_array(weights, "w"),
        numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "s"),
    ]
    values = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, c, s, s])
        for n, c, s in (("x", 4, 8), ("y", 8, 12))
    ]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def bad_files(folder: Path, count: int) -> Iterator[Path]:
    """Write so many files, one after the other under one name, and yield the path of each."""
    path = folder / "bad.onnx"
    (folder.parent / "outside.bin").write_bytes(b"\0" * 4096)
    for n in range(count):
        random = Random(n)  # noqa: S311  the same files in every run
        data = seeds()[n // 2 % len(seeds())]
        path.write_bytes(_by_bytes(data, random) if n % 2 else _by_graph(data, random))
        yield path


def _by_bytes(data: bytes, random: Random) -> bytes:
    at, length = random.randrange(len(data)), random.randrange(1, 40)
    return random.choice([
        lambda: data[:at],
        lambda: data[:at] + random.randbytes(1) + data[at + 1 :],
        lambda: data[:at] + random.randbytes(length) + data[at:],
        lambda: data[:at] + data[at + length :],
        lambda: data[:at] + bytes(length) + data[at + length :],
        lambda: data[:at] + data[max(0, at - length) : at] + data[at:],
        lambda: bytes(byte ^ (1 << random.randrange(8)) if random.random() < 0.01 else byte for byte in data),
        lambda: random.randbytes(at),
    ])()  # fmt: skip


def _by_graph(data: bytes, random: Random) -> bytes:
    model = ModelProto.FromString(data)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        random.choice(CHANGES)(model, random)
    return model.SerializeToString()


def _node(model: ModelProto, random: Random) -> onnx.NodeProto:
    return random.choice(list(model.graph.node) or [model.graph.node.add()])


def _tensor(model: ModelProto, random: Random) -> TensorProto:
    return random.choice(list(model.graph.initializer) or [model.graph.initializer.add()])


def _attribute(model: ModelProto, random: Random) -> AttributeProto:
    with_some = [node for node in model.graph.node if node.attribute] or [_node(model, random)]
    node = random.choice(with_some)
    return random.choice(list(node.attribute) or [node.attribute.add()])


def _drop_input(model: ModelProto, random: Random) -> None:
    node = _node(model, random)
    if node.input:
        del node.input[random.randrange(len(node.input))]


def _rename_input(model: ModelProto, random: Random) -> None:
    node = _node(model, random)
    if node.input:
        node.input[random.randrange(len(node.input))] = random.choice(["", "absent", "x\x1b[2J", "y" * 4000])


def _rename_output(model: ModelProto, random: Random) -> None:
    node = _node(model, random)
    if node.output:
        node.output[0] = random.choice(["", "absent", *node.input])


def _more_inputs(model: ModelProto, random: Random) -> None:
    node = _node(model, random)
    node.input.extend([random.choice([*node.input, "absent", ""])] * random.randrange(1, 9))


def _operator(model: ModelProto, random: Random) -> None:
    others = ["", "Plugin_TRT", "Upsample", "If", "Loop", "Resize", "Cast", "Pad", "TopK", "DequantizeLinear",
              "PRelu", "Gather", "Constant", "ConvTranspose", "Einsum", "evil\x1b[31m"]  # fmt: skip
    _node(model, random).op_type = random.choice(others)


def _domain(model: ModelProto, random: Random) -> None:
    _node(model, random).domain = random.choice(["ai.onnx.ml", "com.example", "ai.onnx"])


def _unknown_attribute(model: ModelProto, random: Random) -> None:
    value = random.choice([1, 2.0, "text", [1, 2], b"\xff\xfe"])
    _node(model, random).attribute.append(helper.make_attribute("unknown", value))


def _drop_attribute(model: ModelProto, random: Random) -> None:
    node = _node(model, random)
    if node.attribute:
        del node.attribute[random.randrange(len(node.attribute))]


def _other_attribute(model: ModelProto, random: Random) -> None:
    attribute = _attribute(model, random)
    value = random.choice([0, -7, 99, 2**40, 1.5, "odd", b"\xff\xfe", [], [0], [-1, 99], ["a"], [1.5]])
    if value == []:
        attribute.type = AttributeProto.INTS
        del attribute.ints[:]
        return
    attribute.CopyFrom(helper.make_attribute(attribute.name, value))


def _attribute_type(model: ModelProto, random: Random) -> None:
    _attribute(model, random).type = random.choice(list(AttributeProto.AttributeType.values()))


def _twice(model: ModelProto, random: Random) -> None:
    what = random.choice([model.graph.node, model.graph.initializer, model.graph.input, model.graph.output])
    if what:
        what.append(random.choice(list(what)))


def _shuffle(model: ModelProto, random: Random) -> None:
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in model.graph.node]
    random.shuffle(nodes)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _element_type(model: ModelProto, random: Random) -> None:
    kind = random.choice([0, 1, 2, 6, 7, 8, 9, 10, 11, 16, 22, 99])
    values = [*model.graph.input, *model.graph.output, *model.graph.value_info]
    random.choice(values or [model.graph.input.add()]).type.tensor_type.elem_type = kind


def _shape(model: ModelProto, random: Random) -> None:
    values = [*model.graph.input, *model.graph.output] or [model.graph.input.add()]
    tensor = random.choice(values).type.tensor_type
    tensor.ClearField("shape")
    for size in random.choice([None, [], [0], [-1, 3], [2**40, 2**40], [1] * 12]) or []:
        tensor.shape.dim.add().dim_value = size


def _initializer(model: ModelProto, random: Random) -> None:
    tensor = _tensor(model, random)
    random.choice([
        lambda: tensor.ClearField("raw_data"),
        lambda: setattr(tensor, "raw_data", tensor.raw_data[: len(tensor.raw_data) // 2]),
        lambda: setattr(tensor, "raw_data", tensor.raw_data + b"12345"),
        lambda: setattr(tensor, "data_type", random.choice([0, 1, 6, 7, 8, 9, 11, 16, 17, 22, 99])),
        lambda: tensor.dims.append(random.choice([0, -1, 2, 2**40])),
        lambda: tensor.ClearField("dims"),
        lambda: tensor.float_data.append(1.0),
        lambda: setattr(tensor, "name", random.choice(["", "x", "absent"])),
    ])()  # fmt: skip


def _external(model: ModelProto, random: Random) -> None:
    tensor = _tensor(model, random)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    places = [
        "../outside.bin",
        "/etc/hostname",
        "absent.bin",
        "",
        ".",
        "bad.onnx",
        "a/../../outside.bin",
        "x\0y",
    ]
    rows = {"location": random.choice(places), "offset": random.choice(["0", "-1", "9" * 30, "many"])}
    rows |= random.choice([{}, {"length": "1"}, {"length": "-4"}, {"length": "all"}])
    for key, value in rows.items():
        tensor.external_data.add(key=key, value=value)


def _opset(model: ModelProto, random: Random) -> None:
    if random.random() < 0.2 or not model.opset_import:
        del model.opset_import[:]
    else:
        model.opset_import[0].version = random.choice([-1, 0, 1, 6, 9, 11, 13, 21, 99, 2**40])


def _ir_version(model: ModelProto, random: Random) -> None:
    model.ir_version = random.choice([-1, 0, 1, 3, 99])


def _without(model: ModelProto, random: Random) -> None:
    getattr(model, random.choice(["graph"])).ClearField(
        random.choice(["node", "input", "output", "initializer", "name"])
    )


def _inner_graph(model: ModelProto, random: Random) -> None:
    node = _node(model, random)
    inner = helper.make_graph([onnx.NodeProto()] * random.randrange(3), random.choice(["", "inner"]), [], [])
    node.attribute.append(helper.make_attribute(random.choice(["body", "then_branch", "else_branch"]), inner))


CHANGES: tuple[Change, ...] = (
    _drop_input, _rename_input, _rename_output, _more_inputs, _operator, _domain, _unknown_attribute,
    _drop_attribute, _other_attribute, _attribute_type, _twice, _shuffle, _element_type, _shape, _initializer,
    _external, _opset, _ir_version, _without, _inner_graph,
)  # fmt: skip
