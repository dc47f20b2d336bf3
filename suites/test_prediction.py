"""The support table predicts what a real TensorRT refuses, on small models of every form of an operator."""

import pytest

from fixtures.checks.prediction import Finding, require_agreement
from fixtures.expectations import Expectations
from fixtures.recording import RecordDraft


@pytest.mark.stage("prediction")
def test_table_predicts_refusals(
    draft: RecordDraft, findings: list[Finding], expectations: Expectations
) -> None:
    """What the table says of each specimen, the parser and builder do; each difference has a row."""
    require_agreement(draft, findings, expectations)
