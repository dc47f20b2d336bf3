"""The support table predicts what a real TensorRT refuses, on small models of every form of an operator."""

from collections.abc import Callable, Sequence

import pytest

from fixtures.cases import Case
from fixtures.compatibility.specimens import Specimen, enumerated
from fixtures.compatibility.specimens.strategies import drawn

SETS: dict[str, Callable[[], Sequence[Specimen]]] = {"enumerated": enumerated, "drawn": drawn}


@pytest.mark.stage("prediction")
def test_table_predicts_refusals(case: Case, judge_specimens: Callable[[Sequence[Specimen]], None]) -> None:
    """What the table says of each specimen, the parser and builder do; each difference has a row."""
    judge_specimens(SETS[case.model]())
