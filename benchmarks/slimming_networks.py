"""The frameworks that a network is slimmed in: its files, the commands' words, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import onnx

from fixtures.commands.trained_network import pytorch
from fixtures.converters.darknet import config
from fixtures.converters.darknet.convert import convert as from_darknet
from fixtures.converters.darknet.network import resolve
from fixtures.converters.mxnet.convert import convert as from_mxnet
from fixtures.metrics.accuracy import hits
from fixtures.pruning.costs import Cost, of_onnx
from fixtures.pruning.darknet.costs import of_network
from fixtures.pruning.mxnet import comparison
from fixtures.pruning.mxnet.files import MXNetSource
from fixtures.pruning.pytorch.network import TorchNetwork
from fixtures.pruning.pytorch.pruning import costs, write
from fixtures.training.examples import SceneExamples
from reference_models import registry
from reference_models.datasets import digit_scenes
from reference_models.mxnet import digits_mobilenet
from reference_models.training.classifiers import CLASSIFIERS
from reference_models.training.detectors import RECIPES

OPSET = 13
SHAPE = (1, 3, digit_scenes.SIDE, digit_scenes.SIDE)


class Files(NamedTuple):
    """A network's file or files."""

    network: Path
    weights: Path | None = None

    @property
    def words(self) -> list[Path]:
        """Its files, as the commands take them."""
        return [path for path in self if path]

    @property
    def trained(self) -> Path:
        """The file that a training of it writes."""
        return self.weights or self.network


class Worth(NamedTuple):
    """What a network costs an image, and two measures of it on held-out images, in points."""

    cost: Cost
    accuracy: float
    second: float


@dataclass(frozen=True)
class Framework:
    """One framework. ends, roles: of its files; of one file there are no roles.

    input: words that `prune` needs. measures: of `Worth`.
    judged: takes how many scenes to judge by. graph: converts a network of the outputs of a reference model.
    """

    name: str
    ends: tuple[str, ...]
    roles: tuple[str, ...]
    input: tuple[str, ...]
    measures: tuple[str, str]
    judged: Callable[[Files, int], Worth]
    graph: Callable[[Files, str], onnx.ModelProto]

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages whose versions the figures hang on."""
        return "numpy", "onnxruntime", "mxnet" if self.name == "mxnet" else "torch"

    def processor(self) -> dict[str, object]:
        """Return what the bits of a training hang on beside `packages`: threads, and torch's instructions."""
        if self.name == "mxnet":
            return {"threads": 1}
        import torch

        return {"threads": torch.get_num_threads(), "instructions": torch.backends.cpu.get_cpu_capability()}

    def dense(self, name: str, files: Files) -> None:
        """Write a trained reference model: its files, or its module."""
        with TemporaryDirectory() as folder:
            source = registry.models()[name].build(Path(folder))
            if not self.roles:
                write(source.module, files.network)
            for path, role in zip(files.words, self.roles, strict=False):
                path.write_bytes(source.files[role].read_bytes())

    def files(self, folder: Path, which: str, of: Files | None = None) -> Files:
        """Return the files of one network; of: what has the same structure, whose file is taken again."""
        first, *weights = (folder / f"{which}{end}" for end in self.ends)
        return Files(of.network if of and weights else first, *weights)


def _darknet_worth(files: Files, scenes: int) -> Worth:
    from fixtures.training import weight_file
    from fixtures.training.darknet_module import read_cfg

    module = read_cfg(files.network)
    assert files.weights
    weight_file.read(files.weights, module)
    return Worth(of_network(resolve(config.read(files.network))), *_precision(module, scenes))


def _pytorch_worth(files: Files, scenes: int) -> Worth:
    module = pytorch(str(files.network)).module
    each = costs(TorchNetwork(module, [np.zeros(SHAPE, np.float32)]))
    return Worth(sum(each.values(), Cost()), *_precision(module, scenes))


def _mxnet_worth(files: Files, _scenes: int) -> Worth:
    assert files.weights
    source, (images, labels) = MXNetSource(files.network, files.weights), digits_mobilenet.part("held-out")
    model: onnx.ModelProto = comparison.graph(source, {"data": images[:1]})
    (scores,) = comparison.run(source, [{"data": images}])[0].values()
    stored = sum(array.size for array in source.stored.values())
    first, five = (100 * float(hits(scores, labels, best).mean()) for best in (1, 5))
    return Worth(Cost(stored, of_onnx(model).macs), first, five)


def _darknet_graph(files: Files, _name: str) -> onnx.ModelProto:
    assert files.weights
    return from_darknet(files.network, files.weights, OPSET)


def _pytorch_graph(files: Files, name: str) -> onnx.ModelProto:
    from fixtures.converters.pytorch.convert import convert

    model = registry.models()[name]
    module = pytorch(str(files.network)).module
    return convert(module, model.samples()[0], model.outputs, OPSET, "torchscript", simplified=True)


def _mxnet_graph(files: Files, name: str) -> onnx.ModelProto:
    assert files.weights
    return from_mxnet(files.network, files.weights, dict(registry.models()[name].inputs), OPSET)


def _precision(module: Any, scenes: int) -> tuple[float, float]:
    from fixtures.training.evaluation import mean_average_precision

    every, half = mean_average_precision(module, SceneExamples("held-out", scenes))
    return 100 * every, 100 * half


DETECTION = ("mAP50-95", "mAP50")
INPUT = "x".join(map(str, SHAPE))
FRAMEWORKS = {
    "darknet": Framework(
        "darknet", (".cfg", ".weights"), ("cfg", "weights"), (), DETECTION, _darknet_worth, _darknet_graph,
    ),
    "pytorch": Framework(
        "pytorch", (".pt",), (), ("--input", INPUT), DETECTION, _pytorch_worth, _pytorch_graph,
    ),
    "mxnet": Framework(
        "mxnet", ("-symbol.json", "-0000.params"), ("symbol", "params"), ("--input", "1x3x32x32"),
        ("top-1", "top-5"), _mxnet_worth, _mxnet_graph,
    ),
}  # fmt: skip
EPOCHS = {name: recipe.epochs for name, recipe in RECIPES.items()} | {
    name: classifier.epochs for name, classifier in CLASSIFIERS.items()
}
"""Model that can be slimmed -> epochs of its recipe."""
