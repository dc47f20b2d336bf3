"""A pytest plugin (``-p suites.meta.gates.few_layers``): a handful of specimens for `exporter-traps`."""

from fixtures.checks import exporter_traps
from fixtures.exporters.specimens import Specimen, enumerated, strategies

NAMES = (
    "activation, hardswish", "activation, mish", "pooling, max", "pooling, average, divisor",
    "element, hypot", "pad, constant",
)  # fmt: skip
ALL = enumerated()


def few() -> tuple[Specimen, ...]:
    """Return four that torchscript gives equal or as a trap, one that it refuses, one that it leaves open."""
    return tuple(one for one in ALL if one.name in NAMES)


def pytest_configure() -> None:
    """Put them in place of both sets, in a run whose plugin this is; an import alone changes nothing."""
    exporter_traps.enumerated = few  # type: ignore[assignment, attr-defined]
    strategies.drawn_layers = tuple  # type: ignore[assignment]
