"""Whom to blame for outputs that differ: the stage's hop, the precision, or what a simpler case proves."""

from dataclasses import replace

import pytest

from fixtures.cases import Case
from fixtures.checks.blame import GUILTY, guilty, hop_of, simpler_cases
from fixtures.stages import NAMES
from fixtures.verdicts import HOPS, Hop, StageError

CASE = Case("onnxruntime-parity", "digits", "torchscript", 17, batch="8")
PARITY = {name for name in NAMES if name.endswith("-parity")} | {"source-gpu", "pruning", "migration"}


def test_every_stage_that_compares_has_its_hop() -> None:
    """No stage is left out, none is there that does not exist, and each hop is one."""
    assert set(GUILTY) == PARITY
    assert set(GUILTY.values()) <= set(HOPS)


@pytest.mark.parametrize(
    ("stage", "precision", "expected"),
    [
        ("tensorrt-parity", "fp32", "builder"),
        ("tensorrt-parity", "tf32", "tf32"),
        ("migration", "fp32", "builder"),
        ("migration", "int8", "int8"),
        ("source-gpu", "fp32", "source"),
        ("source-gpu", "fp16", "fp16"),
        ("fp16-parity", "fp16", "fp16"),
        ("opset-parity", "fp32", "opset"),
        ("pruning", "fp32", "pruning"),
        ("source-parity", "fp32", "source"),
        ("onnxruntime-parity", "fp32", "source->ONNX"),
    ],
)
def test_the_stage_and_its_precision_say_who_is_guilty(stage: str, precision: str, expected: Hop) -> None:
    """An engine that is not exact is its precision's fault; nothing else is tried for these stages."""
    case = replace(CASE, stage=stage, precision=precision, batch="1", opset=10)
    assert hop_of(case) == expected
    assert guilty(case, lambda _: pytest.fail("nothing is simpler than this")) == expected


@pytest.mark.parametrize(
    ("batch", "opset", "agreeing", "expected"),
    [
        ("8", 17, [("1", 17), ("1", 10)], "batch"),
        ("8", 17, [("1", 10)], "opset"),
        ("8", 17, [], "source->ONNX"),
        ("1", 17, [("1", 10)], "opset"),
        ("1", 17, [], "source->ONNX"),
        ("dynamic", 10, [("1", 10)], "batch"),
        ("1", 10, [], "source->ONNX"),
    ],
)
def test_the_first_simpler_case_that_agrees_is_the_proof(
    batch: str, opset: int, agreeing: list[tuple[str, int]], expected: Hop
) -> None:
    """One sample a batch is tried first, then opset 10; where both differ the converter is guilty."""
    case = replace(CASE, batch=batch, opset=opset)
    assert guilty(case, lambda simpler: (simpler.batch, simpler.opset) in agreeing) == expected


def test_a_simpler_case_that_cannot_be_made_proves_nothing() -> None:
    """An error of the question is not the error of the case: the stage's own hop stays guilty."""

    def agrees(_: Case) -> bool:
        raise StageError("no such model", "source")

    assert guilty(CASE, agrees) == "source->ONNX"


def test_only_onnxruntime_is_tried_with_less() -> None:
    """Other stages compare two forms of the same model, of which none is the simpler."""
    for stage in PARITY - {"onnxruntime-parity"}:
        assert not list(simpler_cases(replace(CASE, stage=stage)))
