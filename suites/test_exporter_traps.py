"""PyTorch's own exporters, on small modules of the layers that detectors and classifiers use."""

from collections.abc import Callable, Sequence

import pytest

from fixtures.cases import Case
from fixtures.exporters.specimens import Specimen
from fixtures.exporters.specimens.strategies import drawn_layers


@pytest.mark.stage("exporter-traps")
def test_exporter_gives_what_the_module_computes(
    case: Case, judge_exports: Callable[[Case, Callable[[], Sequence[Specimen]]], None]
) -> None:
    """Each specimen is equal or refused in clear words; every other one has a row that says why."""
    judge_exports(case, drawn_layers)
