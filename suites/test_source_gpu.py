"""The source framework on a GPU: what its own kernels and its own fp16 do to the outputs."""

import pytest

from fixtures.checks.parity import Outputs, Parity
from fixtures.pipeline.batches import Samples


@pytest.mark.stage("source-gpu")
def test_the_gpu_gives_the_source_outputs(
    gpu_outputs: Outputs, samples: Samples, assert_parity: Parity
) -> None:
    """PyTorch gives on the GPU what it gave on the CPU: in fp32, and in fp16 by autocast.

    The bound of fp16 is a multiple of what fp16 rounding alone does to the network, measured on the CPU.
    """
    assert_parity(samples.outputs, gpu_outputs)
