"""The trainable module computes what the converter's ONNX model computes, and keeps weights to the bit."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.activations import NAMES
from fixtures.converters.darknet.convert import convert
from fixtures.converters.errors import ConversionError
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.darknet.zoo.catalog import ZOO
from suites.meta.converters.darknet import test_zoo_parity
from suites.meta.networks import zoo_files
from suites.meta.networks.darknet_layers import HEADER, OLD_HEADER, random, write
from suites.meta.networks.zoo_files import FLOOR_MULTIPLE

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)


def outputs(cfg: Path, weights: Path, x: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
    """Run a network in eval mode by the module."""
    import torch

    from fixtures.training.darknet_module import read_cfg
    from fixtures.training.weight_file import read

    module = read_cfg(cfg, **options).eval()
    read(weights, module)
    with torch.no_grad():
        return {n: t.numpy() for n, t in zip(module.outputs, module(torch.from_numpy(x)), strict=True)}


def reference(cfg: Path, weights: Path, x: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
    """Run a network by the converter and ONNX Runtime."""
    path = cfg.with_suffix(".onnx")
    onnx.save(convert(cfg, weights, 13, batch=len(x), **options), path)
    return OnnxRuntime(path).run([{"data": x}])[0]


@pytest.mark.parametrize("name", ZOO)
def test_every_network_of_the_zoo_gives_what_its_onnx_model_gives(name: str, tmp_path: Path) -> None:
    """Heads or scores agree to within a multiple of the network's own float32 noise; none is refused."""
    files = test_zoo_parity.write(name, tmp_path)
    expected = zoo_files.converted(files, 13)
    made = outputs(files.cfg, files.weights, files.sample["data"])
    assert zoo_files.worst(made, expected) <= FLOOR_MULTIPLE * zoo_files.floor(files, expected)


@pytest.mark.parametrize("told", [1e-6, 1e-3])
def test_a_wrong_epsilon_is_seen(told: float, tmp_path: Path) -> None:
    """A module with another BatchNorm epsilon is outside the tolerance, and equals ONNX of that epsilon."""
    files = test_zoo_parity.write("yolov4-tiny", tmp_path)
    expected = zoo_files.converted(files, 13)
    allowed = FLOOR_MULTIPLE * zoo_files.floor(files, expected)
    made = outputs(files.cfg, files.weights, files.sample["data"], epsilon=told)
    assert zoo_files.worst(made, expected) > allowed
    assert zoo_files.worst(made, zoo_files.converted(files, 13, epsilon=told)) <= allowed


CONV = "[convolutional]\nfilters=6\nsize=3\npad=1\nactivation=linear\n"
LAYERS = {
    "groups, dilation, unequal strides": (
        "[convolutional]\nfilters=6\nsize=3\npad=1\ndilation=2\ngroups=3\nactivation=swish\n"
        "[convolutional]\nfilters=4\nsize=3\nstride_x=2\nstride_y=1\nbatch_normalize=1\nactivation=mish\n"
    ),
    "padding that differs at the end": "[convolutional]\nfilters=4\nsize=4\npadding=1\nstride=3\n",
    "antialiasing": (
        "[convolutional]\nfilters=4\nsize=3\npad=1\nstride=2\nantialiasing=1\nactivation=leaky\n"
        "[maxpool]\nsize=2\nstride=2\nantialiasing=2\n"
    ),
    "pools": (
        f"{CONV}[maxpool]\nsize=2\nstride=1\n[maxpool]\nsize=3\nstride=2\npadding=0\n"
        "[local_avgpool]\nsize=3\nstride=1\n[maxpool]\nmaxpool_depth=1\nout_channels=4\nsize=1\nstride=1\n"
    ),
    "routes of groups, an upsample that scales": (
        f"{CONV}[route]\nlayers=-1\ngroups=2\ngroup_id=1\n[route]\nlayers=-1,-2\n[upsample]\nstride=2\nscale=3\n"
    ),
    "an upsample that sums": f"{CONV}[upsample]\nstride=-2\n",
    "weighted shortcuts": (
        f"{CONV}{CONV}{CONV}[shortcut]\nfrom=-2,-3\nweights_type=per_channel\nweights_normalization=softmax\n"
        "activation=leaky\n[shortcut]\nfrom=-2\nweights_type=per_feature\nweights_normalization=relu\n"
        f"[shortcut]\nfrom=-3\nweights_type=per_feature\n"
    ),
    "a shortcut of unequal sizes": (
        f"{CONV}[convolutional]\nfilters=4\nsize=3\nstride=2\npad=1\n[shortcut]\nfrom=-2\n"
        "[upsample]\nstride=2\n[shortcut]\nfrom=-2\nactivation=linear\n"
    ),
    "squeeze and excite": (
        f"{CONV}[avgpool]\n[convolutional]\nfilters=6\nactivation=logistic\n[scale_channels]\nfrom=-3\n"
        f"[sam]\nfrom=-1\nactivation=tanh\n"
    ),
    "reorganized": f"{CONV.replace('=6', '=8')}[reorg]\nstride=2\n[reorg3d]\nstride=2\nreverse=1\n",
    "reorganized back": f"{CONV.replace('=6', '=8')}[reorg]\nstride=2\nreverse=1\n[reorg3d]\nstride=2\n",
    "a classifier": (
        "[crop]\ncrop_height=8\ncrop_width=6\n[connected]\noutput=12\nactivation=relu\nbatch_normalize=1\n"
        "[dropout]\nprobability=.5\n[connected]\noutput=6\nactivation=linear\n"
        "[softmax]\ngroups=2\ntemperature=3\n[cost]\n"
    ),
    "transposed": (
        "[deconvolutional]\nfilters=4\nsize=3\nstride=2\nbatch_normalize=1\nactivation=relu\n"
        "[deconvolutional]\nfilters=5\nsize=4\nstride=2\npad=1\nactivation=linear\n"
    ),
    "weights at every place": (
        "[local]\nfilters=4\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
        "[local]\nfilters=3\nsize=2\nstride=1\nactivation=linear\n[normalization]\nsize=3\nalpha=0.5\n"
    ),
    "normalized": (
        f"{CONV}[batchnorm]\n[l2norm]\n[implicit]\nfilters=6\n[scale_channels]\nfrom=-2\n[logistic]\n"
    ),
}


