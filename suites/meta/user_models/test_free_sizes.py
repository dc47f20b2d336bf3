"""Sizes that are ranges, of a torch module: an ONNX model with free axes, or the reason why there is none."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Selection
from fixtures.converters.errors import ConversionError
from fixtures.pipeline.batches import profiles_of
from fixtures.pipeline.pipeline import Pipeline
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.stages import stage
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.model import ReferenceModel
from reference_models.user.factory import OwnModelError

NETS = """
from torch import nn
from torch.nn import functional


class Fixed(nn.Module):
    def forward(self, x):
        return functional.interpolate(x, size=(8 + x.shape[2], 4 + x.shape[3])).sum(dim=1)


def free():
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.Upsample(scale_factor=2), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(4, 5))


def fixed():
    return Fixed()


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 24 * 32, 5))
"""
GIVEN = ("image:1x3x16-24-32x16-32",)
SHAPES = [(1, 3, 16, 16), (1, 3, 24, 32), (1, 3, 32, 32)]
TABLE = """
[model.mine]
framework = "pytorch"
factory = "sized_nets.py:free"
inputs = { image = "%s" }
"""


def described(folder: Path, function: str) -> ReferenceModel:
    """Return the row of a module of `NETS` whose sizes are ranges, as a run has it."""
    (folder / "sized_nets.py").write_text(NETS)
    rows = registry.choose(f"{folder / 'sized_nets.py'}:{function}", GIVEN)
    return with_descriptions(rows, ArtifactStore(folder / "artifacts"))[0]


def pipeline(folder: Path, model: ReferenceModel) -> Pipeline:
    """Return the pipeline of a run of one model."""
    return Pipeline(ArtifactStore(folder / "artifacts"), {model.name: model})


def test_a_module_runs_at_every_size_of_its_profile(tmp_path: Path) -> None:
    """One model for smallest, usual, largest and a mixed size, each held against the module itself."""
    pytest.importorskip("torch")
    model = described(tmp_path, "free")
    cases = stage("tensorrt-parity").all_cases(Selection((model,), (13,), (), ("fp32",)))
    assert [case.batch for case in cases] == ["1", "sizes"]
    way = pipeline(tmp_path, model)
    made = way.onnx_model(model.name, "torchscript", 13, "sizes")
    assert profiles_of(way.graph(made)) == {"image": SHAPES}
    assert not {node.op_type for node in way.graph(made).graph.node} & {"Shape", "Gather", "Concat"}
    samples = way.samples(model.name, "sizes")
    assert [sample["image"].shape for sample in samples.inputs] == [*SHAPES, (1, 3, 16, 32)]
    got = OnnxRuntime(made.path).run(samples.inputs)
    for ours, theirs in zip(got, samples.outputs, strict=True):
        np.testing.assert_allclose(ours["output0"], theirs["output0"], rtol=1e-4, atol=1e-6)


def test_what_holds_a_size_is_named(tmp_path: Path) -> None:
    """An exporter wrote the size that it saw: no model for others, and the static one stands."""
    pytest.importorskip("torch")
    model = described(tmp_path, "fixed")
    way = pipeline(tmp_path, model)
    with pytest.raises(ConversionError, match=r"its sizes cannot be free: .* depends on it") as caught:
        way.onnx_model(model.name, "torchscript", 13, "sizes")
    assert caught.value.verdict == "unsupported"
    assert way.onnx_model(model.name, "torchscript", 13).path.exists()


def test_a_module_that_does_not_run_at_every_size_ends_the_run(tmp_path: Path) -> None:
    """Before anything is collected, with the shape that it was given."""
    pytest.importorskip("torch")
    with pytest.raises(StageError, match="does not take image 1x3x16x16"):
        described(tmp_path, "dense")


def test_a_model_file_gives_ranges_as_a_text(tmp_path: Path) -> None:
    """Of PyTorch; what else a text of --input may say is refused with its line."""
    (tmp_path / "sized_nets.py").write_text(NETS)
    (tmp_path / "models.toml").write_text(TABLE % "1x3x16-24-32x16-32")
    (row,) = registry.choose(str(tmp_path / "models.toml"))
    assert (row.inputs, row.profiles) == ({"image": SHAPES[1]}, {"image": tuple(SHAPES)})
    (tmp_path / "models.toml").write_text(TABLE % "1x3x16:int64")
    with pytest.raises(OwnModelError, match=r"models.toml:5: .*dtypes and values are for ONNX files"):
        registry.choose(str(tmp_path / "models.toml"))


def test_a_cfg_and_a_symbol_say_why_they_take_none(tmp_path: Path) -> None:
    """Their converters know one size an axis; what to do instead is said."""
    for name in ("net.cfg", "net.weights", "net-symbol.json", "net-0000.params"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"says its own sizes, width and height of .net.*give the ONNX file"):
        registry.choose(str(tmp_path / "net.cfg"), GIVEN, weights=[tmp_path / "net.weights"])
    with pytest.raises(ValueError, match="converted at one size an axis; ranges are for"):
        registry.choose(str(tmp_path / "net-symbol.json"), GIVEN, params=[tmp_path / "net-0000.params"])
