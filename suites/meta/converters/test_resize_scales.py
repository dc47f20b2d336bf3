"""A Resize whose sizes hold the batch takes any batch by scales; one that has none is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from fixtures.converters.dynamic_batch import with_dynamic_batch
from fixtures.converters.errors import ConversionError
from fixtures.runtimes.onnxruntime import OnnxRuntime


def resized(
    height: int,
    *,
    mode: str = "linear",
    policy: str = "",
    shared: bool = False,
    columns: int = 14,
    grows: bool = False,
) -> Callable[[int], onnx.ModelProto]:
    """Return a conversion: a Resize of (N, 2, 5, 7) to a height and columns, by sizes."""

    def convert(size: int) -> onnx.ModelProto:
        sizes = np.array([size, 2, height, columns + size * grows], np.int64)
        options = {"keep_aspect_ratio_policy": policy} if policy else {}
        nodes = [helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], "up", mode=mode, **options)]
        nodes += [helper.make_node("Shape", ["sizes"], ["s"], "reader")] if shared else []
        graph = helper.make_graph(
            nodes,
            "net",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, (size, 2, 5, 7))],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, sizes.tolist())],
            [numpy_helper.from_array(sizes, "sizes")],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)

    return convert


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("height", [5, 10, 15, 3, 1])
def test_sizes_become_scales(mode: str, height: int, tmp_path: Path) -> None:
    """At every batch the outputs are those of the static model, bit for bit."""
    convert = resized(height, mode=mode)
    onnx.save(with_dynamic_batch(convert), tmp_path / "dynamic.onnx")
    onnx.checker.check_model(tmp_path / "dynamic.onnx", full_check=True)
    for batch in (1, 4):
        onnx.save(convert(batch), tmp_path / "static.onnx")
        x = np.random.default_rng(batch).random((batch, 2, 5, 7), np.float32)
        got, expected = (
            OnnxRuntime(tmp_path / f"{name}.onnx").run([{"x": x}])[0]["y"] for name in ("dynamic", "static")
        )
        assert np.array_equal(got, expected)


@pytest.mark.parametrize(
    ("convert", "said"),
    [
        (resized(10, policy="not_larger"), "initializer 'sizes' depends on it"),
        (resized(10, shared=True), "initializer 'sizes' depends on it"),
        (resized(9), "node 'up' depends on it: no scales give its sizes"),
        (resized(10, grows=True), "initializer 'sizes' depends on it"),
    ],
)
def test_other_sizes_are_refused(convert: Callable[[int], onnx.ModelProto], said: str) -> None:
    """Bounds, a second reader, a size that float32 scales miss (5 * float32(1.8) < 9), a growing axis."""
    with pytest.raises(ConversionError, match=said):
        with_dynamic_batch(convert)
