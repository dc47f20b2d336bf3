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
