"""The classifiers and U-Net are the published networks: sizes, names, and every number that they give."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures.converters.pytorch.convert import Exporter, convert
from fixtures.runtimes import torch_runtime
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import registry
from reference_models.pytorch import lenet
from reference_models.pytorch.state import digest
from reference_models.pytorch.torchvision_rows import NETWORKS, mask
from reference_models.pytorch.weights import load_state, seed_weights

MISSING = [n for n in ("torch", "onnxscript", "sklearn", "skimage", "PIL") if find_spec(n) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
ROWS = {network.name: network for network in NETWORKS}
NAMES = (*ROWS, "lenet")
REPEATS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3)}
DRAWS = 4
ROUNDING = 2e-5
"""Relative L2, as in the stage onnxruntime-parity: what float32 rounding may do."""


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    """Every network with its weights."""
    modules = {name: network.build(Path()).module for name, network in ROWS.items()}
    return {**modules, "lenet": lenet.build(Path()).module}


@pytest.fixture(scope="module")
def image() -> Callable[[str], Any]:
    """Return a small input of a network: (1, 3, 64, 64) of a photo, or a digit."""
    import torch

    def give(name: str) -> Any:
        sample = registry.models()[name].samples()[0]["image"]
        place = slice(32, 96) if name in ROWS else slice(None)
        return torch.from_numpy(np.ascontiguousarray(sample[:, :, place, place]))

    return give


def by_function(name: str, module: Any, image: Any) -> Any:
    """Return what the literal forward pass makes of the module's state."""
    from suites.meta.networks import functional_networks as functional

    if name in REPEATS:
        kernels = (3, 3) if name == "resnet18" else (1, 3, 1)
        return functional.resnet(module.state_dict(), image, REPEATS[name], kernels)
    return getattr(functional, name)(module.state_dict(), image)


def distance(name: str, module: Any, image: Any) -> float:
    """Relative L2 between a module and the literal forward pass of its state."""
    import torch

    with torch.no_grad():
        expected, given = by_function(name, module, image), module(image)
    assert given.shape == expected.shape
    return float((given - expected).norm() / expected.norm())


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet18", 11_689_512),
        ("resnet50", 25_557_032),
        ("mobilenetv2", 3_504_872),
        ("lenet", 61_706),
        ("unet", 7_763_074),
    ],
)
def test_the_network_has_the_published_size(built: dict[str, Any], name: str, parameters: int) -> None:
    """Parameters are those that torchvision publishes, or those that the paper's widths make."""
    assert sum(p.numel() for p in built[name].parameters()) == parameters


