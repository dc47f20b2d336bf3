"""Whether a prune pays: the pruned network beside the dense one that it comes from, timed in turn."""

import pytest

from fixtures.checks.latency_ab import Alternation
from fixtures.checks.pruned_latency import Payoff, Timed


@pytest.mark.stage("pruned-latency", part="cpu")
def test_the_prune_pays_in_onnxruntime(in_onnxruntime: Timed, assert_pays: Payoff) -> None:
    """On one thread of the CPU it takes no greater part of the dense network's time than its row allows."""
    assert_pays(in_onnxruntime)


@pytest.mark.stage("pruned-latency", part="engine")
def test_the_prune_pays_in_tensorrt(alternation: Alternation, assert_pays: Payoff) -> None:
    """Nor does its engine, by CUDA graphs where both have them."""
    assert_pays(alternation.measure)
