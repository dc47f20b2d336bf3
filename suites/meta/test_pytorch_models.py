"""The PyTorch reference models are the published networks, and their weights are what is said."""

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reference_models
from fixtures.metrics.accuracy import top1
from fixtures.runtimes import torch_runtime
from reference_models.datasets import digits as data
from reference_models.pytorch import digits, lenet, yolov5, yolov5n
from reference_models.pytorch.state import digest
from reference_models.training import digits as digits_training
from reference_models.training import lenet as lenet_training
from reference_models.training.recipe import Recipe, train, write

MISSING = [name for name in ("torch", "sklearn", "skimage", "PIL") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)


@pytest.fixture(scope="module")
def nano() -> Any:
    """YOLOv5n with its seeded weights."""
    return yolov5n.build(Path()).module


@pytest.mark.parametrize(
    ("width", "depth", "trained", "fused", "gflops"),
    [
        pytest.param(0.25, 0.33, 1_872_157, 1_867_405, 4.5, id="n"),
        pytest.param(0.50, 0.33, 7_235_389, 7_225_885, 16.5, id="s"),
        pytest.param(0.75, 0.67, 21_190_557, 21_172_173, 49.0, id="m"),
    ],
)
def test_the_network_has_the_published_size(
    width: float, depth: float, trained: int, fused: int, gflops: float
) -> None:
    """Parameters, with and without BN, and operations at 640x640 are the published numbers."""
    import torch

    module = yolov5.network(width, depth)
    norms = [part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)]
    count = sum(p.numel() for p in module.parameters())
    assert (count, count - sum(norm.num_features for norm in norms)) == (trained, fused)
    work: list[int] = []
    for part in module.modules():
        if isinstance(part, torch.nn.Conv2d):
            part.register_forward_hook(lambda m, _, out: work.append(2 * m.weight[0].numel() * out.numel()))
    with torch.no_grad():
        module(torch.zeros(1, 3, 64, 64))
    assert 100 * sum(work) / 1e9 == pytest.approx(gflops, rel=0.03)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.0.conv.weight", (16, 3, 6, 6)),
        ("model.0.bn.num_batches_tracked", ()),
        ("model.2.cv1.conv.weight", (16, 32, 1, 1)),
        ("model.2.m.0.cv2.conv.weight", (16, 16, 3, 3)),
        ("model.6.m.2.cv1.bn.running_var", (64,)),
        ("model.9.cv2.conv.weight", (256, 512, 1, 1)),
        ("model.13.cv1.conv.weight", (64, 256, 1, 1)),
        ("model.23.cv3.bn.bias", (256,)),
        ("model.24.anchors", (3, 3, 2)),
        ("model.24.m.2.weight", (255, 256, 1, 1)),
        ("model.24.m.0.bias", (255,)),
    ],
)
def test_the_state_has_the_official_names(nano: Any, name: str, shape: tuple[int, ...]) -> None:
    """The state_dict has the official 349 entries, with the official names and shapes."""
    state = nano.state_dict()
    assert len(state) == 349
    assert tuple(state[name].shape) == shape


def test_seeded_weights_are_repeatable(nano: Any) -> None:
    """A second build has the same bits and leaves torch's random state and threads alone."""
    import torch

    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    source = yolov5n.build(Path())
    assert digest("", source.module) == digest("", nano)
    assert (source.weights, torch.get_num_threads()) == ("seeded", threads)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_seeded_heads_are_of_order_one(nano: Any) -> None:
    """On every sample each raw head varies within a channel by 0.2 to 2 and stays below 25."""
    for outputs in torch_runtime.run(nano, yolov5n.samples(), yolov5n.OUTPUTS):
        for raw in outputs.values():
            spread = np.std(raw - raw.mean(axis=(0, 2, 3), keepdims=True))
            assert 0.2 < spread < 2
            assert np.abs(raw).max() < 25


