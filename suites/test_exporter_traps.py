"""PyTorch's own exporters, on small modules of the layers that detectors and classifiers use."""

import pytest

from fixtures.checks.exporter_traps import require_rows
from fixtures.expectations import Expectations
from fixtures.exporters.outcome import Outcome
from fixtures.recording import RecordDraft


@pytest.mark.stage("exporter-traps")
def test_exporter_gives_what_the_module_computes(
    draft: RecordDraft, exports: list[Outcome], expectations: Expectations
) -> None:
    """Each specimen is equal or refused in clear words; every other one has a row that says why."""
    require_rows(draft, exports, expectations)
