"""Bytes of an image on their way to the first cast, and what becomes of them in each release."""

import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from suites.meta.networks.rewrite_models import assert_equal, fixed, small

U8, FLOAT = TensorProto.UINT8, TensorProto.FLOAT
TURN = helper.make_node("Transpose", ["x"], ["t"], name="turn", perm=[0, 3, 1, 2])


def image(*nodes: onnx.NodeProto, made: int = FLOAT) -> ModelProto:
    """Make a model of an image of bytes, height and width before channels."""
    return small([TURN, *nodes], opset=14, shape=(1, 8, 8, 3), kind=U8, made=made)


CAST = helper.make_node("Cast", ["t"], ["y"], name="cast", to=FLOAT)
SUM = helper.make_node("Add", ["t", "t"], ["s"], name="sum")


@pytest.mark.parametrize(
    ("version", "operators", "kind"),
    [
        ("trt7.0", ["Transpose", "Cast"], TensorProto.INT32),
        ("trt8.4", ["Transpose", "Cast"], TensorProto.INT32),
        ("trt8.6", ["Cast", "Transpose", "Cast"], U8),
        ("trt10.1", ["Cast", "Transpose", "Cast"], U8),
        ("rtx1.7", ["Cast", "Transpose", "Cast"], U8),
    ],
)
def test_bytes_are_cast_where_the_release_does_not_move_them(
    version: str, operators: list[str], kind: int
) -> None:
    """The input becomes INT32 where it cannot be UINT8, else a cast stands before what moves it."""
    model = image(CAST)
    done = fixed(model, version)
    assert done.good
    assert [node.op_type for node in done.model.graph.node] == operators
    assert done.model.graph.input[0].type.tensor_type.elem_type == kind
    assert_equal(model, done.model)


@pytest.mark.parametrize(
    ("nodes", "made"),
    [
        ([helper.make_node("Identity", ["t"], ["y"], name="end")], U8),
        (
            [helper.make_node("Add", ["t", "t"], ["s"]), helper.make_node("Cast", ["s"], ["y"], to=FLOAT)],
            FLOAT,
        ),
    ],
)
def test_bytes_that_are_an_output_or_overflow_stay(nodes: list[onnx.NodeProto], made: int) -> None:
    """A wider type would be another output, or another sum: the input stays and is refused."""
    done = fixed(image(*nodes, made=made), "trt8.4")
    assert [change for change in done.changes if change.rewrite == "input"] == []
    assert "input of UINT8" in {refusal.operator for refusal in done.remaining}
