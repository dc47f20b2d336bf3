"""A pytest plugin (``-p suites.meta.gates.few_specimens``): a handful of specimens for `prediction`."""

from functools import cache

from fixtures.checks import specimen_sets
from fixtures.compatibility.specimens import FAMILIES, Specimen, strategies

NAMES = ("Unary-opset9", "Unary(operator=Abs)", "Softmax(rank=2)", "Norm(training=1)", "Unary(rank=9)",
         "Unary(operator=Det)")  # fmt: skip


@cache
def few() -> tuple[Specimen, ...]:
    """Return the first specimen of each name. To enumerate the other families would take a second."""
    found = []
    for name in NAMES:
        (family,) = [family for family in FAMILIES if name.startswith((f"{family.name}-", f"{family.name}("))]
        found.append(next(one for one in family.enumerate() if one.name.startswith(name)))
    return tuple(found)


def pytest_configure() -> None:
    """Put them in place of both sets, in a run whose plugin this is; an import alone changes nothing."""
    specimen_sets.enumerated = few  # type: ignore[attr-defined]
    strategies.drawn = few
