"""The comparison of two models trips on what differs, and says where nothing can be compared."""

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto, helper

from fixtures.compatibility.rewrites.equality import Unequal, hold_equal
from suites.meta.networks.rewrite_models import small

F = np.float32
Arguments = tuple[float | str, ...]


def shifted(by: float, operator: str = "Add", shape: tuple[int | str, ...] = (2, 4)) -> ModelProto:
    """Make a model of one node that takes a number."""
    return small([helper.make_node(operator, ["x", "c"], ["y"], name="node")], {"c": F(by)}, shape=shape)


def reshaped(*sizes: int) -> ModelProto:
    """Make a model whose output has the sizes, of an input with a dynamic axis."""
    node = helper.make_node("Reshape", ["x", "s"], ["y"], name="node")
    return small([node], {"s": np.array(sizes)}, shape=("n", 4))


def ended(by: float) -> ModelProto:
    """Make a model that ends in a plugin, behind a number."""
    nodes = [helper.make_node("Add", ["x", "c"], ["a"]), helper.make_node("Own_TRT", ["a"], ["y"])]
    return small(nodes, {"c": F(by)})


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [(shifted, (1.0,), (1.0,)), (ended, (1.0,), (1.0,)), (reshaped, (-1, 2), (-1, 2)),
     (shifted, (np.nan,), (np.nan,))],
)  # fmt: skip
def test_models_that_are_the_same_pass(
    make: Callable[..., ModelProto], first: Arguments, second: Arguments
) -> None:
    """Plugins at the end, dynamic axes and NaN make no difference."""
    hold_equal(make(*first), make(*second), {})


@pytest.mark.parametrize(
    ("make", "first", "second", "says"),
    [
        (shifted, (1.0,), (1.01,), "output 'y' has other values"),
        (shifted, (1.0,), (np.nan,), "output 'y' has other values"),
        (ended, (1.0,), (1.01,), "output 'a' has other values"),
        (reshaped, (-1, 2), (64, 2), r"does not run|was float32 of"),
        (
            reshaped,
            (-1, 2),
            (-1, 4),
            r"output 'y' was float32 of \(64, 2\), folded it is float32 of \(32, 4\)",
        ),
        (shifted, (1.0, "Add"), (1.0, "Mul"), "output 'y' has other values"),
        (shifted, (1.0, "Gather"), (1.0, "Gather"), "ONNX Runtime cannot compare"),
    ],
)
def test_models_that_differ_are_named(
    make: Callable[..., ModelProto], first: Arguments, second: Arguments, says: str
) -> None:
    """A value, a NaN, a shape at another size of a dynamic axis, and what does not run at all."""
    with pytest.raises(Unequal, match=says):
        hold_equal(make(*first), make(*second), {})
