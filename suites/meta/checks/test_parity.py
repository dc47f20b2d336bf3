"""The comparison of a case sees one wrong value, labels that differ, and outputs that are not alike."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.parity import Comparison, Outputs, Parity
from fixtures.expectations import Expectations, Row
from fixtures.recording import RecordDraft
from fixtures.verdicts import Hop, StageError
from reference_models import registry

CASE = Case("onnxruntime-parity", "digits", "torchscript", 13)
DIGITS = registry.models()["digits"]
WIDE = Row("row 1", {}, {"rtol": 0.0, "atol": 1.0, "relative_l2": 1.0})


def comparison(row: Row = WIDE, **fields: Any) -> Comparison:
    """A comparison of a case of the digits model under one tolerance."""
    rounded = fields.pop("rounded", lambda: None)
    model = replace(DIGITS, **fields)
    return Comparison(RecordDraft(CASE, {"name": "digits"}), model, Expectations((row,)), rounded)


def outputs(*samples: Any, name: str = "logits") -> Outputs:
    """Outputs of several samples."""
    return [{name: np.asarray(sample, np.float32)} for sample in samples]


def test_one_wrong_value_among_many_is_red() -> None:
    """A single element beyond its allowance fails, however many others are equal: the greatest counts."""
    right, wrong = np.zeros(10_000), np.zeros(10_000)
    right[1], wrong[1], wrong[7] = 1000, 1000, 1.5
    one = comparison()
    one.record(outputs(right), outputs(wrong))
    found = {name: metric.value for name, metric in one.draft.metrics.items()}
    assert (found["worst"], found["max_abs"], found["mismatched"]) == (1.5, 1.5, 1)
    with pytest.raises(StageError, match=r"logits: 1 of 10000 mismatched; worst at \[7\]"):
        one.draft.require_within_limits()


@pytest.mark.parametrize("at", range(3))
def test_one_wrong_sample_is_red(at: int) -> None:
    """The worst sample counts, wherever it stands."""
    right = outputs(*np.ones((3, 4)))
    wrong = outputs(*(np.ones(4) + 3 * (n == at) for n in range(3)))
    assert not comparison().agree(right, wrong)
    assert comparison().distances(right, wrong) == {"logits": 3.0}


def test_the_greatest_distance_of_several_is_kept() -> None:
    """Of samples that all differ the one furthest off counts, not the first."""
    right, wrong = outputs([1], [1], [1]), outputs([1.25], [1.5], [1.125])
    assert comparison().distances(right, wrong) == {"logits": 0.5}


def test_a_label_that_differs_is_red_under_any_tolerance() -> None:
    """A value that must be equal is held so; a row with its very name loosens it."""
    right, wrong = outputs([3, 4]), outputs([3, 5])
    assert comparison().agree(right, wrong)
    exact = comparison(exact=frozenset({"logits"}))
    assert exact.agree(right, right)
    exact.record(right, wrong)
    with pytest.raises(StageError, match=r"logits: 1 of 2 mismatched.*labels must be equal"):
        exact.draft.require_within_limits()
    named = replace(WIDE, texts={"values": "logits"})
    assert comparison(named, exact=frozenset({"logits"})).agree(right, wrong)


def test_a_decoded_label_must_be_equal() -> None:
    """Raw outputs within tolerance whose decoded label differs are red."""

    def decode(raw: Any) -> dict[str, np.ndarray]:
        return {"digit": raw["logits"].argmax(keepdims=True)}

    labelled = comparison(decode=decode, exact=frozenset({"digit"}))
    assert not labelled.agree(outputs([0.1, 0.2]), outputs([0.2, 0.1]))
    assert labelled.agree(outputs([0.1, 0.2]), outputs([0.1, 0.3]))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (outputs([1, 2], name="other"), r"outputs are \['other'\], expected \['logits'\]"),
        (outputs([[1, 2]]), r"logits is float32 \(1, 2\), expected float32 \(2,\)"),
        ([{"logits": np.array([1, 2], np.float16)}], "logits is float16"),
        (outputs([1, 2], [1, 2]), "outputs of 2 samples, expected 1"),
        ([], "outputs of 0 samples, expected 1"),
    ],
    ids=["name", "shape", "type", "more samples", "no samples"],
)
def test_outputs_that_are_not_alike_are_recorded_and_red(wrong: Outputs, named: str) -> None:
    """Recording says nothing; judging names what differs; they never agree, and nothing is decoded."""

    def decode(raw: Any) -> dict[str, np.ndarray]:
        return {"sum": raw["logits"].sum(keepdims=True)}

    one = comparison(decode=decode)
    one.record(outputs([1, 2]), wrong)
    with pytest.raises(StageError, match=named):
        one.draft.require_within_limits()
    assert one.agree(outputs([1, 2]), wrong) is False


def test_samples_of_which_other_values_are_read_are_not_compared() -> None:
    """A value that is decoded of the first sample alone is an error, and not left out."""

    def decode(raw: Any) -> dict[str, np.ndarray]:
        return {"peak": raw["logits"]} if raw["logits"][0] else {}

    samples = outputs([1], [0])
    with pytest.raises(ValueError, match="shorter"):
        comparison(decode=decode).distances(samples, samples)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_outputs_that_are_all_infinite_agree_on_nothing(value: float) -> None:
    """One finite value among them is compared, as beside a mask."""
    one, other = comparison(), comparison()
    one.record(outputs([value, value], [value, value]), outputs([value, value], [value, value]))
    assert one.draft.problem == "logits: all values are NaN or infinite, and nothing is compared"
    other.record(outputs([value, value], [value, 1]), outputs([value, value], [value, 1]))
    assert (other.draft.problem, other.draft.notes) == ("", [])


@pytest.mark.parametrize(
    ("samples", "said"), [(([0, 0], [0, 0]), 1), (([0, 0], [0, 1]), 0), (([2, 2], [3, 3]), 0), (([1],), 0)]
)
def test_outputs_that_are_one_value_say_little(samples: tuple[list[float], ...], said: int) -> None:
    """A network that is dead gives what any other dead one gives: it passes, with a note."""
    one = comparison()
    one.record(outputs(*samples), outputs(*samples))
    assert (one.draft.problem, len(one.draft.notes)) == ("", said)


def test_nothing_compared_is_no_agreement() -> None:
    """No samples on either side are no match."""
    assert not comparison().agree([], [])


def test_a_limit_follows_the_rounding_only_where_a_row_asks() -> None:
    """Rounding is measured for a row with a multiple of it, written down, and narrows the limit."""
    exact, rounded = outputs([1, 1]), outputs([1.001, 1.001])
    asked = Row("row 1", {}, {"rtol": 1.0, "atol": 1.0, "relative_l2": 1.0, "times_fp16": 5.0})
    one = comparison(asked, rounded=lambda: (exact, rounded))
    one.record(exact, outputs([1.02, 1.02]))
    assert one.draft.metrics["logits fp16_rounding"].value == pytest.approx(1e-3, rel=1e-3)
    with pytest.raises(StageError, match=r"5 times the 0\.001 of fp16 rounding"):
        one.draft.require_within_limits()

    def never() -> None:
        raise AssertionError("nobody asked for it")

    comparison(rounded=never).record(exact, rounded)


def test_one_value_of_several_may_follow_the_rounding() -> None:
    """A limit that is a multiple of rounding holds for its value, beside another one without."""
    rows = WIDE, Row("row 2", {}, {"times_fp16": 5.0}, {"values": "narrow"})

    def pair(value: float) -> Outputs:
        return [{name: np.array([value], np.float32) for name in ("wide", "narrow")}]

    one = replace(comparison(), expectations=Expectations(rows), rounded=lambda: (pair(1), pair(1.001)))
    one.record(pair(1), pair(1.02))
    assert [line.partition(":")[0] for line in one.draft.details] == ["narrow"]


def test_whom_to_blame_is_asked_only_of_outputs_that_differ() -> None:
    """Outputs that agree blame nobody; others raise with the hop that was found guilty."""
    asked: list[int] = []

    def blame() -> Hop:
        asked.append(1)
        return "batch"

    Parity(comparison(), blame)(outputs([1]), outputs([1]))
    assert not asked
    with pytest.raises(StageError, match="1 of 1 mismatched") as caught:
        Parity(comparison(), blame)(outputs([1]), outputs([9]))
    assert (caught.value.hop, asked) == ("batch", [1])
