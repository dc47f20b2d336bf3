"""Whether a prune pays: the pruned network beside the dense one that it comes from, timed in turn."""

from collections.abc import Callable

import pytest

from fixtures.checks.latency_ab import Alternation
from fixtures.checks.pruned_latency import time_in_onnxruntime
from fixtures.pipeline.batches import Samples
from fixtures.pipeline.pipeline import OnnxModel
from fixtures.recording import RecordDraft

Timed = Callable[[OnnxModel, OnnxModel], None]


@pytest.mark.stage("pruned-latency", part="cpu")
def test_the_prune_pays_in_onnxruntime(
    draft: RecordDraft, samples: Samples, assert_pays: Callable[[Timed], None]
) -> None:
    """In ONNX Runtime on one thread of the CPU."""
    assert_pays(lambda dense, pruned: time_in_onnxruntime(draft, dense.path, pruned.path, samples.timed))


@pytest.mark.stage("pruned-latency", part="engine")
def test_the_prune_pays_in_tensorrt(
    samples: Samples, alternation: Alternation, assert_pays: Callable[[Timed], None]
) -> None:
    """As engines, by CUDA graphs where both have them."""
    assert_pays(lambda dense, pruned: alternation.measure(dense, pruned, samples.timed))