def norm(name: str) -> list[str]:
    """Entries of one batch normalisation, in the order of a state_dict."""
    return [f"{name}.{part}" for part in
            ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")]  # fmt: skip


def keys_of_resnet(name: str) -> list[str]:
    """Entries of an official state_dict: the stem, blocks of two or three convolutions, the classifier."""
    keys = ["conv1.weight", *norm("bn1")]
    for stage, repeat in enumerate(REPEATS[name], 1):
        for place in range(repeat):
            block = f"layer{stage}.{place}"
            for i in range(1, 3 + (name == "resnet50")):
                keys += [f"{block}.conv{i}.weight", *norm(f"{block}.bn{i}")]
            if place == 0 and (stage > 1 or name == "resnet50"):
                keys += [f"{block}.downsample.0.weight", *norm(f"{block}.downsample.1")]
    return [*keys, "fc.weight", "fc.bias"]


def keys_of_mobilenet() -> list[str]:
    """Entries of an official state_dict: the stem, 17 blocks, the first without expansion, two layers."""
    keys = ["features.0.0.weight", *norm("features.0.1")]
    for block in range(1, 18):
        conv, nested = f"features.{block}.conv", 1 if block == 1 else 2
        for i in range(nested):
            keys += [f"{conv}.{i}.0.weight", *norm(f"{conv}.{i}.1")]
        keys += [f"{conv}.{nested}.weight", *norm(f"{conv}.{nested + 1}")]
    keys += ["features.18.0.weight", *norm("features.18.1")]
    return [*keys, "classifier.1.weight", "classifier.1.bias"]


@pytest.mark.parametrize(
    ("name", "entries", "shapes"),
    [
        ("resnet18", 122, {"layer2.0.downsample.0.weight": (128, 64, 1, 1), "fc.weight": (1000, 512)}),
        ("resnet50", 320, {"layer1.0.conv3.weight": (256, 64, 1, 1), "fc.weight": (1000, 2048)}),
        ("mobilenetv2", 314, {"features.2.conv.1.0.weight": (96, 1, 3, 3),
                              "features.17.conv.2.weight": (320, 960, 1, 1)}),
    ],
)  # fmt: skip
def test_the_state_has_the_official_names(
    built: dict[str, Any], name: str, entries: int, shapes: dict[str, tuple[int, ...]]
) -> None:
    """The state_dict has the official entries in the official order, with the official shapes."""
    state = built[name].state_dict()
    assert list(state) == (keys_of_mobilenet() if name == "mobilenetv2" else keys_of_resnet(name))
    assert len(state) == entries
    assert {key: tuple(state[key].shape) for key in shapes} == shapes


@pytest.mark.parametrize("name", NAMES)
def test_the_module_is_its_literal_forward_pass(built: dict[str, Any], image: Any, name: str) -> None:
    """The module gives what a forward pass written from the paper gives, within float32 rounding."""
    assert distance(name, built[name], image(name)) < ROUNDING


def stride_in_the_first(module: Any) -> None:
    """Let bottlenecks stride in their first 1x1, as the variant 1 does."""
    for stage in (module.layer2, module.layer3, module.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)


def relu_for_relu6(module: Any) -> None:
    """Clip nothing above."""
    import torch

    for part in list(module.modules()):
        for name, child in part.named_children():
            if isinstance(child, torch.nn.ReLU6):
                setattr(part, name, torch.nn.ReLU())


def skip_before_the_convolution(module: Any) -> None:
    """Take each level's skip after its first convolution, before the second."""
    skips: list[Any] = []
    for block in module.down:
        block[2].register_forward_hook(lambda _, __, output: skips.append(output))
    levels = len(module.join)
    for step, block in enumerate(module.join):
        block.register_forward_pre_hook(_other_skip(skips, levels - 1 - step))


def _other_skip(skips: list[Any], level: int) -> Callable[..., Any]:
    import torch

    def replace(_: Any, given: tuple[Any]) -> tuple[Any]:
        return (torch.cat((skips[level], given[0][:, skips[level].shape[1] :]), 1),)

    return replace


def crop_one_off(module: Any) -> None:
    """Crop the finest skip one pixel too far to the right."""
    import torch

    def shift(_: Any, given: tuple[Any]) -> tuple[Any]:
        skip, up = given[0].chunk(2, 1)
        return (torch.cat((skip.roll(-1, 3), up), 1),)

    module.join[-1].register_forward_pre_hook(shift)


def greatest_for_mean(module: Any) -> None:
    """Pool by the greatest, as most LeNets written since do."""
    import torch

    module[2] = torch.nn.MaxPool2d(2)


@pytest.mark.parametrize(
    ("name", "plant"),
    [
        ("resnet50", stride_in_the_first),
        ("mobilenetv2", relu_for_relu6),
        ("unet", skip_before_the_convolution),
        ("unet", crop_one_off),
        ("lenet", greatest_for_mean),
    ],
)
def test_another_architecture_is_seen(
    built: dict[str, Any], image: Any, name: str, plant: Callable[[Any], None]
) -> None:
    """A planted error of the architecture keeps every name and shape, and moves the outputs far."""
    import copy

    module = copy.deepcopy(built[name])
    plant(module)
    assert list(module.state_dict()) == list(built[name].state_dict())
    assert distance(name, module, image(name)) > 100 * ROUNDING


@pytest.fixture(scope="module")
def short() -> dict[str, Any]:
    """The deep networks with one block of each kind: dynamo takes seconds for every dozen layers."""
    from reference_models.pytorch import mobilenet, resnet

    modules: dict[str, Any] = {
        "resnet18": resnet.ResNet(resnet.BasicBlock, (1, 1, 1, 1)),
        "mobilenetv2": mobilenet.MobileNetV2(blocks=mobilenet.BLOCKS[:2]),
    }
    for name, module in modules.items():
        row = ROWS[name]
        photos = [photo[:, :, 32:96, 32:96] for photo in row.photos()]
        last = module.eval().get_submodule(row.last)
        seed_weights(module, row.seed, photos, last, row.gamma, row.beta)
    return modules


TORCHSCRIPT = {
    "lenet": (10, 11, 12, 13, 14, 15, 16, 17), "unet": (10, 12, 14, 17), "resnet18": (11, 13, 15),
    "resnet50": (16,), "mobilenetv2": (10, 13, 17),
}  # fmt: skip
DYNAMO = {"lenet": (20,), "unet": (19,), "resnet18": (18,), "mobilenetv2": (21,)}


@pytest.mark.parametrize(
    ("name", "exporter", "opset"),
    [
        (name, exporter, opset)
        for exporter, table in (("torchscript", TORCHSCRIPT), ("dynamo", DYNAMO))
        for name, opsets in table.items()
        for opset in opsets
    ],
)
def test_the_onnx_model_answers_like_its_source(
    built: dict[str, Any],
    short: dict[str, Any],
    image: Any,
    tmp_path: Path,
    name: str,
    exporter: Exporter,
    opset: int,
) -> None:
    """ONNX Runtime gives what the network gives, within float32 rounding."""
    import torch

    module = (built | short if exporter == "dynamo" else built)[name]
    sample = {"image": image(name).numpy()}
    onnx.save(convert(module, sample, ("logits",), opset, exporter), tmp_path / "model.onnx")
    (given,) = OnnxRuntime(tmp_path / "model.onnx", threads=1).run([sample])
    with torch.no_grad():
        expected = module(image(name)).numpy()
    assert np.linalg.norm(given["logits"] - expected) < ROUNDING * np.linalg.norm(expected)


def normalized(x: Any, mean: Any, variance: Any, gamma: Any, beta: Any, *options: Any) -> Any:
    """Normalize as torch's batch_norm does in evaluation, and differentiably by the statistics, too."""
    eps, along = options[-1], (slice(None), None, None)
    return (x - mean[along]) * (variance[along] + eps).rsqrt() * gamma[along] + beta[along]


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_matters(
    built: dict[str, Any], image: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each weight, bias, gamma, beta and statistic a tenth greater moves the outputs beyond rounding.

    To first order: the length of J d, for d a tenth of the entry, is the root mean square of v^T J d over
    normal v, and v^T J of every entry at once is one backward pass.
    """
    import torch

    module, small = built[name], image(name)[:, :, :32, :32]
    state = module.state_dict().items()
    entries = {entry: value.clone().requires_grad_() for entry, value in state if value.is_floating_point()}
    monkeypatch.setattr(torch.nn.functional, "batch_norm", normalized)
    outputs = torch.func.functional_call(module, entries, small)
    monkeypatch.undo()
    length = float(outputs.detach().norm())
    assert float((outputs - module(small)).detach().norm()) < ROUNDING * length
    random = torch.Generator().manual_seed(0)
    squares = dict.fromkeys(entries, 0.0)
    for _ in range(DRAWS):
        weighted = (outputs * torch.randn(outputs.shape, generator=random)).sum()
        gradients = torch.autograd.grad(weighted, list(entries.values()), retain_graph=True)
        for (entry, value), gradient in zip(entries.items(), gradients, strict=True):
            squares[entry] += float((gradient * value.detach()).sum() * 0.1) ** 2 / DRAWS
    moved = {entry: square**0.5 / length for entry, square in squares.items()}
    assert {entry: by for entry, by in moved.items() if by <= ROUNDING} == {}


@pytest.mark.parametrize("name", [name for name in ROWS if name != "unet"])
def test_no_class_hangs_on_rounding(built: dict[str, Any], name: str) -> None:
    """The samples are of four classes, and the two greatest logits of each are 0.69 apart or more."""
    samples = ROWS[name].samples()
    logits = [outputs["logits"][0] for outputs in torch_runtime.run(built[name], samples, ("logits",))]
    second, first = np.sort(logits, axis=1)[:, -2:].T
    assert (first - second).min() >= 0.69
    assert len({int(one.argmax()) for one in logits}) == 4
    assert 1 < np.std(logits) < 5


def test_a_mask_has_both_classes(built: dict[str, Any]) -> None:
    """Between a third and two thirds of every sample are 1, and one pixel in 1,000 is close to the edge."""
    for outputs in torch_runtime.run(built["unet"], ROWS["unet"].samples(), ("logits",)):
        logits = outputs["logits"]
        assert 1 / 3 < mask(outputs)["mask"].mean() < 2 / 3
        assert np.quantile(np.abs(logits[:, 1] - logits[:, 0]), 0.001) > 0.003


def test_seeded_weights_are_repeatable(built: dict[str, Any]) -> None:
    """A second build has the same bits and leaves torch's random state alone."""
    import torch

    before = torch.random.get_rng_state()
    source = ROWS["mobilenetv2"].build(Path())
    assert digest("", source.module) == digest("", built["mobilenetv2"])
    assert source.weights == "seeded"
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_state_becomes_the_weights(
    built: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    """A state_dict file named in the environment is loaded strictly, fp16 included."""
    import torch

    network, path = ROWS["mobilenetv2"], tmp_path / "state.pt"
    state = built["mobilenetv2"].state_dict()
    torch.save({k: v.half() if half else v for k, v in state.items()}, path)
    monkeypatch.setenv("TRT_PARITY_MOBILENETV2", str(path))
    source = network.build(tmp_path)
    assert (source.weights, network.origin(), source.note) == ("official", "official", "")
    last = source.module.state_dict()["classifier.1.weight"]
    assert last.dtype == torch.float32
    assert torch.allclose(last, state["classifier.1.weight"], atol=1e-3)


def spoiled(kind: str, state: dict[str, Any]) -> Any:
    """Make what a user may hand over instead of a state_dict of this network."""
    if kind == "missing":
        return {k: v for k, v in state.items() if k != "classifier.1.bias"}
    return {"state_dict": state} if kind == "wrapped" else Path("a class that is not a tensor")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", r'does not fit this network.*"classifier\.1\.bias"'),
        ("wrapped", r"more than named tensors\. Save torch\.save\(module\.state_dict\(\)"),
        ("class", r"no state_dict .*Save torch\.save"),
    ],
)
def test_a_wrong_weight_file_is_refused(
    built: dict[str, Any], tmp_path: Path, kind: str, message: str
) -> None:
    """A file that is no state_dict of this network is refused with the reason and the remedy."""
    import torch

    path = tmp_path / "wrong.pt"
    torch.save(spoiled(kind, dict(built["mobilenetv2"].state_dict())), path)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        load_state(ROWS["mobilenetv2"].network(), path)
