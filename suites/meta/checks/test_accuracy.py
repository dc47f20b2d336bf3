"""INT8 accuracy: all is recorded; a loss that is beyond doubt is the calibration's fault."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from fixtures.cases import Case
from fixtures.checks.accuracy import Accuracy, summary
from fixtures.checks.int8_cost import Cost, Measurement
from fixtures.checks.quantization_noise import Noise, Ratio
from fixtures.checks.scoring import MeanAveragePrecision, TopK
from fixtures.expectations import Expectations, Row
from fixtures.metrics.parity import StructureError
from fixtures.recording import Ending, RecordDraft, close
from fixtures.verdicts import StageError

CASE = Case("int8-accuracy", "digits", "torchscript", 17, precision="int8", route="qdq")
IMAGES = 100
LABELS = np.arange(IMAGES) % 2


@dataclass(frozen=True)
class Given:
    """A runtime whose logits of each image, by number, are known."""

    logits: np.ndarray

    def run(self, samples: Sequence[Any]) -> list[dict[str, np.ndarray]]:
        """Look up what is known."""
        return [{"logits": self.logits[int(sample["image"])][None]} for sample in samples]

    def time(self, sample: Any, iterations: int) -> list[float]:
        """Time nothing."""
        return []


def network(wrong: int = 0, scale: float = 1.0) -> Given:
    """A network that is wrong on so many images, the first ones."""
    right = np.where(np.arange(IMAGES) < wrong, 1 - LABELS, LABELS)
    return Given(scale * np.eye(2, dtype=np.float32)[right])


def accuracy(numbers: dict[str, float], noise: Sequence[Noise] = (), fp32: Given | None = None) -> Accuracy:
    """A check with a budget, against an fp32 network that is always right."""
    draft = RecordDraft(CASE, {"name": "digits"})
    budgets = (Row("budgets.toml row 1", {}, numbers),)
    inputs = [{"image": np.array(n)} for n in range(IMAGES)]
    metric = TopK("top1", LABELS, 1)
    measure = Measurement(metric, inputs, fp32 or network(), lambda: [*noise])
    return Accuracy(draft, Expectations(budgets=budgets), measure)


def other(one: Accuracy, **changes: Any) -> Accuracy:
    """The same check, measuring in another way."""
    assert isinstance(one.measure, Measurement)
    return replace(one, measure=replace(one.measure, **changes))


def noisy(decibels: float, tensor: str = "r0") -> Noise:
    """A tensor whose pair makes so much noise."""
    ratio = Ratio(1.0, 10 ** (-decibels / 10))
    return Noise(tensor, ["conv1"], tensor, f"{tensor}.behind", ratio, ratio)


def test_everything_is_recorded_when_it_passes() -> None:
    """Both scores, what is lost and kept with their intervals, the distance and the worst tensor."""
    one = accuracy({"drop": 2.0, "keep": 97.0, "sqnr": 20}, [noisy(31)])
    one(network(wrong=1))
    found = {name: (round(m.value, 6), m.limit) for name, m in one.draft.metrics.items()}
    assert (found["top1_fp32"], found["top1_int8"]) == ((100, None), (99, None))
    assert (found["drop"], found["drop_low"][1], found["drop_high"][1]) == ((1, None), 2.0, None)
    assert (found["kept"], found["kept_high"][1]) == ((99, None), 97.0)
    assert found["images"] == (IMAGES, None)
    assert found["logits relative_l2"] == (pytest.approx((2 / IMAGES) ** 0.5, abs=1e-6), None)
    assert found["r0 own_sqnr"] == (31, 20)
    assert not one.draft.notes


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"drop": 2.0}, r"top1 loses 20 \(95% interval .*\) points on 100 images, the budget is 2 \(budgets"),
        ({"keep": 99.0}, r"top1 keeps 80 \(95% interval .*\) % of fp32's on 100 images, the budget is 99 "),
        ({"drop": 99, "relative_l2": 0.6}, r"logits: INT8 is 0.632 of fp32 away in L2, the budget is 0.6 "),
        ({"drop": 99, "sqnr": 20}, r"'r0', read by conv1: 3.0 dB, 3.0 dB with all above it; the budget is 2"),
    ],
)  # fmt: skip
def test_what_breaks_a_limit_is_the_fault_of_calibration(numbers: dict[str, float], said: str) -> None:
    """The message has the figure, its interval, its limit and the row, and always the worst tensor."""
    one = accuracy(numbers, [noisy(3)])
    with pytest.raises(StageError, match=said) as caught:
        one(network(wrong=20))
    assert caught.value.hop == "calibration"
    assert "worst tensors: 'r0', read by conv1" in str(caught.value)
    assert one.draft.metrics["top1_int8"].value == 80


@pytest.mark.parametrize(("numbers", "said"), [({"drop": 2.0}, "loses 4"), ({"keep": 98.0}, "keeps 96")])
def test_a_loss_that_may_be_chance_is_noted_and_passes(numbers: dict[str, float], said: str) -> None:
    """Four images of a hundred may be two: the interval holds the budget, and more images are asked for."""
    one = accuracy(numbers)
    one(network(wrong=4))
    (note,) = one.draft.notes
    assert said in note
    assert "too few images to tell" in note


def test_a_network_that_is_always_wrong_has_nothing_to_lose() -> None:
    """Where fp32 is never right a pass would say nothing: labels or images are not those of the network."""
    with pytest.raises(
        StageError, match="top1 of fp32 is 0 on 100 images: there is nothing to lose"
    ) as caught:
        accuracy({"keep": 99.0}, fp32=network(wrong=IMAGES))(network())
    assert caught.value.hop == "source"


@pytest.mark.parametrize(("wrong", "noted"), [(60, True), (50, True), (42, True), (30, False), (0, False)])
def test_a_classifier_that_guesses_is_noted(wrong: int, noted: bool) -> None:
    """Where the interval of fp32's top-1 holds what guessing gives, or is below it, the record says so."""
    one = accuracy({"drop": 99}, fp32=network(wrong))
    one(network(wrong))
    assert any("guessing gives 50 %: are labels" in note for note in one.draft.notes) == noted


