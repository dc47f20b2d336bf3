"""Recipes repeat themselves; the committed weights are those of PROVENANCE.md, and worth what it says."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures import __main__ as command
from fixtures.commands import training
from fixtures.converters import convert
from fixtures.metrics.accuracy import top1
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.store.files import sha256_of
from reference_models import registry
from reference_models.datasets import digit_scenes
from reference_models.model import ReferenceModel, Source
from reference_models.mxnet import digits_mobilenet
from reference_models.training.classifiers import CLASSIFIERS
from reference_models.training.detectors import RECIPES
from suites.meta.places import ROOT

needs_torch = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)
PROVENANCE = (ROOT / "reference_models" / "PROVENANCE.md").read_text("utf-8")
LARGEST = 2_000_000
"""Bytes of a weight file."""
ENDS = {"darknet": ".weights", "pytorch": ".npz", "mxnet": "-0000.params"}
MODELS = [model for model in registry.models().values() if model.name in {*RECIPES, *CLASSIFIERS}]
DETECTORS = [model for model in MODELS if model.metric == "map"]


def file_of(model: ReferenceModel) -> Path:
    """Return the committed weights of a model."""
    return ROOT / "reference_models" / model.framework / f"{model.name}{ENDS[model.framework]}"


def row(model: ReferenceModel) -> str:
    """Return the row of a model in the table of weights."""
    name = file_of(model).relative_to(ROOT / "reference_models").as_posix()
    (found,) = (line for line in PROVENANCE.splitlines() if line.startswith(f"| `{name}` |"))
    return found


def said(model: ReferenceModel, *measures: str) -> list[float]:
    """Return what the table says of a model, in points."""
    text = row(model)
    found = [re.search(rf"{measure} ([\d.]+) %", text) for measure in measures]
    return [float(match[1]) for match in found if match]


def test_every_recipe_has_its_model() -> None:
    """And what is committed can be made again."""
    assert {model.name for model in MODELS} == {*RECIPES, *CLASSIFIERS}
    folders = {(ROOT / "reference_models" / name, end) for name, end in ENDS.items() if name != "pytorch"}
    files = {path for folder, end in folders for path in folder.glob(f"*{end}")}
    assert files == {file_of(model) for model in MODELS if model.framework != "pytorch"}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_weights_are_those_of_the_table(model: ReferenceModel) -> None:
    """By their digest; and they are small."""
    assert f"`{sha256_of(file_of(model))}`" in row(model)
    assert file_of(model).stat().st_size <= LARGEST


@needs_torch
@pytest.mark.parametrize("model", DETECTORS, ids=lambda model: model.name)
def test_a_detector_is_worth_what_the_table_says(model: ReferenceModel, tmp_path: Path) -> None:
    """MAP on the held-out scenes, to a tenth of a point."""
    from fixtures.training.evaluation import mean_average_precision
    from fixtures.training.examples import SceneExamples

    module = module_of(model.build(tmp_path))
    found = mean_average_precision(module, SceneExamples("held-out", digit_scenes.HELD_OUT))
    expected = said(model, "mAP50-95", "mAP50")
    np.testing.assert_allclose([100 * part for part in found], expected, atol=0.1)


def module_of(source: Source) -> Any:
    """Return the torch module of a detector."""
    from fixtures.training import weight_file
    from fixtures.training.darknet_module import read_cfg

    if source.module:
        return source.module
    module = read_cfg(source.files["cfg"])
    weight_file.read(source.files["weights"], module)
    return module


def test_a_classifier_is_worth_what_the_table_says(tmp_path: Path) -> None:
    """Top-1 on the held-out digits, of its ONNX model."""
    model = digits_mobilenet.MODEL
    assert model.dataset
    data, path = model.dataset(), tmp_path / "model.onnx"
    onnx.save(convert(model, model.build(tmp_path), "mxnet", 13), path)
    runs = OnnxRuntime(path).run([{"data": image[None]} for image in data["images"]])
    scores = np.concatenate([run["fc1_output"] for run in runs])
    assert [100 * top1(scores, data["labels"])] == pytest.approx(said(model, "top-1"), abs=0.2)


def test_the_data_set_has_the_objects_of_its_images() -> None:
    """Boxes, labels and counts fit each other, and lie in the image."""
    data = digit_scenes.dataset()
    assert len(data["counts"]) == len(data["images"]) == digit_scenes.HELD_OUT
    assert len(data["boxes"]) == len(data["labels"]) == data["counts"].sum()
    assert (data["boxes"] >= 0).all()
    assert (data["boxes"] <= data["images"].shape[2]).all()


@needs_torch
@pytest.mark.parametrize("name", ["digits-yolov3-tiny", "digits-yolov5n"])
def test_a_recipe_gives_the_same_bytes_again(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short run of it, twice."""
    monkeypatch.setitem(RECIPES, name, replace(RECIPES[name], scenes=8, epochs=1, batch=4))
    monkeypatch.setattr(training, "HELD_OUT", 2)
    for folder in ("a", "b"):
        assert command.main(["train", "recipe", name, "-o", str(tmp_path / folder)]) == 0
    made = [sorted((tmp_path / folder).iterdir()) for folder in "ab"]
    assert [path.name for path in made[0]] == [path.name for path in made[1]]
    assert [path.read_bytes() for path in made[0]] == [path.read_bytes() for path in made[1]]
    assert {f"{name}.jsonl"} < {path.name for path in made[0]}