def test_rounding_is_not_amplified(nano: Any) -> None:
    """The seeded network answers in float32 as in float64, to 2e-5 of the spread of its heads."""
    import copy

    import torch

    image = torch.from_numpy(yolov5n.samples()[0]["images"])
    with torch.no_grad():
        single, double = nano(image), copy.deepcopy(nano).double()(image.double())
    for raw, exact in zip(single, double, strict=True):
        spread = exact - exact.mean(dim=(0, 2, 3), keepdim=True)
        assert (raw - exact).norm() < 2e-5 * spread.norm()


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_state_becomes_official_weights(
    nano: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    """A state_dict file named in the environment is loaded strictly, fp16 included."""
    import torch

    path = tmp_path / "state.pt"
    state = nano.state_dict()
    torch.save({k: v.half() if half else v for k, v in state.items()}, path)
    monkeypatch.setenv(yolov5n.OFFICIAL, str(path))
    source = yolov5n.build(tmp_path)
    assert (source.weights, yolov5n.MODEL.origin()) == ("official", "official")
    first = source.module.state_dict()["model.0.conv.weight"]
    assert first.dtype == torch.float32
    assert torch.allclose(first, state["model.0.conv.weight"], rtol=1e-3)


def spoiled(kind: str, state: dict[str, Any]) -> Any:
    """Make what a user may hand over instead of a state_dict of this network."""
    if kind == "missing":
        return {k: v for k, v in state.items() if k != "model.24.anchors"}
    if kind == "anchors":
        return state | {"model.24.anchors": state["model.24.anchors"].flip(0)}
    if kind == "wrapped":
        return {"epoch": 3, "model": state}
    return Path("a class that is not a tensor")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", r'Missing key.*"model\.24\.anchors"'),
        ("anchors", "trained with other anchors"),
        ("wrapped", r"more than named tensors\. Inside a YOLOv5 checkout run"),
        ("class", r"no state_dict .*\.float\(\)\.state_dict\(\)"),
    ],
)
def test_a_wrong_weight_file_is_refused(nano: Any, tmp_path: Path, kind: str, message: str) -> None:
    """A file that is no state_dict of this network is refused with the reason and the remedy."""
    import torch

    path = tmp_path / "wrong.pt"
    torch.save(spoiled(kind, dict(nano.state_dict())), path)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        yolov5.load_weights(yolov5.network(0.25, 0.33), path)


@pytest.mark.parametrize("network", [digits, lenet], ids=["digits", "lenet"])
def test_the_digit_classifier_is_accurate(network: Any) -> None:
    """The committed weights reach 97 % top-1 on at least 500 held-out digits."""
    held_out = network.dataset()
    assert len(held_out["labels"]) >= 500
    (outputs,) = torch_runtime.run(network.build(Path()).module, [{"image": held_out["images"]}], ["logits"])
    assert top1(outputs["logits"], held_out["labels"]) >= 0.97


@pytest.mark.parametrize("pair", [("train", "held-out"), ("train", "calibration"),
                                  ("calibration", "held-out")], ids="-".join)  # fmt: skip
def test_no_digit_leaks(pair: tuple[str, str]) -> None:
    """No image, not even a duplicate of one, is in two parts, and both have every class."""
    (images, labels), (others, other_labels) = data.part(pair[0]), data.part(pair[1])
    assert not {i.tobytes() for i in images} & {i.tobytes() for i in others}
    assert set(labels) == set(other_labels) == set(range(10))


@pytest.mark.parametrize(("network", "most"), [(digits, 200_000), (lenet, 250_000)], ids=["digits", "lenet"])
def test_the_committed_weights_have_a_provenance(network: Any, most: int) -> None:
    """The weight file is small, all float32, and its sha256 stands in PROVENANCE.md."""
    text = (Path(reference_models.__path__[0]) / "PROVENANCE.md").read_text("utf-8")
    assert hashlib.sha256(network.WEIGHTS.read_bytes()).hexdigest() in text
    assert network.WEIGHTS.stat().st_size < most
    with np.load(network.WEIGHTS, allow_pickle=False) as archive:
        assert {archive[name].dtype.name for name in archive.files} == {"float32"}


@pytest.mark.parametrize("recipe", [digits_training.RECIPE, lenet_training.RECIPE], ids=["digits", "lenet"])
def test_training_is_repeatable(tmp_path: Path, recipe: Recipe) -> None:
    """A recipe writes the same bytes twice, and others for another seed."""
    written = []
    for number, seed in enumerate((0, 0, 1)):
        path = tmp_path / f"{number}.npz"
        write(train(replace(recipe, epochs=1), seed), path)
        written.append(path.read_bytes())
    assert written[0] == written[1] != written[2]


@pytest.mark.parametrize(
    ("logits", "labels", "share"),
    [
        (np.eye(4), np.array([0, 1, 2, 3]), 1.0),
        (np.eye(4), np.array([0, 1, 3, 2]), 0.5),
        (np.full((2, 3), np.nan), np.array([0, 0]), 0.0),
    ],
)
def test_top1_is_a_share(logits: np.ndarray, labels: np.ndarray, share: float) -> None:
    """Top-1 counts the images whose greatest logit is the label's, and never a NaN."""
    assert top1(logits, labels) == share


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.eye(4), np.array([0, 1]), r"\(4, 4\) and labels \(2,\)"),
        (np.zeros(4), np.zeros(4, int), r"expected \(N, classes\)"),
        (np.zeros((0, 4)), np.zeros(0, int), "no image"),
        (np.eye(2), np.array([0.0, 1.0]), "expected integers"),
        (np.eye(2), np.array([0, 2]), "there are 2 classes"),
    ],
)
def test_top1_refuses_what_does_not_fit(logits: np.ndarray, labels: np.ndarray, message: str) -> None:
    """Shapes, types and labels that do not belong together are refused."""
    with pytest.raises(ValueError, match=message):
        top1(logits, labels)
