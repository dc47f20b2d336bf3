"""A remedy that is named is one that helps: each is tried on the specimens that it was given for."""

from collections.abc import Iterator
from functools import cache

import pytest
from onnx import ModelProto

from fixtures.compatibility import inspect
from fixtures.compatibility.answers import ask
from fixtures.compatibility.check.cautions import Caution
from fixtures.compatibility.check.refusals import Refusal
from fixtures.compatibility.specimens import Specimen, enumerated
from fixtures.compatibility.tables.releases import Release
from suites.meta.networks.rewrite_models import FOLDS, fixed, release

RELEASES = ("trt7.0", "trt7.2", "trt8.0", "trt8.4", "trt8.6", "trt10.1", "rtx1.5", "rtx1.7")
COMMAND = "the command fix"
"""What a remedy says that the command carries out."""
EACH = 3
"""Specimens that a remedy of an operator is tried on, in each release."""
Said = Refusal | Caution


def answers(model: ModelProto, rows: list[Release]) -> Iterator[tuple[str, Said]]:
    """Yield what each release refuses or warns of."""
    for answer in ask(inspect(model), rows, gpu=True):
        yield from ((answer.release.label, reason) for reason in answer.reasons)


SILENT = "trt8.4"
"""The release that remedies are tried on which do not name the command."""
UNNAMED = {
    "QuantizeLinear": "what it writes computes in floats: no engine of INT8 comes of it",
    "DequantizeLinear": "the same",
    "Conv": "the same: weights are given dequantized, where kernel_shape alone would do",
    "PRelu": "a cast is shorter than what it writes",
    "Resize": "a cast, or the attributes left out, are shorter than what it writes",
    "ConstantOfShape": "it only folds one of a fixed shape",
    "HannWindow": "the same",
    "Softmax": "it has another form of it in a body of a Scan",
    "CenterCropPad": "it has its function body at some opsets only",
    "SoftmaxCrossEntropyLoss": "a loss is no part of a model that is shipped",
}
"""Operators of refusals that the command mends though their remedy does not name it, and why it does not."""


@cache
def named() -> dict[tuple[str, str, str], list[Specimen]]:
    """Return the specimens whose remedy is the command, by release, operator and remedy."""
    found: dict[tuple[str, str, str], list[Specimen]] = {}
    rows = [release(label) for label in RELEASES]
    for specimen in enumerated():
        for label, said in answers(specimen.model, rows):
            if COMMAND in said.remedy and said.node:
                found.setdefault((label, said.operator, said.remedy), []).append(specimen)
    return found


@FOLDS
@pytest.mark.parametrize("label", RELEASES)
def test_the_command_does_what_a_remedy_says_of_it(label: str) -> None:
    """What is written is not refused, or computed wrong, for the same reason any more."""
    tried, stays = 0, []
    for (release_, operator, remedy), specimens in named().items():
        for specimen in specimens[:EACH] if release_ == label else ():
            done, tried = fixed(specimen.model, label), tried + 1
            still: tuple[Said, ...] = (*done.remaining, *done.wrong)
            left = {(one.operator, one.remedy) for one in still}
            stays += [(specimen.name, remedy)] * ((operator, remedy) in left)
    assert stays == []
    assert tried


def test_remedies_of_folding_and_of_rewriting_are_among_those_tried() -> None:
    """The specimens call for each kind of remedy that the command carries out."""
    texts = {remedy for _, _, remedy in named()}
    for kind in ("fold constants:", "fold constants at fixed shapes", "let the command fix write it",
                 "with Gather", "Slice and Concat", "as FLOAT: the command", "or older, as the"):  # fmt: skip
        assert [text for text in texts if kind in text], kind


@FOLDS
def test_what_the_command_mends_is_said_of_it() -> None:
    """A remedy that does not name the command is none that it carries out, but for those with a reason."""
    silent: dict[tuple[str, str], Specimen] = {}
    for specimen in enumerated():
        for _, said in answers(specimen.model, [release(SILENT)]):
            if COMMAND not in said.remedy and said.node:
                silent.setdefault((said.operator, said.remedy), specimen)
    mended = {operator for (operator, _), specimen in silent.items() if fixed(specimen.model, SILENT).good}
    assert mended == set(UNNAMED)
