"""Each metric reads what it scores, and refuses what it cannot score."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.checks import scoring
from fixtures.checks.scoring import MeanAveragePrecision, OwnFunction, TopK, metric_of
from fixtures.metrics.parity import Tensors
from fixtures.pipeline.evaluation import Truth
from fixtures.verdicts import NotRun, StageError
from reference_models.model import ReferenceModel, Source

ONCE = np.ones((1, 2), np.int32)


def no_source(_: Path) -> Source:
    """Build nothing."""
    raise AssertionError("the network is not asked for")


MODEL = ReferenceModel(
    "own", "pytorch", {"image": (1, 3, 96, 96)}, ("scores",), no_source, list, ("torchscript",), metric="top1"
)


def boxes(*rows: tuple[float, ...]) -> dict[str, Any]:
    """Decoded outputs with boxes (cx, cy, w, h, class 0, class 1)."""
    table = np.array(rows, np.float32).reshape(1, -1, 6)
    return {"head/boxes": table[..., :4], "head/classes": table[..., 4:]}


def as_is(outputs: Tensors) -> dict[str, np.ndarray]:
    """Decode what is decoded already."""
    return dict(outputs)


SEEN = boxes((20, 20, 10, 10, 0.9, 0.0), (60, 60, 20, 20, 0.0, 0.6), (80, 20, 9, 9, 0.1, 0.0))
LOST = boxes((20, 20, 10, 10, 0.9, 0.0), (64, 60, 20, 20, 0.0, 0.6))


def test_a_detector_without_truth_is_held_against_its_own_boxes() -> None:
    """What fp32 shows (0.25 or more) is what there is: fp32 has all, and INT8 half at an overlap of 0.95."""
    metric = MeanAveragePrecision(as_is, None)
    before, after = [metric.read(SEEN, n) for n in range(2)], [metric.read(LOST, n) for n in range(2)]
    found = {name: (a(ONCE)[0], b(ONCE)[0]) for name, (a, b) in metric.scores(before, after).items()}
    assert found["map"][0] == found["map50"][0] == 1
    assert found["map50"][1] == 1
    assert found["map"][1] == pytest.approx((10 + 4) / 20)  # an overlap of 2/3 counts at 0.50 to 0.65
    assert metric.kept(before, after) == 50


def test_each_score_is_of_its_own_network() -> None:
    """INT8 that shows one of two boxes has half of each figure, and fp32 all."""
    metric = MeanAveragePrecision(as_is, None)
    few = boxes((20, 20, 10, 10, 0.9, 0.0))
    scores = metric.scores([metric.read(SEEN, 0)], [metric.read(few, 0)])
    found = {name: (a(ONCE[:, :1])[0], b(ONCE[:, :1])[0]) for name, (a, b) in scores.items()}
    assert found == {"map": (1, 0.5), "map50": (1, 0.5)}


def test_true_boxes_stand_before_those_of_fp32() -> None:
    """A box that fp32 finds and nobody drew is a mistake of fp32."""
    truth = {"boxes": np.array([[15, 15, 25, 25]] * 2), "labels": np.zeros(2, int), "counts": np.ones(2, int)}
    metric = metric_of(replace(MODEL, metric="map", decode=as_is), Truth(truth, 2))
    read = [metric.read(boxes((20, 20, 10, 10, 0.5, 0), (60, 60, 9, 9, 0.9, 0)), n) for n in range(2)]
    before, _ = metric.scores(read, read)["map"]
    assert before(ONCE)[0] == pytest.approx(0.5)


def test_top5_is_beside_top1() -> None:
    """A network with many classes has both, and top-1 is judged."""
    metric = TopK("top1", np.array([1, 6]), 1)
    logits = {"scores": np.arange(8.0)[None]}
    read = [metric.read(logits, n) for n in range(2)]
    found = {name: a(ONCE)[0] for name, (a, _) in metric.scores(read, read).items()}
    assert found == {"top1": 0, "top5": 0.5}


@pytest.mark.parametrize(("name", "best"), [("top1", 1), ("top5", 5)])
def test_a_name_says_how_many_classes_count(name: Any, best: int) -> None:
    """Top-5 is judged by five, and has no other score beside it."""
    metric = metric_of(replace(MODEL, metric=name), Truth({"labels": np.array([1, 6])}, 2))
    assert isinstance(metric, TopK)
    assert (metric.name, metric.best) == (name, best)
    read = [metric.read({"scores": np.arange(8.0)[None]}, n) for n in range(2)]
    assert [*metric.scores(read, read)] == {1: ["top1", "top5"], 5: ["top5"]}[best]


def test_a_label_that_is_no_class_is_refused() -> None:
    """With the image and the metric."""
    with pytest.raises(StageError, match="metric top1: image 1: labels run from 9 to 9, there are 8"):
        TopK("top1", np.array([1, 9]), 1).read({"scores": np.arange(8.0)[None]}, 1)


def test_a_function_scores_image_by_image() -> None:
    """It is given the outputs and what is known of that image."""

    def near(outputs: Tensors, truth: Tensors) -> float:
        return float(abs(outputs["age"].item() - truth["age"]) < 2)

    metric = metric_of(replace(MODEL, metric=near), Truth({"age": np.array([30, 50])}, 2))
    read = [metric.read({"age": np.array([[31.0]])}, n) for n in range(2)]
    assert read == [1, 0]
    assert metric.scores(read, read)["score"][0](ONCE)[0] == 0.5


@pytest.mark.parametrize(
    ("model", "truth", "said"),
    [
        (replace(MODEL, metric="none"), {}, "own has no metric to judge INT8 by"),
        (MODEL, {}, "labels are none, expected one for each of 2 images"),
        (MODEL, {"labels": np.zeros(3, int)}, r"labels are \(3,\), expected one for each of 2"),
        (replace(MODEL, metric="map"), {}, "own: metric map needs decode"),
        (
            replace(MODEL, metric="map", decode=as_is),
            {"boxes": np.zeros((3, 4)), "labels": np.zeros(3, int), "counts": np.ones(2, int)},
            r"boxes \(3, 4\), labels \(3,\) and counts \(2,\) that sum to 2 do not fit 2 images",
        ),
    ],
)
def test_a_metric_without_what_it_needs_is_refused(
    model: ReferenceModel, truth: dict[str, Any], said: str
) -> None:
    """Before a network is run, in words that say what is lacking."""
    with pytest.raises(StageError, match=said):
        metric_of(model, Truth(truth, 2))


def test_without_pycocotools_a_detector_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason says what to install."""
    monkeypatch.setattr(scoring, "find_spec", lambda _: None)
    with pytest.raises(NotRun, match="pip install pycocotools"):
        metric_of(replace(MODEL, metric="map", decode=as_is), Truth({}, 2))


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *_: 2.0, "image 0 scores 2.0, expected 0 to 1"),
        (lambda *_: np.nan, "image 0 scores nan"),
        (lambda outputs, _: outputs["other"], "of image 0 it fails: KeyError: 'other'"),
    ],
)
def test_a_function_that_gives_no_score_is_named(function: Any, said: str) -> None:
    """What it raised, or what it gave: the fault of what the user gave, and of no calibration."""
    with pytest.raises(StageError, match=said) as caught:
        OwnFunction(function, [{}]).read({}, 0)
    assert caught.value.hop == "source"


def test_outputs_that_are_no_boxes_are_refused() -> None:
    """What decode gave is named, and what was expected."""
    with pytest.raises(StageError, match="decode gives age; expected NAME/boxes"):
        MeanAveragePrecision(as_is, None).read({"age": np.zeros((1, 1))}, 0)


def test_nothing_seen_by_fp32_cannot_be_judged() -> None:
    """Without true boxes a network that sees nothing has nothing to lose, which is no pass."""
    metric = MeanAveragePrecision(as_is, None)
    read = [metric.read(boxes((20, 20, 10, 10, 0.1, 0.0)), 0)]
    with pytest.raises(StageError, match="no image has an object"):
        metric.scores(read, read)
