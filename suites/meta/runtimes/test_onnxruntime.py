"""ONNX Runtime on the CPU: what a processor's instructions would lose is not lost."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fixtures.runtimes.onnxruntime import UNSATURATED, OnnxRuntime


def product(path: Path, weights: np.ndarray) -> Path:
    """Write a product of bytes with INT8 weights, added up in INT32."""
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])], "product",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [2, len(weights)])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, None)],
        [numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def test_products_of_eight_bits_do_not_saturate(tmp_path: Path) -> None:
    """Two products of 255 and 127 are more than 16 bits hold, in which AVX2 adds them up if it may."""
    weights = np.full((64, 32), 127, np.int8)
    x = np.full((2, 64), 255, np.uint8)
    runtime = OnnxRuntime(product(tmp_path / "m.onnx", weights))
    assert (
        runtime._session.get_session_options().get_session_config_entry(UNSATURATED[0]) == UNSATURATED[1]
    )  # whatever this processor has
    (outputs,) = runtime.run([{"x": x}])
    np.testing.assert_array_equal(outputs["y"], x.astype(np.int32) @ weights.astype(np.int32))
