"""Weights of a few bits are those of MatMulNBits, and stay small in the file."""

import numpy as np
import pytest
from onnx import ModelProto, TensorProto

from fixtures.compatibility.rewrites import packed
from suites.meta.networks import generation_models
from suites.meta.networks.generation_models import PACKED
from suites.meta.networks.rewrite_models import feed, fixed


def assert_equal(before: ModelProto, after: ModelProto) -> None:
    """Hold two models against each other as they are: fused, ONNX Runtime computes INT4 in INT8."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    expected, found = (
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        ).run(None, feed(before, 0))[0]
        for model in (before, after)
    )
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", PACKED)
def test_what_is_written_is_equal_and_taken(name: str) -> None:
    """Of 2, 4 and 8 bits, with and without zero points, of whole and of broken blocks."""
    label, model = PACKED[name]
    done = fixed(model, label)
    assert done.good
    assert {node.domain for node in done.model.graph.node} == {""}
    assert_equal(model, done.model)


@pytest.mark.parametrize(
    ("label", "opset", "kind"),
    [("trt8.6", 17, TensorProto.INT8), ("trt10.16", 21, TensorProto.INT4), ("rtx1.7", 21, TensorProto.INT4)],
)
def test_codes_stay_small(label: str, opset: int, kind: int) -> None:
    """INT4 where the release has it and opset 21 its blocks, else a byte; never a float."""
    done = fixed(generation_models.packed(256, 128, opset=opset), label).model
    assert [one.data_type for one in done.graph.initializer if np.prod(one.dims) >= 6 * 256] == [kind]


@pytest.mark.parametrize(("bits", "codes"), [(2, [3, 2, 1, 0]), (4, [11, 1]), (8, [27])])
def test_the_lowest_bits_come_first(bits: int, codes: list[int]) -> None:
    """Codes of one byte, 0b00011011, in their order."""
    assert packed._codes(np.array([0b00011011], np.uint8), bits).tolist() == codes


def test_a_planted_error_is_seen() -> None:
    """A zero point more gives other numbers."""
    model = generation_models.packed(points="floats")
    done = fixed(model, "trt10.1").model
    (shifts,) = [one for one in done.graph.initializer if one.name.endswith("shifts")]
    shifts.raw_data = (np.frombuffer(shifts.raw_data, np.float32) + 0.1).astype(np.float32).tobytes()
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_equal(model, done)
