"""How far engines of one ONNX model differ among themselves: the floor under every tolerance of engines."""

from collections.abc import Sequence

import pytest

from fixtures.checks.noise import NoiseFloor
from fixtures.pipeline.batches import Samples
from fixtures.runtimes.tensorrt.engine import Engine


@pytest.mark.stage("noise-floor")
def test_rebuilt_engines_agree(
    rebuilt_engines: Sequence[Engine], samples: Samples, assert_noise_below_tolerance: NoiseFloor
) -> None:
    """Three builds of one ONNX model, each run twice, spread less than half of what parity allows."""
    runs = [[engine.run(samples.inputs) for _ in range(2)] for engine in rebuilt_engines]
    assert_noise_below_tolerance(runs)