def test_what_int8_loses_is_said_once_for_all_opsets() -> None:
    """The summary has a line for each case, with the worst of its opsets."""
    records = []
    for opset, wrong in ((13, 1), (17, 3)):
        one = accuracy({"drop": 99})
        one(network(wrong))
        one.draft.case = replace(CASE, opset=opset)
        records.append(close(one.draft, Ending("passed"), run_id="r", commit="c", time_="t"))
    (line,) = summary(records)
    where = "int8-accuracy digits torchscript qdq ONNX Runtime"
    assert line == f"{where}, opsets 13, 17: loses 3 points, keeps 97 % of fp32's"


def test_a_distance_that_is_no_number_fails() -> None:
    """NaN among INT8's outputs is infinitely far, and its images are wrong."""
    one = accuracy({"drop": 99, "relative_l2": 0.6})
    broken = network()
    broken.logits[3] = np.nan
    with pytest.raises(StageError, match="logits: INT8 is inf of fp32 away"):
        one(broken)
    assert one.draft.metrics["drop"].value == 1


def test_the_worst_five_tensors_are_recorded_and_all_are_given() -> None:
    """By their own noise and with all above it, each the better the greater."""
    noise = [noisy(20 + n, f"t{n}") for n in range(7)]
    one = accuracy({"drop": 2.0}, noise)
    assert one.record(network()) == noise
    ratios = {name: metric for name, metric in one.draft.metrics.items() if name.endswith("sqnr")}
    assert list(ratios) == [f"t{n} {kind}" for n in range(5) for kind in ("own_sqnr", "sqnr")]
    assert all(metric.higher_is_better for metric in ratios.values())
    assert ratios["t3 sqnr"].value == pytest.approx(23)


@pytest.mark.parametrize("limit", [40.0, 60.0])
def test_boxes_that_are_lost_are_judged(limit: float) -> None:
    """INT8 has half of them, which is more than 40 % and less than 60 %."""

    class Boxes(Given):
        def run(self, samples: Sequence[Any]) -> list[dict[str, np.ndarray]]:
            return [{"a/boxes": self.logits[..., :4], "a/classes": self.logits[..., 4:]} for _ in samples]

    rows = np.array([[[20, 20, 10, 10, 0.9], [60, 60, 20, 20, 0.8]]], np.float32)
    metric = MeanAveragePrecision(dict, None)
    one = other(accuracy({"drop": 99, "matched": limit}, fp32=Boxes(rows)), metric=metric)
    shifted = rows + np.array([[0.0] * 5, [3, 0, 0, 0, 0]], np.float32)
    one.record(Boxes(shifted))
    assert one.draft.metrics["matched"].value == 50
    assert ("INT8 has 50 % of fp32's boxes" in one.draft.problem) == (limit > 50)


def test_without_a_quantized_tensor_none_is_named() -> None:
    """A failure of an engine that the builder has quantized says nothing of tensors."""
    with pytest.raises(StageError) as caught:
        accuracy({"drop": 2.0})(network(wrong=20))
    assert "worst tensors" not in str(caught.value)


def test_a_runtime_that_gives_too_few_outputs_is_refused() -> None:
    """What is not there is not left out of the comparison."""

    class Lazy(Given):
        def run(self, samples: Sequence[Any]) -> list[dict[str, np.ndarray]]:
            return super().run(samples)[:-1]

    with pytest.raises(ValueError, match="shorter"):
        accuracy({"drop": 2.0})(Lazy(network().logits))


def test_how_many_images_are_done_is_told() -> None:
    """In steps of a few, to the last one."""
    told = list[int]()
    other(accuracy({"drop": 99}), watch=told.append)(network())
    assert told == [*range(16, IMAGES, 16), IMAGES]


def test_outputs_of_another_shape_are_refused() -> None:
    """They are not compared element by element with something else."""
    with pytest.raises(StructureError, match=r"logits is float32 \(1, 3\)"):
        accuracy({"drop": 99})(Given(np.zeros((IMAGES, 3), np.float32)))


def test_fp32_is_read_once_for_all_routes() -> None:
    """What the metric has read of an image of fp32 is not read again; INT8 is."""
    known = dict[int, Any]()
    other(accuracy({"drop": 2.0}), known=known)(network(wrong=1))
    assert len(known) == IMAGES
    again = other(accuracy({"drop": 2.0}), known=known, fp32=network(wrong=9))
    again(network(wrong=1))
    assert again.draft.metrics["top1_fp32"].value == 100
    assert again.draft.metrics["top1_int8"].value == 99


def test_what_was_measured_is_judged_anew_when_it_is_read_back() -> None:
    """Through JSON nothing is lost, infinities and a score that is no number included, and budgets hold."""
    one = accuracy({"drop": 2.0, "sqnr": 20}, [noisy(3), noisy(math.inf)])
    assert isinstance(one.measure, Measurement)
    broken = network(wrong=20)
    broken.logits[3] = np.nan
    cost = one.measure(broken)
    read = Cost.of(json.loads(json.dumps(cost.plain())))
    assert read == cost
    with pytest.raises(StageError, match="top1 loses 20") as caught:
        replace(one, measure=lambda _: read)(network())
    assert "'r0', read by conv1: 3.0 dB" in str(caught.value)
