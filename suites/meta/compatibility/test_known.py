"""Values that are computed from constants and fixed lengths: known, or hanging on what is not fixed."""

import pytest

from fixtures.compatibility.check.inspection import Node, inspect
from fixtures.compatibility.check.known import LONGEST, hangs_on_lengths, known
from suites.meta.networks.user_situations import text

FORM = "(float[{}] x, int64 n, float[3,4] f) => (float[K] y) <{}> {{ {} y = Expand(x, k) }}"
HELD = "int64[1] zero={0}, int64[1] one={1}, int64[1] two={2}, int64[2] pair={2, 5}"


def last(shape: str, chain: str) -> Node:
    """Return the Expand of a model whose chain of nodes makes k; x has the shape."""
    return inspect(text(13, FORM.format(shape, HELD, chain))).nodes["Expand"][0]


@pytest.mark.parametrize(
    ("shape", "chain", "value"),
    [
        ("4,6", "s = Shape(x) g = Gather(s, one) k = Div(g, two)", [3]),
        ("N,6", "s = Shape(x) k = Gather(s, one)", [6]),
        ("N,6", "s = Shape(x) g = Gather(s, zero) k = Min(g, one)", [1]),
        ("4,6", "s = Size(x) k = Reshape(s, one)", [24]),
        ("N,6", "s = Shape(x) a = Gather(s, zero) b = Gather(s, zero) k = Sub(a, b)", [0]),
        ("4,6", "k = Identity(pair)", [2, 5]),
        ("4,6", "s = Shape(x) f1 = Cast<to = 1>(s) h = Floor(f1) k = Cast<to = 7>(h)", [4, 6]),
    ],
)
def test_what_hangs_on_fixed_lengths_is_known(shape: str, chain: str, value: list[int]) -> None:
    """Chains as exporters write them, also where lengths that are not fixed make no difference."""
    node = last(shape, chain)
    found = known(node, 1)
    assert found is not None
    assert found.tolist() == value
    assert not hangs_on_lengths(node, 1)


@pytest.mark.parametrize(
    ("shape", "chain", "hangs"),
    [
        ("N,6", "s = Shape(x) k = Gather(s, zero)", True),
        ("N,6", "s = Shape(x) k = Abs(s)", True),
        ("4,6", "k = Reshape(n, one)", False),
        ("4,6", "a = ArgMax<axis = 1, keepdims = 0>(f) k = Gather(a, one)", False),
        ("4,6", "s = Shape(x) k = BitwiseNot(s)", False),
    ],
)
def test_what_hangs_on_more_is_not_known(shape: str, chain: str, hangs: bool) -> None:
    """Lengths that are not fixed, values of inputs and what is not computed here give no value."""
    node = last(shape, chain)
    assert known(node, 1) is None
    assert hangs_on_lengths(node, 1) is hangs


def test_an_input_that_is_left_out_or_too_far_is_not_known() -> None:
    """A chain of more nodes than are followed says nothing, and an input that is not there neither."""
    steps = [f"t{n + 1} = Add(t{n}, t{n})" for n in range(LONGEST)]
    node = last("4,6", f"t0 = Shape(x) {' '.join(steps)} k = Identity(t{LONGEST})")
    assert known(node, 1) is None
    assert known(node, 2) is None


def test_the_stand_ins_are_told_apart() -> None:
    """Two lengths that are not fixed, and a remainder of one, are no constants."""
    for chain in ("s = Shape(x) k = Mod(s, pair)", "s = Size(x) k = Reshape(s, one)"):
        assert known(last("N,M", chain), 1) is None, chain
    nothing = known(last("N,M", "s = Shape(x) k = Sub(s, s)"), 1)
    assert nothing is not None
    assert not nothing.any()
