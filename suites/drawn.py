"""Specimens drawn by hypothesis: any combination of the values that the families have."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from fixtures.support.specimens import FAMILIES, Family, Specimen

SEED, COUNT = 20260, 400
"""What is drawn by the stage `prediction`, and how many at most: equal ones count once."""


@st.composite
def specimens(draw: st.DrawFn, families: tuple[Family, ...] = FAMILIES) -> Specimen:
    """Draw a family, an opset and one value of each axis; combinations that are no valid ONNX are refused."""
    family = draw(st.sampled_from(families))
    opset = draw(st.integers(family.since, family.until))
    values = {axis: draw(st.sampled_from(list(values))) for axis, values in family.axes.items()}
    found = family.specimen(values, opset)
    assume(found is not None)
    assert found is not None
    return found


@cache
def drawn(number: int = SEED, count: int = COUNT) -> tuple[Specimen, ...]:
    """Draw specimens, the same ones for the same number and the same release of hypothesis."""
    found: dict[bytes, Specimen] = {}

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(specimens())
    def collect(one: Specimen) -> None:
        found.setdefault(one.data, one)

    collect()
    return tuple(found.values())
