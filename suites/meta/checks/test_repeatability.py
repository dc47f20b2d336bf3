"""Repeated runs: how many are enough, what counts as another answer, and what an engine is held against."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.parity import Comparison
from fixtures.checks.repeatability import MISSED, RARELY, RUNS, Repeatability
from fixtures.expectations import Expectations, Row
from fixtures.recording import RecordDraft
from fixtures.runtimes.tensorrt.engine import Engine
from fixtures.verdicts import NotRun, StageError
from reference_models.registry import models

TOLERANCE = Row("row 1", {"stage": "tensorrt-parity"}, {"rtol": 0.0, "atol": 0.5, "relative_l2": 1.0})
RIGHT = {"logits": np.ones((1, 10), np.float32)}
X = {"image": np.zeros((1, 4), np.float32)}


class Playing:
    """An engine whose answers are given; so many contexts as `most` it can have."""

    def __init__(self, answers: Sequence[float], most: int = 2) -> None:
        self.answers, self.most = answers, most

    def repeat(self, sample: object, runs: int, contexts: int = 1) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield the given answers in turn, each run by itself."""
        if contexts > self.most:
            raise NotRun("one context at a time")
        for run in range(runs):
            yield {"logits": np.full((1, 10), self.answers[run % len(self.answers)], np.float32)}, 1


def judged(engine: Playing, batch: str = "1", samples: int = 2) -> RecordDraft:
    """The draft of an engine that was run, of several samples."""
    draft = RecordDraft(
        Case("repeatability", "digits", "torchscript", 17, "rtx1.7", batch=batch), {"name": "d"}
    )
    comparison = Comparison(draft, models()["digits"], Expectations((TOLERANCE,)))
    assert_repeats = Repeatability(draft, comparison, ["logits"])
    try:
        assert_repeats(cast(Engine, engine), [X] * samples, [RIGHT] * samples)
    except StageError as error:
        draft.notes.append(str(error))
    return draft


def test_the_number_of_runs_follows_from_what_must_be_caught() -> None:
    """An engine that is wrong in 1 of 20 runs gets through in at most 1 %, and no run is to spare."""
    right = 1 - 1 / RARELY
    assert right**RUNS <= MISSED < right ** (RUNS - 1)
    assert RUNS >= 50


def test_an_engine_that_is_wrong_by_chance_is_caught() -> None:
    """Of 20,000 engines that draw their wrong runs 99 % are caught, within what chance allows."""
    wrong = np.random.default_rng(0).random((20_000, RUNS)) < 1 / RARELY
    assert wrong.any(axis=1).mean() >= 1 - MISSED - 3 * np.sqrt(MISSED / 20_000)


def test_answers_within_the_tolerance_are_one() -> None:
    """Noise that parity allows is counted and no failure; of single samples the first is run."""
    draft = judged(Playing([1.0, 1.25]))
    metrics = {name: metric.value for name, metric in draft.metrics.items()}
    assert metrics == {"runs": 2 * RUNS, "different_answers": 2 * RUNS, "wrong_runs": 0, "worst": 0.5}
    assert draft.notes == []


def test_each_size_of_a_dynamic_batch_is_run() -> None:
    """All samples of a dynamic batch are, since each is of another size."""
    assert judged(Playing([1.0]), "dynamic", samples=3).metrics["runs"].value == 3 * 2 * RUNS


@pytest.mark.parametrize("answers", [[1.0] * 19 + [3.0], [3.0] + [1.0] * 19])
def test_another_answer_is_counted_and_told(answers: list[float]) -> None:
    """How often, in how many contexts, and how far; also where the very first answer is the wrong one."""
    draft = judged(Playing(answers))
    wrong = sum(answers[run % 20] == 3.0 for run in range(RUNS))
    assert (draft.metrics["wrong_runs"].value, draft.metrics["worst"].value) == (2 * wrong, 4.0)
    assert f"batch 1: {wrong} of 90 runs in one context gave another answer" in draft.notes[0]
    assert "two contexts at once" in draft.notes[0]
    assert "the worst: logits: 10 of 10 mismatched; worst at [0, 0]: 3, expected 1" in draft.notes[0]


def test_an_engine_that_is_always_wrong_repeats_itself() -> None:
    """Parity fails it; here it is held against its first answer, and so is one that is also unsteady."""
    assert judged(Playing([7.0])).metrics["wrong_runs"].value == 0
    assert judged(Playing([7.0] * 9 + [8.0])).metrics["wrong_runs"].value == 2 * RUNS / 10


def test_an_answer_of_no_number_is_wrong() -> None:
    """NaN, as left by an engine that did not write its output, is no answer."""
    assert judged(Playing([1.0, float("nan")])).metrics["wrong_runs"].value == RUNS


def test_a_release_with_one_context_is_noted() -> None:
    """What it cannot have is said in the record of a stage that passes."""
    draft = judged(Playing([1.0], most=1))
    assert draft.notes == ["not run in two contexts at once: one context at a time"]
    assert draft.metrics["runs"].value == RUNS
    with pytest.raises(NotRun):
        Repeatability(draft, Comparison(draft, models()["digits"], Expectations((TOLERANCE,))), ["logits"])(
            cast(Engine, Playing([1.0], most=0)), [X], [RIGHT]
        )
