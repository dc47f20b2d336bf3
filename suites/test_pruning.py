"""Network slimming: what a network gives without its least important channels, and what it then costs."""

import pytest

from fixtures.checks.parity import Parity
from fixtures.pipeline.pruned import Pruned


@pytest.mark.stage("pruning")
def test_pruned_network_gives_what_the_masked_one_gives(pruned: Pruned, assert_parity: Parity) -> None:
    """The pruned network gives what the one gives whose removed channels have gamma 0; its costs are true."""
    assert_parity(pruned.masked, pruned.pruned["carrier"])
