"""A pytest plugin (``-p suites.meta.gates.few_specimens``): a handful of specimens for `prediction`."""

from fixtures.checks import specimen_sets
from fixtures.compatibility.specimens import Specimen, enumerated, strategies

NAMES = ("Unary-opset9", "Unary(operator=Abs)", "Softmax(rank=2)", "Norm(training=1)", "Unary(rank=9)",
         "Unary(operator=Det)")  # fmt: skip


def few() -> tuple[Specimen, ...]:
    """Return the first specimen of each name."""
    return tuple(next(one for one in enumerated() if one.name.startswith(name)) for name in NAMES)


def pytest_configure() -> None:
    """Put them in place of both sets, in a run whose plugin this is; an import alone changes nothing."""
    specimen_sets.enumerated = few  # type: ignore[assignment, attr-defined]
    strategies.drawn = few  # type: ignore[assignment]
