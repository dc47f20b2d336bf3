"""How far engines of one ONNX model differ among themselves: the floor under every tolerance of engines."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.expectations import Expectations
from fixtures.metrics.parity import EXACT, compare
from fixtures.pipeline.batches import Samples
from fixtures.pipeline.pipeline import OnnxModel, Pipeline
from fixtures.recording import RecordDraft
from fixtures.runtimes.base import Tensors
from fixtures.runtimes.tensorrt.client import TensorRT

MARGIN = 2
"""A tolerance below twice the floor would fail by chance."""


@pytest.mark.stage("noise-floor")
def test_rebuilt_engines_agree(
    case: Case,
    pipeline: Pipeline,
    draft: RecordDraft,
    onnx_model: OnnxModel,
    samples: Samples,
    gpu: TensorRT,
    expectations: Expectations,
) -> None:
    """Three builds of one ONNX model, each run twice, spread less than half of what parity allows."""
    draft.hop = "builder"
    with tempfile.TemporaryDirectory() as folder:
        engines = pipeline.engine_build(gpu, onnx_model, case.precision).rebuilds(Path(folder))
        runs = [[run(gpu, engine, case, samples) for _ in range(2)] for engine in engines]
    repeated = max(spread(*pair) for pair in runs)
    rebuilt = max(spread(a[0], b[0]) for a, b in combinations(runs, 2))
    allowed = [
        expectations.tolerance(replace(case, stage="tensorrt-parity"), name).relative_l2
        for name in pipeline.models[case.model].outputs
    ]
    draft.measure("repeated_spread", repeated, "relative L2", limit=min(allowed) / MARGIN)
    draft.measure("rebuilt_spread", rebuilt, "relative L2", limit=min(allowed) / MARGIN)
    draft.hold()


def run(gpu: TensorRT, engine: Path, case: Case, samples: Samples) -> list[dict[str, np.ndarray]]:
    """Outputs of every sample."""
    return [gpu.run(engine, sample, precision=case.precision) for sample in samples.inputs]


def spread(one: Sequence[Tensors], other: Sequence[Tensors]) -> float:
    """Greatest relative L2 of any output of any sample; 0 when all are equal to the last bit."""
    pairs = zip(one, other, strict=True)
    return max(found.relative_l2 for a, b in pairs for found in compare(a, b, lambda _: EXACT))
