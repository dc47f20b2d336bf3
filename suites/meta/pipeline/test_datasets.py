"""Data sets as samples of one image, and what is true of them, cut out of arrays when they are asked for."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fixtures.pipeline.evaluation import Singles, Truth
from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import StageError
from reference_models.model import ReferenceModel, Source

IMAGES = np.arange(24, dtype=np.float32).reshape(4, 1, 2, 3)


class Lazy:
    """Pictures that are counted when they are read."""

    def __init__(self) -> None:
        self.read = list[int]()

    def __len__(self) -> int:
        return len(IMAGES)

    def __getitem__(self, number: int) -> np.ndarray:
        self.read.append(number)
        return IMAGES[number]


def no_source(_: Path) -> Source:
    """Build nothing."""
    raise AssertionError("the network is not asked for")


def pipeline(data: Mapping[str, object], folder: Path, *inputs: str) -> Pipeline:
    """The pipeline of a model with a data set that is read in place."""
    model = ReferenceModel(
        "mine", "pytorch", dict.fromkeys(inputs, (1, 1, 2, 3)), ("scores",), no_source, list, ("dynamo",),
        metric="top1", dataset=lambda: data, dataset_in_place=True,
    )  # fmt: skip
    return Pipeline(ArtifactStore(folder), {"mine": model})


def test_an_image_is_read_when_it_is_asked_for() -> None:
    """One at a time, as a batch of one; a slice reads its own images."""
    pictures = Lazy()
    samples = Singles({"image": pictures})
    assert (len(samples), pictures.read) == (4, [])
    assert samples[2]["image"].shape == (1, 1, 2, 3)
    assert [one["image"].ravel()[0] for one in samples[1:3]] == [6, 12]
    assert pictures.read == [2, 1, 2]
    assert [one["image"].tobytes() for one in samples] == [image.tobytes() for image in IMAGES]


def test_what_is_not_there_is_an_index_error() -> None:
    """Behind the last one, and before the first."""
    for number in (4, -1):
        with pytest.raises(IndexError):
            Singles({"image": IMAGES})[number]


def test_the_digest_is_of_what_is_read() -> None:
    """From memory or from disk it is one, another value or name makes another."""
    digest = Singles({"image": IMAGES}).digest
    assert Singles({"image": Lazy()}).digest == digest
    assert len({digest, Singles({"other": IMAGES}).digest, Singles({"image": IMAGES + 1}).digest}) == 3


def test_several_inputs_have_arrays_of_their_own(tmp_path: Path) -> None:
    """Each by its name; a single input may go without."""
    data = {"calibration": IMAGES[:1], "images/a": IMAGES, "images/b": IMAGES + 1, "labels": np.zeros(4, int)}
    way = pipeline(data, tmp_path, "a", "b")
    found = way.evaluation("mine")
    assert (found.inputs[1]["b"] - found.inputs[1]["a"]).tolist() == np.ones((1, 1, 2, 3)).tolist()
    assert set(found.truth.arrays) == {"labels"}
    assert len(way.calibration("mine")) == 1


def test_a_set_without_an_image_is_refused(tmp_path: Path) -> None:
    """Nothing can be judged by it."""
    way = pipeline({"images": IMAGES[:0], "calibration": IMAGES}, tmp_path, "image")
    with pytest.raises(StageError, match="mine: its data set has no image to judge INT8 by"):
        way.evaluation("mine")


def test_objects_are_those_of_each_image() -> None:
    """Image after image, none at all in one of them, and a crowd where it is said."""
    arrays = {
        "boxes": np.arange(12.0).reshape(3, 4), "labels": np.array([5, 6, 7]), "counts": np.array([1, 0, 2]),
        "crowd": np.array([False, False, True]),
    }  # fmt: skip
    first, second, third = Truth(arrays, 3).objects() or []
    assert (first.labels.tolist(), second.labels.tolist(), third.labels.tolist()) == ([5], [], [6, 7])
    assert third.boxes.tolist() == [[4, 5, 6, 7], [8, 9, 10, 11]]
    assert third.crowd.tolist() == [False, True]
    assert Truth({}, 3).objects() is None
