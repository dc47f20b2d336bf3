"""Darknet and MXNet networks by their files on the command line: paired, described, and refused in words."""

from pathlib import Path

import pytest

from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.model import ReferenceModel
from suites.meta.networks import user_onnx
from suites.meta.networks.mxnet_files import one, write


def described(folder: Path, words: str, *inputs: str) -> tuple[ReferenceModel, ...]:
    """Return the rows of --model, with the files of the folder beside them."""
    weights = [folder / "net.weights"] if ".cfg" in words else []
    params = [*folder.glob("*.params")] if ".json" in words else []
    chosen = registry.choose(words, inputs, weights=weights, params=params)
    return with_descriptions(chosen, ArtifactStore(folder / "artifacts"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a network of each framework."""
    cfg = Cfg(32, 32)
    cfg.conv(8, 3, stride=2)
    cfg.conv(8, 3, activation="leaky")
    (tmp_path / "net.cfg").write_text(cfg.text())
    weights.write_seeded(tmp_path / "net.weights", cfg, seed=1)
    dense = one("n", "FullyConnected", {"num_hidden": "4"}, x=(1, 7), weight=(4, 7), bias=(4,))
    symbol, params = write(tmp_path, [dense])
    symbol.rename(tmp_path / "dense-symbol.json")
    params.rename(tmp_path / "dense-0000.params")
    user_onnx.classifier(tmp_path / "graph.onnx")
    return tmp_path


def test_networks_of_every_kind_of_file_are_one_run(folder: Path) -> None:
    """Each is called after its file, is converted, and is chosen again by absolute paths."""
    words = f"{folder / 'net.cfg'},{folder / 'graph.onnx'}"
    models = {model.name: model for model in described(folder, words)}
    (dense,) = described(folder, str(folder / "dense-symbol.json"), "n_x:1x7")
    models[dense.name] = dense
    assert {name: model.framework for name, model in models.items()} == {
        "net": "darknet", "graph": "onnx", "dense": "mxnet",
    }  # fmt: skip
    way = Pipeline(ArtifactStore(folder / "artifacts"), models)
    for name, model in models.items():
        assert way.onnx_model(name, model.converters[0], 13).path.exists()
    asked = {name: model.own.asked for name, model in models.items() if model.own}
    assert asked["net"] == ("--model", str(folder / "net.cfg"), "--weights", str(folder / "net.weights"))
    assert asked["dense"][-2:] == ("--input", "n_x:1x7")


def test_files_that_do_not_belong_together_are_refused_by_their_converter(folder: Path) -> None:
    """Weights cut short, and an input that the symbol does not have."""
    data = (folder / "net.weights").read_bytes()
    (folder / "net.weights").write_bytes(data[:-40])
    with pytest.raises(StageError, match=r"net: .*net\.weights.*"):
        described(folder, str(folder / "net.cfg"))
    with pytest.raises(StageError, match=r"dense-symbol\.json: 'no' is no input"):
        described(folder, str(folder / "dense-symbol.json"), "no:1x7")
