"""What INT8 costs: accuracy on held-out data, outputs and tensors against a budget."""

from collections.abc import Callable

import pytest

from fixtures.checks.accuracy import Accuracy
from fixtures.runtimes.base import Runtime
from fixtures.runtimes.tensorrt.engine import Engine


@pytest.mark.stage("int8-accuracy")
def test_int8_keeps_the_accuracy(
    int8_runtime: Runtime, assert_accuracy_or_search: Callable[[Runtime], None]
) -> None:
    """The INT8 model in ONNX Runtime loses no more than its budget allows."""
    assert_accuracy_or_search(int8_runtime)


@pytest.mark.stage("int8-accuracy", part="engine")
def test_int8_engine_keeps_the_accuracy(engine: Engine, assert_accuracy: Accuracy) -> None:
    """The INT8 engine loses no more than its budget allows."""
    assert_accuracy(engine)
