"""The committed weights of the slim detectors are those of PROVENANCE.md, and worth what it says."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.store.files import sha256_of
from reference_models import registry
from reference_models.darknet import digit_detectors
from reference_models.darknet.digit_detectors import weight_file
from reference_models.model import ReferenceModel
from reference_models.training.detectors import RECIPES
from suites.meta.places import ROOT

PROVENANCE = (ROOT / "reference_models" / "PROVENANCE.md").read_text("utf-8")
LARGEST = 2_000_000
"""Bytes of a weight file."""


def row(name: str) -> str:
    """Return the row of a detector in the table of weights."""
    (found,) = (line for line in PROVENANCE.splitlines() if line.startswith(f"| `darknet/{name}.weights` |"))
    return found


MODELS = [model for model in registry.models().values() if model.name in RECIPES]


def test_every_recipe_has_its_model() -> None:
    """And what is committed can be made again."""
    assert {model.name for model in MODELS} == RECIPES.keys()
    files = {path.name for path in weight_file(next(iter(RECIPES))).parent.glob("*.weights")}
    assert files == {f"{name}.weights" for name in RECIPES}


@pytest.mark.parametrize("name", RECIPES)
def test_the_weights_are_those_of_the_table(name: str) -> None:
    """By their digest; and they are small."""
    assert f"`{sha256_of(weight_file(name))}`" in row(name)
    assert weight_file(name).stat().st_size <= LARGEST


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`")
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_weights_are_worth_what_the_table_says(model: ReferenceModel, tmp_path: Path) -> None:
    """MAP on the held-out scenes, to a tenth of a point."""
    from fixtures.training.darknet_module import read_cfg
    from fixtures.training.evaluation import mean_average_precision
    from fixtures.training.examples import SceneExamples
    from fixtures.training.weight_file import read

    source = model.build(tmp_path)
    module = read_cfg(source.files["cfg"])
    read(source.files["weights"], module)
    found = mean_average_precision(module, SceneExamples("held-out", digit_detectors.HELD_OUT))
    said = re.search(r"mAP50-95 ([\d.]+) %, mAP50 ([\d.]+) %", row(model.name))
    assert said
    np.testing.assert_allclose(
        [100 * part for part in found], [float(part) for part in said.groups()], atol=0.1
    )


def test_the_data_set_has_the_objects_of_its_images() -> None:
    """Boxes, labels and counts fit each other, and lie in the image."""
    data = digit_detectors.dataset()
    assert len(data["counts"]) == len(data["images"]) == digit_detectors.HELD_OUT
    assert len(data["boxes"]) == len(data["labels"]) == data["counts"].sum()
    assert (data["boxes"] >= 0).all()
    assert (data["boxes"] <= data["images"].shape[2]).all()
