"""INT8 accuracy: both figures are recorded, and a drop above the budget is the calibration's fault."""

from typing import Any

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.accuracy import Accuracy
from fixtures.expectations import Expectations, Row
from fixtures.recording import RecordDraft
from fixtures.verdicts import StageError

CASE = Case("int8-accuracy", "digits", "torchscript", 17, precision="int8", route="qdq")
LABELS = np.array([0, 1, 0, 1])
BUDGET = Row("budgets.toml row 1", {}, {"drop": 25.0})


def logits(*classes: int) -> list[dict[str, Any]]:
    """Outputs that say one class for each image, beside a second output that is not looked at."""
    return [{"logits": np.eye(2, dtype=np.float32)[[c]], "other": np.zeros((1, 2))} for c in classes]


def accuracy() -> Accuracy:
    """A check against an fp32 network that is always right."""
    draft = RecordDraft(CASE, {"name": "digits"})
    return Accuracy(draft, Expectations(budgets=(BUDGET,)), LABELS, logits(0, 1, 0, 1))


def test_a_drop_within_the_budget_passes_and_is_recorded() -> None:
    """One image of four is 25 points, which is all that is allowed."""
    one = accuracy()
    one(logits(0, 1, 0, 0))
    found = {name: (metric.value, metric.limit) for name, metric in one.draft.metrics.items()}
    assert found == {"top1_fp32": (100, None), "top1_int8": (75, None), "drop": (25, 25)}


def test_a_drop_above_the_budget_is_the_fault_of_calibration() -> None:
    """The message has the figure and its limit, and both accuracies are there all the same."""
    one = accuracy()
    with pytest.raises(StageError, match="drop is 50 points, the limit is 25") as caught:
        one(logits(0, 1, 1, 0))
    assert caught.value.hop == "calibration"
    assert one.draft.metrics["top1_int8"].value == 50
