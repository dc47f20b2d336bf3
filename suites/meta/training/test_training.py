"""Training lessens the loss, pushes scales to zero, and goes on from any step to the same bits."""

from __future__ import annotations

import json
import math
import shutil
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.training.errors import Interrupted, TrainingError
from fixtures.training.examples import Augmentation, Example, SceneExamples, batch, batch_of
from fixtures.training.plan import Plan, Sparsity
from reference_models.pytorch import digits_yolov5n
from reference_models.pytorch.state import one_thread
from suites.meta.training import networks

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)
PLAN = Plan(epochs=3, batch=8, rate=5e-3, optimizer="adam", warmup=0.5, seed=4)
SHORT = replace(PLAN, epochs=1)


@cache
def scenes() -> SceneExamples:
    """Thirty scenes of the training part."""
    return SceneExamples("train", 30)


def train(folder: Path, plan: Plan = PLAN, **options: Any) -> tuple[Any, list[str]]:
    """Train the small detector from the same drawn weights."""
    from fixtures.training.drawing import draw
    from fixtures.training.training import Around, train

    module = draw(networks.small(folder, iou_loss="ciou"), seed=1)
    return module, train(module, scenes(), plan, Around(**options))


def bits(module: Any) -> dict[str, bytes]:
    """Return every parameter and statistic as bytes."""
    return {name: tensor.numpy().tobytes() for name, tensor in module.state_dict().items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], list[str]]:
    """Bits and log of the plan's training, from its beginning to its end."""
    with one_thread():
        module, lines = train(tmp_path_factory.mktemp("whole"))
    return bits(module), lines


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a training of one epoch."""
    kept = tmp_path_factory.mktemp("short") / "a.checkpoint"
    with one_thread():
        train(kept.parent, SHORT, kept=kept)
    return kept


@pytest.fixture
def kept(short: Path, tmp_path: Path) -> Path:
    """A copy of the checkpoint, to be damaged."""
    return Path(shutil.copy(short, tmp_path))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_loss_falls(optimizer: str, tmp_path: Path) -> None:
    """In a few steps the loss of real scenes is less than half of what it was."""
    _, lines = train(tmp_path, replace(PLAN, epochs=12, optimizer=optimizer, rate=1e-2))
    totals = [sum(json.loads(line)["loss"].values()) for line in lines]
    assert len(totals) == 12
    assert totals[-1] < totals[0] / 2


@pytest.mark.parametrize("at", [1, 3, 5], ids=["in an epoch", "at its end", "in the next"])
def test_an_interrupted_training_goes_on_to_the_same_bits(
    at: int, whole: tuple[dict[str, bytes], list[str]], tmp_path: Path
) -> None:
    """Weights, statistics and log are those of a training that nobody interrupted."""
    kept, log, asked = tmp_path / "a.checkpoint", tmp_path / "log.jsonl", iter(range(1, 99))
    with pytest.raises(Interrupted):
        train(tmp_path, kept=kept, log=log, stop=lambda: next(asked) == at)
    resumed, again = train(tmp_path, kept=kept, log=log)
    assert (bits(resumed), again) == whole
    assert log.read_text().splitlines() == again


def cuda() -> bool:
    """Say whether torch has a GPU here."""
    if find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())


@pytest.mark.skipif(not cuda(), reason="torch has no GPU here")
def test_a_gpu_trains_the_same_and_goes_on(tmp_path: Path) -> None:
    """The first losses are the CPU's up to rounding, and an interrupted training ends as a whole one does."""
    asked, kept = iter(range(1, 99)), tmp_path / "a.checkpoint"
    _, expected = train(tmp_path)
    with pytest.raises(Interrupted):
        train(tmp_path, kept=kept, stop=lambda: next(asked) == 4, device="cuda")
    module, lines = train(tmp_path, kept=kept, device="cuda")
    first, reference = (json.loads(made[0])["loss"] for made in (lines, expected))
    assert first == pytest.approx(reference, rel=0.02)
    assert len(lines) == len(expected)
    assert {tensor.device.type for tensor in module.state_dict().values()} == {"cpu"}


CROWD = Example(
    np.full((3, 96, 96), 0.5, np.float32),
    np.tile(np.array([[30, 30, 42, 47], [31, 31, 43, 49]], np.float32), (300, 1)),
    np.arange(600) % 10,
)
"""So many objects in one place that torch adds up the gradients of their boxes on several threads."""


class Crowds:
    """Two images of a crowd."""

    digest, classes, highest = "crowds", 10, "a crowd"

    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> Example:
        return CROWD


