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


class Apart(Playing):
    """An engine that is wrong once, in one of the contexts of the batch of one size."""

    def __init__(self, size: int, contexts: int) -> None:
        super().__init__([1.0])
        self.size, self.contexts = size, contexts

    def repeat(self, sample: Any, runs: int, contexts: int = 1) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield the right answer, and at the end the wrong one."""
        (batch,) = sample.values()
        wrong = (len(batch), contexts) == (self.size, self.contexts)
        yield {"logits": np.ones((1, 10), np.float32)}, runs - wrong
        if wrong:
            yield {"logits": np.full((1, 10), 3.0, np.float32)}, 1


@pytest.mark.parametrize("size", [1, 3, 8])
@pytest.mark.parametrize("contexts", [1, 2])
def test_one_wrong_run_of_one_size_is_enough(size: int, contexts: int) -> None:
    """It is told with its size, once, and the others are not."""
    draft = RecordDraft(Case("repeatability", "digits", "torchscript", 17, batch="dynamic"), {"name": "d"})
    comparison = Comparison(draft, models()["digits"], Expectations((TOLERANCE,)))
    sizes = [{"image": np.zeros((n, 4), np.float32)} for n in (1, 3, 8)]
    with pytest.raises(StageError) as caught:
        Repeatability(draft, comparison, ["logits"])(cast(Engine, Apart(size, contexts)), sizes, [RIGHT] * 3)
    counts = ["1 of 90 runs in one context", "0 of 90 runs in two contexts at once"]
    counts = (
        counts if contexts == 1 else ["0 of 90 runs in one context", "1 of 90 runs in two contexts at once"]
    )
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert all(f"batch {size}: {count} gave another answer" in lines[0] for count in counts)
    metrics = {name: metric.value for name, metric in draft.metrics.items()}
    assert metrics == {"runs": 540, "different_answers": 3, "wrong_runs": 1, "worst": 4.0}


def test_samples_and_references_belong_together() -> None:
    """A sample without what it must give is a fault of the suite, and not run in silence."""
    draft = RecordDraft(Case("repeatability", "digits", "torchscript", 17, batch="dynamic"), {"name": "d"})
    comparison = Comparison(draft, models()["digits"], Expectations((TOLERANCE,)))
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        Repeatability(draft, comparison, ["logits"])(cast(Engine, Playing([1.0])), [X] * 2, [RIGHT])


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
