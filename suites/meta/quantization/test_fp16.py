"""The typed fp16 form of a graph: valid, typed as said, and refused where fp16 cannot hold it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.quantization import fp16
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.verdicts import StageError


def save(path: Path, largest: float, opset: int = 13) -> Path:
    """Write Conv, then Resize by its scales: what must stay float32 next to what must not."""
    weight = np.linspace(-1, 1, 4 * 3 * 9, dtype=np.float32).reshape(4, 3, 3, 3)
    weight[0, 0, 0, 0] = largest
    scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")
    inputs = ["c", "scales"] if opset == 10 else ["c", "", "scales"]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], name="conv"),
            helper.make_node("Resize", inputs, ["y"], name="up", mode="nearest"),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, 8, 8))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 4, 12, 12))],
        [numpy_helper.from_array(weight, "w"), scales],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("opset", [10, 13, 17])
def test_the_form_is_fp16_inside_and_fp32_outside(tmp_path: Path, opset: int) -> None:
    """Weights are float16, scales of a Resize and graph outputs float32, values within fp16 rounding."""
    source = save(tmp_path / "m.onnx", 1.0, opset)
    fp16.convert(source, tmp_path / "h.onnx")
    half = onnx.load(tmp_path / "h.onnx")
    types = {tensor.name: tensor.data_type for tensor in half.graph.initializer}
    assert types == {"w": TensorProto.FLOAT16, "scales": TensorProto.FLOAT}
    assert half.graph.output[0].type.tensor_type.elem_type == TensorProto.FLOAT
    x = {"x": np.random.default_rng(0).random((1, 3, 8, 8), np.float32)}
    expected, got = (OnnxRuntime(path).run([x])[0]["y"] for path in (source, tmp_path / "h.onnx"))
    error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
    assert 0 < error < 2**-10


def test_estimators_stay_in_fp32(tmp_path: Path) -> None:
    """No operator of ai.onnx.ml, of which scikit-learn exports models, takes fp16; what is around it does."""
    weight = numpy_helper.from_array(np.eye(4, dtype=np.float32) / 3, "w")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["a"]),
            helper.make_node("Scaler", ["a"], ["b"], domain="ai.onnx.ml", offset=[0.5], scale=[2.0]),
            helper.make_node("MatMul", ["b", "w"], ["y"]),
        ],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (2, 4))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (2, 4))],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "m.onnx")
    fp16.convert(tmp_path / "m.onnx", tmp_path / "h.onnx")
    x = np.random.default_rng(0).random((2, 4), np.float32)
    (got,) = OnnxRuntime(tmp_path / "h.onnx").run([{"x": x}])
    expected = (x / 3 - 0.5) * 2 / 3
    assert 0 < np.abs(got["y"] - expected).max() < 2**-10


def test_a_weight_beyond_fp16_is_refused(tmp_path: Path) -> None:
    """A weight of 70,000 would silently become 65,504: the error names the weight."""
    with pytest.raises(StageError, match=r"weight 'w' holds 70000, beyond fp16's 65504") as raised:
        fp16.convert(save(tmp_path / "m.onnx", 7e4), tmp_path / "h.onnx")
    assert raised.value.hop == "fp16"
    assert not (tmp_path / "h.onnx").exists()


def described(graph: onnx.GraphProto) -> None:
    """Write the type of every initializer into value_info, as dynamo of PyTorch 2.13 does."""
    for tensor in graph.initializer:
        graph.value_info.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))


def test_types_of_what_stays_float32_are_those_of_the_conversion(tmp_path: Path) -> None:
    """A value_info of the scales says FLOAT, no Cast is put before them, and values are those without it."""
    bare = save(tmp_path / "m.onnx", 1.0)
    model = onnx.load(bare)
    described(model.graph)
    onnx.save(model, tmp_path / "described.onnx")
    for name in ("m", "described"):
        fp16.convert(tmp_path / f"{name}.onnx", tmp_path / f"{name}.half.onnx")
    plain, half = (onnx.load(tmp_path / f"{name}.half.onnx") for name in ("m", "described"))
    assert [node.op_type for node in half.graph.node] == [node.op_type for node in plain.graph.node]
    x = {"x": np.random.default_rng(0).random((1, 3, 8, 8), np.float32)}
    first, other = (OnnxRuntime(tmp_path / f"{n}.half.onnx").run([x])[0]["y"] for n in ("m", "described"))
    assert np.array_equal(first, other)


OF_FLOAT32 = """<ir_version: 8, opset_import: ["": 17]>
net (float[1,2,4,4] x, bool flag) => (float[1,2,8,8] y, int64[6] n)
<int64 size = {6}, float[4] s = {1, 1, 2, 2}, float[6] window, float[4] s>
{
  window = HannWindow(size)
  n = Cast<to = 7>(window)
  y = If(flag) <
    then_branch = one () => (float[1,2,8,8] a) <float[4] inner = {1, 1, 2, 2}, float[4] inner>
      { a = Resize<mode = "nearest">(x, , inner) },
    else_branch = two () => (float[1,2,8,8] b) { b = Resize<mode = "linear">(x, , s) }
  >
}"""


def test_every_value_info_has_the_type_of_its_tensor(tmp_path: Path) -> None:
    """HannWindow gives float32 alone, a branch has its own weights: neither is said to be fp16."""
    model = onnx.parser.parse_model(OF_FLOAT32)
    assert {"window", "s"} <= {value.name for value in model.graph.value_info}
    onnx.save(model, tmp_path / "m.onnx")
    fp16.convert(tmp_path / "m.onnx", tmp_path / "h.onnx")
    half = onnx.load(tmp_path / "h.onnx")
    types = {value.name: value.type.tensor_type.elem_type for value in half.graph.value_info}
    assert types["window"] == TensorProto.FLOAT
    assert TensorProto.FLOAT16 in types.values()
    feed = {"x": np.random.default_rng(0).random((1, 2, 4, 4), np.float32)}
    for flag in (True, False):
        both = [
            OnnxRuntime(tmp_path / n).run([{**feed, "flag": np.array(flag)}])[0] for n in ("m.onnx", "h.onnx")
        ]
        np.testing.assert_allclose(both[1]["y"], both[0]["y"], rtol=2**-9)
