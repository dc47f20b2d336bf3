"""A pytest plugin (``-p suites.meta.few_layers``): the stage `exporter-traps` with a handful of specimens."""

from fixtures.exporting import traps
from fixtures.exporting.specimens import Specimen, enumerated
from suites import test_exporters

NAMES = (
    "activation, hardswish", "activation, mish", "pooling, max", "pooling, average, divisor",
    "element, hypot", "pad, constant",
)  # fmt: skip
ALL = enumerated()


def few() -> tuple[Specimen, ...]:
    """Give four that torchscript gives equal or as a trap, one that it refuses, one that it leaves open."""
    return tuple(one for one in ALL if one.name in NAMES)


traps.enumerated = few  # type: ignore[assignment, attr-defined]
test_exporters.drawn_layers = tuple  # type: ignore[assignment, attr-defined]
