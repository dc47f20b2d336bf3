"""GroupQueryAttention and RotaryEmbedding written out give what ONNX Runtime gives."""

import numpy as np
import pytest
from onnx import ModelProto

from suites.meta.networks.generation_models import GROUPED, GROUPS, HEADS, ROTATED, SIZE, grouped
from suites.meta.networks.rewrite_models import assert_equal, fixed

MODELS = {**GROUPED, **ROTATED}
HALF = 2e-3


def outputs(model: ModelProto, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Run a model in ONNX Runtime."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_out_is_equal_and_taken(name: str) -> None:
    """With and without a cache, packed, turned in both ways, in a window, capped, in batches."""
    label, model = MODELS[name]
    if label == "rtx1.7" and name in ROTATED:
        label = "trt10.1"  # TensorRT-RTX takes some of them as they are
    done = fixed(model, label)
    assert done.good
    assert {node.domain for node in done.model.graph.node} == {""}
    assert_equal(model, done.model)


@pytest.mark.parametrize(
    ("new", "lengths", "buffer", "cached"),
    [(1, [3, 1], 0, 3), (1, [3, 1], 10, 3), (2, [4], 10, 3), (4, [3, 2], 0, 0)],
)
def test_sequences_of_different_lengths_are_equal_as_far_as_they_go(
    new: int, lengths: list[int], buffer: int, cached: int
) -> None:
    """Where the cache has room for more, or a sequence is shorter than another, the rest is of no meaning."""
    model = grouped(new, cached, len(lengths), lengths=lengths, buffer=buffer)
    random = np.random.default_rng(0)
    inputs = {
        value.name: random.standard_normal([d.dim_value for d in value.type.tensor_type.shape.dim]).astype(
            np.float32
        )
        for value in model.graph.input
    }
    before, after = outputs(model, inputs), outputs(fixed(model, "trt10.1").model, inputs)
    for batch, last in enumerate(lengths):
        rows = last + 1 if not cached else new
        np.testing.assert_allclose(after[0][batch, :rows], before[0][batch, :rows], rtol=1e-5, atol=1e-5)
        for place in (1, 2):
            kept = after[place][batch, :, : last + 1]
            np.testing.assert_array_equal(kept.shape, (GROUPS, last + 1, SIZE))
            np.testing.assert_allclose(kept, before[place][batch, :, : last + 1], rtol=1e-5, atol=1e-5)


def test_axes_of_no_fixed_length_are_equal() -> None:
    """As exporters leave them: the batch, the new tokens and the cache."""
    model = grouped("new", "past", "batch", lengths=[3, 3])
    random = np.random.default_rng(0)
    shapes = {"q": (2, 1, HEADS * SIZE), "k": (2, 1, GROUPS * SIZE), "v": (2, 1, GROUPS * SIZE),
              "pk": (2, GROUPS, 3, SIZE), "pv": (2, GROUPS, 3, SIZE)}  # fmt: skip
    inputs = {name: random.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    for found, expected in zip(
        outputs(fixed(model, "rtx1.7").model, inputs), outputs(model, inputs), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_halves_are_equal_up_to_their_rounding() -> None:
    """FLOAT16, whose softmax ONNX Runtime computes in FLOAT."""
    model = grouped(2, 3, dtype=np.float16)
    random = np.random.default_rng(0)
    inputs = {
        value.name: random.standard_normal([d.dim_value for d in value.type.tensor_type.shape.dim]).astype(
            np.float16
        )
        for value in model.graph.input
    }
    found, expected = outputs(fixed(model, "trt10.1").model, inputs)[0], outputs(model, inputs)[0]
    assert np.linalg.norm(found - expected) <= HALF * np.linalg.norm(expected)


def test_a_planted_error_is_seen() -> None:
    """A window of one more gives other numbers."""
    done = fixed(grouped(6, 2, local_window_size=4), "trt10.16").model
    with pytest.raises(AssertionError, match="Mismatched elements"):
        assert_equal(grouped(6, 2, local_window_size=3), done)
