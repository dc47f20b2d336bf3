"""Precision and recall of a prediction of refusals, by what was predicted and what happened."""

import math

from fixtures.metrics.agreement import Agreement


def test_each_pair_is_counted_in_its_place() -> None:
    """Predicted and refused, neither, missed, and predicted in vain: each once more than the one before."""
    pairs = [(True, True)] * 4 + [(False, False)] * 3 + [(False, True)] * 2 + [(True, False)]
    found = Agreement.of(iter(pairs))
    assert found == Agreement(refused=4, taken=3, missed=2, overpredicted=1)
    assert (found.precision, found.recall) == (4 / 5, 4 / 6)


def test_a_share_of_nothing_is_no_number() -> None:
    """Where nothing was predicted there is no precision, where nothing is refused no recall."""
    none = Agreement.of([(False, False)])
    assert math.isnan(none.precision)
    assert math.isnan(none.recall)
    missed = Agreement.of([(False, True), (True, False)])
    assert (missed.precision, missed.recall) == (0, 0)
    assert Agreement(refused=1, taken=0, missed=1, overpredicted=1).precision == 0.5
