"""What the stage `pruning` records of a network, also of one in which there is nothing to prune."""

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.pruning import record
from fixtures.pipeline.pruned import Pruned
from fixtures.pruning.costs import Cost
from fixtures.recording import RecordDraft
from fixtures.verdicts import NotRun, StageError

OUTPUTS = [{"y": np.ones(3, np.float32)}]


def recorded(reported: Cost, counted: Cost, channels: tuple[int, int] = (8, 6)) -> RecordDraft:
    """Record a network of 10 parameters and 20 multiply-adds, or of none where nothing is reported."""
    draft = RecordDraft(Case("pruning", "net", "", 0), {"name": "net"})
    dense = Cost(10, 20) if reported.parameters else Cost()
    costs = {"dense": dense, "reported": reported, "counted": counted}
    record(draft, Pruned(OUTPUTS, {"fold": OUTPUTS}, costs, channels, {}))
    return draft


def test_what_is_left_is_a_part_of_all() -> None:
    """Channels, parameters and FLOPs, and how far folding is off."""
    metrics = recorded(Cost(5, 4), Cost(5, 4)).metrics
    names = ("channels left", "parameters left", "flops left", "folded relative_l2")
    assert [metrics[name].value for name in names] == [0.75, 0.5, 0.2, 0.0]


@pytest.mark.parametrize("channels", [(0, 0), (8, 8)])
def test_where_nothing_is_removed_nothing_is_proven(channels: tuple[int, int]) -> None:
    """The network itself gives what it gives: the stage has not run, and says why."""
    with pytest.raises(NotRun, match="nothing of it is removed: no layer has BatchNorm whose gammas differ"):
        recorded(Cost(), Cost(), channels)


@pytest.mark.parametrize(("counted", "named"), [(Cost(6, 4), "parameters"), (Cost(5, 5), "flops")])
def test_a_count_that_is_reported_wrong_is_red(counted: Cost, named: str) -> None:
    """One number more in the graph than in the report is outside the limit, which is 0."""
    with pytest.raises(StageError, match=f"{named} reported wrong is"):
        recorded(Cost(5, 4), counted).require_within_limits()
