"""What INT8 costs: accuracy on held-out data against a budget."""

from collections.abc import Sequence

import pytest

from fixtures.checks.accuracy import Accuracy, HeldOut
from fixtures.runtimes.base import Tensors
from fixtures.runtimes.tensorrt.engine import Engine


@pytest.mark.stage("int8-accuracy")
def test_int8_keeps_the_accuracy(int8_outputs: Sequence[Tensors], assert_accuracy: Accuracy) -> None:
    """The INT8 model in ONNX Runtime loses no more top-1 accuracy than its budget allows."""
    assert_accuracy(int8_outputs)


@pytest.mark.stage("int8-accuracy", part="engine")
def test_int8_engine_keeps_the_accuracy(engine: Engine, held_out: HeldOut, assert_accuracy: Accuracy) -> None:
    """The INT8 engine loses no more top-1 accuracy than its budget allows."""
    assert_accuracy(engine.run(held_out.inputs))
