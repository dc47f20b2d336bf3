"""A small float32 network with all that placement has rules for: a residual Add, a pooling, a Concat."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = (1, 3, 8, 8)


def residual(opset: int = 13) -> onnx.ModelProto:
    """Return Conv-Relu, a residual block, MaxPool, Concat of two branches, Conv and Gemm."""
    random = np.random.default_rng(0)

    def weights(name: str, *shape: int) -> TensorProto:
        scale = 1 / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array((scale * random.standard_normal(shape)).astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["image", "w0"], ["c0"], "conv0", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c0"], ["r0"], "relu0"),
        helper.make_node("Conv", ["r0", "w1"], ["c1"], "conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c1", "r0"], ["sum"], "add"),
        helper.make_node("MaxPool", ["sum"], ["pooled"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["pooled", "w2"], ["left"], "conv2"),
        helper.make_node("Concat", ["left", "pooled"], ["both"], "concat", axis=1),
        helper.make_node("Conv", ["both", "w3"], ["c3"], "conv3"),
        helper.make_node("Flatten", ["c3"], ["flat"], "flatten"),
        helper.make_node("Gemm", ["flat", "w4"], ["scores"], "gemm", transB=1),
    ]
    graph = helper.make_graph(
        nodes, "residual",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, SHAPE)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, (1, 5))],
        [weights("w0", 4, 3, 3, 3), weights("w1", 4, 4, 3, 3), weights("w2", 2, 4, 1, 1),
         weights("w3", 2, 6, 1, 1), weights("w4", 5, 32)],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, opset: int = 13) -> Path:
    """Write the network."""
    path = folder / "residual.onnx"
    onnx.save(residual(opset), path)
    return path


def images(count: int, seed: int = 1) -> list[dict[str, np.ndarray]]:
    """Return seeded inputs."""
    random = np.random.default_rng(seed)
    return [{"image": random.standard_normal(SHAPE).astype(np.float32)} for _ in range(count)]