@pytest.mark.parametrize("repeatable", [True, False])
def test_threads_add_up_in_one_order(repeatable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four threads give the same bits each time; that they would not if nobody asked is the planted error."""
    import torch

    from fixtures.training import training

    if not repeatable:
        monkeypatch.setattr(training, "_repeatable", lambda _: nullcontext())
    start = digits_yolov5n.network()
    torch.set_num_threads(4)  # one again by `conftest`
    found: set[frozenset[tuple[str, bytes]]] = set()
    plan = replace(PLAN, epochs=1, batch=1, augmentation=Augmentation(0, 0, 0))
    for _ in range(6 if repeatable else 200):
        if len(found) == 2:
            break
        module = deepcopy(start)
        training.train(module, Crowds(), plan)
        found.add(frozenset(bits(module).items()))
    assert (len(found) == 1) == repeatable
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_training_goes_on_with_its_number_of_threads(tmp_path: Path) -> None:
    """Sums of two threads are others than those of one; what began on two goes on on two."""
    import torch

    kept, plan = tmp_path / "a.checkpoint", replace(PLAN, epochs=1, batch=2)
    begun = {threads: digits_yolov5n.network() for threads in (1, 2)}
    asked = iter(range(1, 99))
    for threads, module in begun.items():
        torch.set_num_threads(threads)
        _trained(module, plan)
    with pytest.raises(Interrupted):
        _trained(digits_yolov5n.network(), plan, kept=kept, stop=lambda: next(asked) == 1)
    torch.set_num_threads(1)
    resumed = digits_yolov5n.network()
    _trained(resumed, plan, kept=kept)
    assert torch.get_num_threads() == 1
    assert bits(resumed) == bits(begun[2]) != bits(begun[1])


def _trained(module: Any, plan: Plan, **options: Any) -> None:
    """Train on two batches of two scenes."""
    from fixtures.training.training import Around, train

    train(module, SceneExamples("train", 4), plan, Around(**options))


def test_another_seed_gives_other_bits(whole: tuple[dict[str, bytes], list[str]], tmp_path: Path) -> None:
    """The comparison of bits can fail, and a seed repeats itself."""
    assert bits(train(tmp_path)[0]) == whole[0]
    assert bits(train(tmp_path, replace(PLAN, seed=5))[0]) != whole[0]


def test_a_checkpoint_of_another_training_is_refused(kept: Path, tmp_path: Path) -> None:
    """The message says what differs; a file that is none is called that."""
    with pytest.raises(TrainingError, match=r"a\.checkpoint: .*of other options; delete it"):
        train(tmp_path, kept=kept)
    kept.write_bytes(b"no checkpoint")
    with pytest.raises(TrainingError, match=r"a\.checkpoint: no checkpoint .*delete it to begin anew"):
        train(tmp_path, kept=kept)


@pytest.mark.parametrize(
    "part", ["module", "engine", "random", "threads", "step", "sums", "lines", "half", "module of another"]
)
def test_a_damaged_checkpoint_is_refused(part: str, kept: Path, tmp_path: Path) -> None:
    """Cut off, without one of its parts, or with one that does not fit: none that can be read."""
    import torch

    if part == "half":
        kept.write_bytes(kept.read_bytes()[: kept.stat().st_size // 2])
    else:
        whole = torch.load(kept, weights_only=True)
        parts = {name: value for name, value in whole.items() if name != part}
        torch.save({**parts, "module": {}} if part == "module of another" else parts, kept)
    with pytest.raises(TrainingError, match=r"a\.checkpoint: no checkpoint .*delete it to begin anew"):
        train(tmp_path, SHORT, kept=kept)


def gammas(module: Any) -> np.ndarray:
    """Return the magnitudes of all scales."""
    from fixtures.training.detector import described

    scales = described(module, (3, 96, 96)).scales.values()
    return np.abs(np.concatenate([scale.detach().numpy() for scale in scales]))


def test_the_penalty_pushes_scales_to_zero(tmp_path: Path) -> None:
    """With it the scales end smaller than without, and the log shows where they lie."""
    plan = replace(PLAN, epochs=8, optimizer="sgd", rate=0.01)
    sparse, lines = train(tmp_path, replace(plan, sparsity=Sparsity(1.0)))
    assert gammas(sparse).sum() < 0.8 * gammas(train(tmp_path, plan)[0]).sum()
    last = json.loads(lines[-1])
    assert last["sparsity"] == 1.0
    assert {layer: sum(counts) for layer, counts in last["gammas"].items()} == {
        "0": 8, "1": 8, "2": 16, "3": 24, "7": 16,
    }  # fmt: skip


def test_the_penalty_is_the_subgradient_before_the_step(tmp_path: Path) -> None:
    """To each gradient of a scale s * sign(scale) is added, to no other anything."""
    import torch

    from fixtures.training.detector import described
    from fixtures.training.drawing import draw
    from fixtures.training.optimization import push_to_zero

    module = draw(networks.small(tmp_path), seed=1)
    for parameter in module.parameters():
        parameter.grad = torch.ones_like(parameter)
    scales = list(described(module, (3, 96, 96)).scales.values())
    with torch.no_grad():
        scales[0][:3] = torch.tensor([-2.0, 0.0, 0.5])
    push_to_zero(scales, 0.25)
    first, *others = [scale.grad for scale in scales]
    assert first is not None
    assert first[:3].tolist() == [0.75, 1.0, 1.25]
    assert all((grad == 1.25).all() for grad in others if grad is not None)
    touched = {id(scale) for scale in scales}
    assert all(
        (p.grad == 1).all() for p in module.parameters() if id(p) not in touched and p.grad is not None
    )


def test_the_strength_follows_its_schedule() -> None:
    """From a share of the training on it is multiplied once."""
    sparsity = Sparsity(0.1, decay_after=0.5, decay=0.01)
    assert [sparsity.at(done) for done in (0, 0.49, 0.5, 1)] == pytest.approx([0.1, 0.1, 0.001, 0.001])


def test_the_rate_rises_then_falls() -> None:
    """Its highest is the one asked for, its last a hundredth."""
    plan = Plan(epochs=10, rate=0.1, warmup=2)
    rates = [plan.rate_at(epoch / 10) for epoch in range(101)]
    assert max(rates) == rates[20] == pytest.approx(0.1)
    assert rates[:20] == sorted(rates[:20])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[-1] == pytest.approx(0.001)


def test_broken_weights_end_with_a_word(tmp_path: Path) -> None:
    """A loss that is no number names epoch, batch and parts; nothing is kept of it."""
    import torch

    from fixtures.training.drawing import draw
    from fixtures.training.training import Around, train

    module = draw(networks.small(tmp_path), seed=1)
    with torch.no_grad():
        module.layers[4 - 1].conv.weight[0] = float("nan")
    with pytest.raises(TrainingError, match=r"epoch 0, batch 0 is no number: box nan.*lower rate"):
        train(module, scenes(), PLAN, Around(tmp_path / "a.checkpoint"))
    assert not (tmp_path / "a.checkpoint").exists()


MISFITS = {
    "another size": ({"side": 64}, PLAN, r"shape \(3, 96, 96\), the network takes \(3, 64, 64\)"),
    "too few classes": ({"classes": 9}, PLAN, "10 classes, the network 9"),
    "less than a batch": ({}, replace(PLAN, batch=31), "30 examples are less than one batch of 31"),
}


@pytest.mark.parametrize(("keys", "plan", "said"), MISFITS.values(), ids=MISFITS)
def test_what_does_not_fit_is_refused(keys: dict[str, Any], plan: Plan, said: str, tmp_path: Path) -> None:
    """Before the first step, with what to change."""
    from fixtures.training.drawing import draw
    from fixtures.training.training import train

    with pytest.raises(TrainingError, match=said):
        train(draw(networks.small(tmp_path, **keys), 0), scenes(), plan)


@pytest.mark.parametrize(
    ("kind", "values", "said"),
    [
        (Plan, {"rate": 0}, "at rate 0: give at least 1 epoch, a batch of at least 1 and a rate above 0"),
        (Plan, {"rate": math.nan}, "at rate nan: give"),
        (Plan, {"rate": math.inf}, "at rate inf: give"),
        (Plan, {"epochs": 0}, "^0 epochs of batches of 32 "),
        (Plan, {"batch": 0}, "batches of 0 "),
        (Plan, {"seed": -1}, "seed -1: give a whole number from 0 on"),
        (Sparsity, {"strength": math.nan}, "strength nan: give a number above 0"),
        (Sparsity, {"strength": 1, "decay_after": 1.5}, "decay-after 1.5: give a part of the epochs"),
        (Sparsity, {"strength": 1, "decay": -1}, "decay -1: give a factor from 0 on"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(kind: type, values: dict[str, float], said: str) -> None:
    """Where it is made: no training begins, whichever framework does it."""
    with pytest.raises(TrainingError, match=said):
        kind(**values)


def test_a_batch_has_the_objects_of_its_images() -> None:
    """Truths are image, class, centre and size; an image without objects has none."""
    image = np.zeros((3, 8, 10), np.float32)
    none = Example(image, np.zeros((0, 4), np.float32), np.zeros(0, np.int64))
    one = Example(image + 1, np.array([[2, 1, 6, 7]], np.float32), np.array([5]))
    made = batch([none, one])
    assert made.images.shape == (2, 3, 8, 10)
    assert made.truths.tolist() == [[1, 5, 4, 4, 4, 6]]


def test_an_epoch_shows_each_example_once() -> None:
    """Batches of an epoch are disjoint, and another epoch has another order; numbers give the same again."""
    plain = Augmentation(0, 0, 0)
    epochs = [[batch_of(scenes(), 10, 1, e, k, plain).images for k in range(3)] for e in (0, 1, 0)]
    seen = [{image.tobytes() for part in epoch for image in part} for epoch in epochs]
    assert [len(images) for images in seen] == [30, 30, 30]
    assert (epochs[0][0] == epochs[2][0]).all()
    assert not (epochs[0][0] == epochs[1][0]).all()


def test_a_flipped_image_has_flipped_boxes() -> None:
    """What the box frames is the same, mirrored."""
    rng = np.random.default_rng(0)
    image = rng.random((3, 20, 20)).astype(np.float32)
    example = Example(image, np.array([[2, 4, 9, 15]], np.float32), np.array([1]))
    flip = Augmentation(0, 0, 0, flip=True)
    flipped = next(made for made in (flip(example, rng) for _ in range(20)) if made.boxes[0, 0] != 2)
    ((x1, y1, x2, y2),) = flipped.boxes.astype(int)
    assert (flipped.image[:, y1:y2, x1:x2] == image[:, 4:15, 2:9][:, :, ::-1]).all()
