"""One engine gives one answer: it is run as often as a fault in 1 of 20 runs takes to be seen."""

import pytest

from fixtures.checks.parity import Outputs
from fixtures.checks.repeatability import Repeatability
from fixtures.pipeline.batches import Samples
from fixtures.runtimes.tensorrt.engine import Engine


@pytest.mark.stage("repeatability")
def test_an_engine_repeats_its_answer(
    engine: Engine, samples: Samples, onnxruntime_outputs: Outputs, assert_repeats: Repeatability
) -> None:
    """Every run gives the same answer, within the tolerance of parity, in one context and in two at once."""
    assert_repeats(engine, samples.inputs, onnxruntime_outputs)
