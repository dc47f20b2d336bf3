"""Situations written down from the importers: every release gives the answer of its own parser."""

import pytest

from fixtures.compatibility import inspect, releases
from fixtures.compatibility.answers import ask
from suites.meta.compatibility.test_reported_cases import expected, verdicts
from suites.meta.networks import (
    importer_cases,
    narrow_floats,
    parser_cases,
    reported_situations,
    user_situations,
)
from suites.meta.networks.parser_cases import REFUSED, WRONG

ROOMS = (parser_cases, importer_cases, user_situations, reported_situations, narrow_floats)
CASES = {name: case for room in ROOMS for name, case in room.CASES.items()}
SPEAKING = [name for name, case in CASES.items() if case.rule and {REFUSED, WRONG} & set(case.spans.values())]


@pytest.mark.parametrize("name", CASES)
def test_every_release_answers_as_its_parser(name: str) -> None:
    """Refused, wrong, undocumented or taken, from TensorRT 7.0 to 11.5 and TensorRT-RTX 1.4 to 1.7."""
    case = CASES[name]
    assert verdicts(case.model()) == expected(case.spans)


@pytest.mark.parametrize("name", SPEAKING)
def test_the_rule_that_speaks_is_the_one_meant(name: str) -> None:
    """At least one release names the node by this rule, with a reason and a remedy."""
    case = CASES[name]
    answers = ask(inspect(case.model()), releases(), gpu=True)
    found = [reason for one in answers for reason in one.reasons if f" {case.rule} " in reason.where]
    assert found
    assert all(reason.why and reason.remedy for reason in found)
