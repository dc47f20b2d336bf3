"""The source framework on a GPU: what its own kernels and its own fp16 do to the outputs."""

import pytest

from fixtures.cases import Case
from fixtures.checks.parity import Comparison
from fixtures.pipeline.batches import Samples
from fixtures.pipeline.pipeline import Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes import torch_runtime


@pytest.mark.stage("source-gpu")
def test_the_gpu_gives_the_source_outputs(
    case: Case,
    pipeline: Pipeline,
    draft: RecordDraft,
    source_gpu: str,
    samples: Samples,
    comparison: Comparison,
) -> None:
    """PyTorch gives on the GPU what it gave on the CPU: in fp32, and in fp16 by autocast.

    The bound of fp16 is a multiple of what fp16 rounding alone does to the network, measured on the CPU.
    """
    draft.hop = "source" if case.precision == "fp32" else "fp16"
    draft.model |= {name: samples.about[name] for name in ("weights", "digest", "note")}
    module, names = pipeline.source_module(case.model), pipeline.models[case.model].outputs
    outputs = torch_runtime.run(module, samples.inputs, names, source_gpu, case.precision)
    rounding = None
    if case.precision == "fp16":
        exact, rounded = (
            run(module, samples.inputs, names) for run in (torch_runtime.run, torch_runtime.run_rounded)
        )
        rounding = comparison.rounding(exact, rounded)
        for name, value in rounding.items():
            draft.measure(f"{name} fp16_rounding", value)
    comparison.hold(samples.outputs, outputs, rounding=rounding)
