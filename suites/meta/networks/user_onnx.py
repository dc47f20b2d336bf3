"""ONNX files as a user has them: static and free sizes, tokens, plugin nodes, weights beside the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Dims = Sequence[int | str]


def classifier(path: Path, image: Dims = (1, 3, 16, 16), opset: int = 13) -> Path:
    """Write a small network of `image` to `scores`, of any height and width."""
    weight = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "weight"], ["conv"], pads=[1] * 4),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["scores"], axis=1),
    ]
    return _save(path, nodes, {"image": (TensorProto.FLOAT, image)}, [image[0], 4], {"weight": weight}, opset)


def tokens(path: Path, ids: Dims = ("N", "length"), words: int = 50) -> Path:
    """Write a network that looks whole numbers up in a table of so many words, and adds a scalar."""
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["embedded"]),
        helper.make_node("Mul", ["embedded", "rate"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled"], ["scores"], axes=[1], keepdims=0),
    ]
    table = np.random.default_rng(0).standard_normal((words, 8)).astype(np.float32)
    inputs = {"ids": (TensorProto.INT64, ids), "rate": (TensorProto.FLOAT, ())}
    return _save(path, nodes, inputs, [ids[0], 8], {"table": table}, 13)


def plugin(path: Path, domain: str = "") -> Path:
    """Write a network that ends in a plugin of TensorRT, which ONNX Runtime does not know."""
    nodes = [
        helper.make_node("Relu", ["image"], ["relu"]),
        helper.make_node("GridAnchor_TRT", ["relu"], ["scores"], domain=domain),
    ]
    return _save(path, nodes, {"image": (TensorProto.FLOAT, (1, 3, 8, 8))}, [1, 4], {}, 13, domain)


def _save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[int, Dims]],
    scores: Dims,
    weights: dict[str, np.ndarray],
    opset: int,
    domain: str = "",
) -> Path:
    graph = helper.make_graph(
        nodes, path.stem,
        [helper.make_tensor_value_info(name, kind, list(dims)) for name, (kind, dims) in inputs.items()],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, list(scores))],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )  # fmt: skip
    imports = [helper.make_opsetid("", opset), *([helper.make_opsetid(domain, 1)] if domain else [])]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=8), path)
    return path