@pytest.mark.parametrize("layers", LAYERS.values(), ids=LAYERS)
def test_each_layer_gives_what_its_onnx_model_gives(layers: str, tmp_path: Path) -> None:
    """Layers that the zoo has not, or not in this form, on two images at once."""
    x = random(2, 3, 12, 10)
    cfg, weights = write(tmp_path, layers, x, [random(9999, positive=True, seed=3) - 0.25])
    cut_to_size(cfg, weights)
    expected, made = reference(cfg, weights, x), outputs(cfg, weights, x)
    assert zoo_files.worst(made, expected) < 1e-5


def cut_to_size(cfg: Path, weights: Path, header: int = 20) -> None:
    """Leave of a weight file as many numbers as the network takes."""
    from fixtures.training.darknet_module import read_cfg

    weights.write_bytes(weights.read_bytes()[: header + 4 * read_cfg(cfg).net.floats])


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_activation_is_the_converters(name: str, tmp_path: Path) -> None:
    """Every name that a cfg may say, over values on both sides of each bend."""
    x = np.linspace(-7, 7, 2 * 3 * 60, dtype=np.float32).reshape(2, 3, 6, 10)
    files = write(tmp_path, f"[activation]\nactivation={name}\n", x)
    (made,), (expected,) = (run(*files, x).values() for run in (outputs, reference))
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("header", [HEADER, OLD_HEADER, (0, 2, 5, -7, 9), (0, 1, 0, 64)], ids=str)
def test_weights_come_back_bit_for_bit(header: tuple[int, ...], tmp_path: Path) -> None:
    """Reading and writing gives the same file: headers old and new, transposed matrices, odd numbers."""
    from fixtures.training.darknet_module import read_cfg
    from fixtures.training.weight_file import read
    from fixtures.training.weight_file import write as write_file

    layers = LAYERS["a classifier"] + LAYERS["normalized"].replace("[l2norm]\n", "") + CONV
    numbers = random(9999)
    numbers[::7] *= np.float32(1e-41)
    cfg, weights = write(
        tmp_path, layers.replace("[cost]", "[empty]"), random(1, 3, 12, 10), [numbers], header
    )
    cut_to_size(cfg, weights, 4 * len(header))
    module = read_cfg(cfg)
    write_file(tmp_path / "again.weights", module, read(weights, module, allow_nonfinite=True))
    assert (tmp_path / "again.weights").read_bytes() == weights.read_bytes()


REFUSED = {
    "a layer type": ("[lstm]\noutput=3\nbatch_normalize=0\n", r"net\.cfg:5: layer 0 \[lstm\]: .*cannot be"),
    "binary filters": (f"{CONV}binary=1\n", r"net\.cfg:10: layer 0 \[conv.*binary=1 cannot be trained"),
    "shared weights": (f"{CONV}{CONV}share_index=0\n", r"net\.cfg:15: layer 1 .*share_index cannot"),
    "an unknown activation": ("[activation]\nactivation=wave\n", r"net\.cfg:6: layer 0 .*wave"),
}


@pytest.mark.parametrize(("layers", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_trained_is_refused_by_its_line(layers: str, said: str, tmp_path: Path) -> None:
    """The error names file, line and layer, and what can be done."""
    from fixtures.training.darknet_module import read_cfg

    cfg, _ = write(tmp_path, layers, random(1, 3, 8, 8))
    with pytest.raises(ConversionError, match=said):
        read_cfg(cfg)


def test_training_takes_the_statistics_of_the_batch(tmp_path: Path) -> None:
    """Kept means and variances move a tenth towards the batch's, and the batch leaves normalized."""
    import torch

    from fixtures.training.darknet_module import read_cfg

    x = random(8, 3, 6, 6)
    cfg, _ = write(tmp_path, "[batchnorm]\n", x)
    module = read_cfg(cfg).train()
    (made,) = module(torch.from_numpy(x))
    mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), ddof=1)
    stored = module.layers[0].stored
    np.testing.assert_allclose(stored["means"].numpy(), 0.1 * mean, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(stored["variances"].numpy(), 0.9 + 0.1 * variance, rtol=1e-5)
    np.testing.assert_allclose(made.detach().numpy().var((0, 2, 3)), 1, rtol=1e-3)


def test_a_seed_draws_the_same_weights(tmp_path: Path) -> None:
    """Weights of a network without a file follow from torch's seed alone, and are sane."""
    import torch

    from fixtures.training.darknet_module import read_cfg

    cfg, _ = write(tmp_path, CONV, random(1, 3, 6, 6))
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(read_cfg(cfg).layers[0].stored["weights"].detach().numpy())
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert drawn[0].std() == pytest.approx(np.sqrt(2 / 27 / 3), rel=0.15)
