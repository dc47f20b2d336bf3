"""What INT8 costs is measured once for a pair of models and a data set, and taken from the store then."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.pipeline.models import OnnxModel
from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import StageError
from reference_models.model import Own, ReferenceModel, Source

IMAGES = np.arange(24, dtype=np.float32).reshape(4, 1, 2, 3)
EXACT, QUANTIZED, OTHER = (OnnxModel(Path(), digest, {}, "") for digest in ("exact", "quantized", "other"))


def no_source(_: Path) -> Source:
    """Build nothing."""
    raise AssertionError("the network is not asked for")


class Measured:
    """Measures costs, no two of them alike, and counts; infinities and NaN are among them."""

    count = 0

    def __call__(self) -> dict[str, Any]:
        """Measure once more."""
        self.count += 1
        return {"count": self.count, "decibels": float("inf")}


def pipeline(folder: Path, images: np.ndarray = IMAGES, **row: Any) -> Pipeline:
    """The pipeline of a model with a data set, as a run of its own would have it."""
    model = ReferenceModel(
        "mine", "onnx", {"x": (1, 1, 2, 3)}, ("y",), no_source, list, ("onnx",), metric="top1",
        needs=(), dataset=lambda: {"images": images, "labels": np.arange(4)},
    )  # fmt: skip
    return Pipeline(ArtifactStore(folder), {"mine": replace(model, **row)})


def test_a_second_run_measures_nothing(tmp_path: Path) -> None:
    """The same pair of models, on the same data, by the same code."""
    measured = Measured()
    first = pipeline(tmp_path).int8_cost("mine", EXACT, QUANTIZED, measured)
    assert first == pipeline(tmp_path).int8_cost("mine", EXACT, QUANTIZED, measured)
    assert measured.count == 1


def test_another_model_is_measured(tmp_path: Path) -> None:
    """Either of the pair; a store may hold many."""
    measured = Measured()
    for pair in ((EXACT, QUANTIZED), (OTHER, QUANTIZED), (EXACT, OTHER), (EXACT, QUANTIZED)):
        pipeline(tmp_path).int8_cost("mine", *pair, measured)
    assert measured.count == 3


def test_other_data_is_measured(tmp_path: Path) -> None:
    """A key names the data by its digest: a changed image gives another score."""
    measured = Measured()
    pipeline(tmp_path).int8_cost("mine", EXACT, QUANTIZED, measured)
    (entry,) = (tmp_path / "entries" / "dataset").iterdir()
    entry.unlink()
    pipeline(tmp_path, IMAGES + 1).int8_cost("mine", EXACT, QUANTIZED, measured)
    assert measured.count == 2


@pytest.mark.parametrize("row", [{"own": Own(asked=(), declaration="d")}, {"dataset_in_place": True}])
def test_what_no_key_can_name_is_measured_each_time(row: dict[str, Any], tmp_path: Path) -> None:
    """A user's function, and files that lie where the user has them, may have changed."""
    measured = Measured()
    for _ in range(2):
        pipeline(tmp_path, **row).int8_cost("mine", EXACT, QUANTIZED, measured)
    assert measured.count == 2


def test_a_failure_is_not_kept(tmp_path: Path) -> None:
    """What could not be measured is tried again."""

    def failing() -> dict[str, Any]:
        raise StageError("top1 of fp32 is 0")

    with pytest.raises(StageError, match="fp32 is 0"):
        pipeline(tmp_path).int8_cost("mine", EXACT, QUANTIZED, failing)
    measured = Measured()
    pipeline(tmp_path).int8_cost("mine", EXACT, QUANTIZED, measured)
    assert measured.count == 1
