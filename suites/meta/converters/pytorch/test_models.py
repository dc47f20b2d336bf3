"""The digit classifier has the weights and the data that are said."""

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_models
from fixtures.metrics.accuracy import top1
from fixtures.runtimes import torch_runtime
from reference_models.datasets import digits as data
from reference_models.pytorch import digits, lenet
from reference_models.training import digits as digits_training
from reference_models.training import lenet as lenet_training
from reference_models.training.recipe import Recipe, train, write

MISSING = [name for name in ("torch", "sklearn", "skimage", "PIL") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)


@pytest.mark.parametrize("network", [digits, lenet], ids=["digits", "lenet"])
def test_the_digit_classifier_is_accurate(network: Any) -> None:
    """The committed weights reach 97 % top-1 on at least 500 held-out digits."""
    held_out = network.dataset()
    assert len(held_out["labels"]) >= 500
    (outputs,) = torch_runtime.run(network.build(Path()).module, [{"image": held_out["images"]}], ["logits"])
    assert top1(outputs["logits"], held_out["labels"]) >= 0.97


@pytest.mark.parametrize("pair", [("train", "held-out"), ("train", "calibration"),
                                  ("calibration", "held-out")], ids="-".join)  # fmt: skip
def test_no_digit_leaks(pair: tuple[str, str]) -> None:
    """No image, not even a duplicate of one, is in two parts, and both have every class."""
    (images, labels), (others, other_labels) = data.part(pair[0]), data.part(pair[1])
    assert not {i.tobytes() for i in images} & {i.tobytes() for i in others}
    assert set(labels) == set(other_labels) == set(range(10))


@pytest.mark.parametrize(("network", "most"), [(digits, 200_000), (lenet, 250_000)], ids=["digits", "lenet"])
def test_the_committed_weights_have_a_provenance(network: Any, most: int) -> None:
    """The weight file is small, all float32, and its sha256 stands in PROVENANCE.md."""
    text = (Path(reference_models.__path__[0]) / "PROVENANCE.md").read_text("utf-8")
    assert hashlib.sha256(network.WEIGHTS.read_bytes()).hexdigest() in text
    assert network.WEIGHTS.stat().st_size < most
    with np.load(network.WEIGHTS, allow_pickle=False) as archive:
        assert {archive[name].dtype.name for name in archive.files} == {"float32"}


@pytest.mark.parametrize("recipe", [digits_training.RECIPE, lenet_training.RECIPE], ids=["digits", "lenet"])
def test_training_is_repeatable(tmp_path: Path, recipe: Recipe) -> None:
    """A recipe writes the same bytes twice, and others for another seed."""
    written = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.npz"
        write(train(replace(recipe, epochs=1), seed), path)
        written.append(path.read_bytes())
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize(
    ("logits", "labels", "share"),
    [
        (np.eye(4), np.array([0, 1, 2, 3]), 1.0),
        (np.eye(4), np.array([0, 1, 3, 2]), 0.5),
        (np.full((2, 3), np.nan), np.array([0, 0]), 0.0),
    ],
)
def test_top1_is_a_share(logits: np.ndarray, labels: np.ndarray, share: float) -> None:
    """Top-1 counts the images whose greatest logit is the label's, and never a NaN."""
    assert top1(logits, labels) == share


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.eye(4), np.array([0, 1]), r"\(4, 4\) and labels \(2,\)"),
        (np.zeros(4), np.zeros(4, int), r"expected \(N, classes\)"),
        (np.zeros((0, 4)), np.zeros(0, int), "no image"),
        (np.eye(2), np.array([0.0, 1.0]), "expected integers"),
        (np.eye(2), np.array([0, 2]), "there are 2 classes"),
    ],
)
def test_top1_refuses_what_does_not_fit(logits: np.ndarray, labels: np.ndarray, message: str) -> None:
    """Shapes, types and labels that do not belong together are refused."""
    with pytest.raises(ValueError, match=message):
        top1(logits, labels)
