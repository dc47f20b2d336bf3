"""Networks as wholes: any batch, ten thousand layers, every node with its line."""

import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.dynamic_batch import with_dynamic_batch
from fixtures.converters.errors import ConversionError
from fixtures.converters.onnx_graph import OPSETS
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.networks.darknet_layers import random, write

MIXED = """
[crop]
crop_height=4
crop_width=4
noadjust=1
[implicit]
filters=4
[scale_channels]
from=0
[convolutional]
filters=4
size=3
stride=2
pad=1
batch_normalize=1
activation=mish
antialiasing=1
[upsample]
stride=4
scale=.5
[shortcut]
from=-3
weights_type=per_feature
[reorg]
stride=2
[maxpool]
maxpool_depth=1
out_channels=4
[local]
filters=4
size=3
pad=1
[normalization]
[connected]
output=12
activation=stair
[softmax]
groups=3
[route]
layers=-1,-2
[softmax]
"""
X = random(5, 4, 6, 4)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A network of layers that reshape, and weights that are just enough."""
    sizes = 4 + 4 * 4 + 4 * 4 * 9 + 2 + 64 + 4 * 4 * 4 * 4 * 9 + 12 + 12 * 64
    return write(tmp_path, MIXED, X, [random(sizes, seed=1, positive=True)])


def run(model: onnx.ModelProto, x: np.ndarray, folder: Path) -> np.ndarray:
    """Run a model of one output."""
    onnx.save(model, folder / "net.onnx")
    (made,) = OnnxRuntime(folder / "net.onnx").run([{"data": x}])[0].values()
    return made


@pytest.mark.parametrize("opset", OPSETS)
def test_any_batch(opset: int, files: tuple[Path, Path], tmp_path: Path) -> None:
    """A dynamic batch computes what single images do: no layer mixes images or holds the batch's size."""
    dynamic = with_dynamic_batch(lambda batch: convert(*files, opset, batch=batch))
    onnx.checker.check_model(dynamic, full_check=True)
    single = convert(*files, opset)
    expected = np.concatenate([run(single, x[None], tmp_path) for x in X])
    np.testing.assert_allclose(run(dynamic, X, tmp_path), expected, rtol=1e-5, atol=1e-7)


def test_every_node_of_every_layer_has_its_line(files: tuple[Path, Path]) -> None:
    """Reshapes between images and flat tensors too."""
    lines = files[0].read_text().splitlines()
    seen = set()
    for node in convert(*files, 11).graph.node:
        where, _, layer = node.doc_string.partition(" layer ")
        number = int(where.partition(":")[2])
        seen.add(lines[number - 1])
        assert lines[number - 1] == f"[{layer.split('[')[1]}", node.name
    assert len(seen) == 13


def test_ten_thousand_layers(tmp_path: Path) -> None:
    """Depth costs neither recursion nor time."""
    pair = "[convolutional]\nfilters=1\nsize=1\nactivation=linear\n[shortcut]\nfrom=-2\n"
    begin = time.perf_counter()
    cfg, weights = write(tmp_path, "[dropout]\n" + pair * 5000, X[:1, :1], [np.zeros(10_000)])
    model = convert(cfg, weights, 13)
    assert len(model.graph.node) == 10_000
    assert time.perf_counter() - begin < 60
    with pytest.raises(ConversionError, match="layer 9999 "):
        convert(*write(tmp_path, "[dropout]\n" + pair * 5000, X[:1, :1], [np.zeros(9_999)]), 13)
