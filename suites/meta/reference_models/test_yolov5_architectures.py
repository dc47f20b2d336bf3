"""YOLOv5 is the published network at every release and size, tensor for tensor and number for number."""

from importlib.util import find_spec
from typing import Any

import pytest

from reference_models.pytorch import yolov5
from reference_models.pytorch.yolov5_layers import Architecture
from suites.meta.oracles import yolov5_reference as reference

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="not installed: torch; use dependency group 'convert'"
)
MILLION = 1_000_000
STRUCTURES = [("n", 2, False), ("n", 3, False), ("n", 4, False), ("n", 5, True), ("n", 6, False),
              ("n", 6, True)]  # fmt: skip
"""One of every structure, the smallest size; release 5 has the layers of 4."""
SIDES = (64, 448)
"""Height and width whose coarsest maps of stride 32 are wider than every pool: else some pools are equal."""
ROUNDING = 2e-5
"""Relative L2 that the order of sums in float32 may make, some 200 times its rounding."""


def names(case: tuple[str, int, bool]) -> str:
    """Name a structure as its vendor does: size, 6 for four heads, release."""
    size, release, p6 = case
    return f"{size}{'6' if p6 else ''}-r{release}"


@pytest.fixture
def meta() -> Any:
    """Let torch make tensors without memory: only names and shapes count."""
    import torch

    with torch.device("meta"):
        yield


@pytest.mark.usefixtures("meta")
@pytest.mark.parametrize(
    ("size", "release", "p6", "trained", "fused", "layers"),
    [
        ("n", 6, False, 1_872_157, 1_867_405, 270),
        ("s", 6, False, 7_235_389, 7_225_885, 270),
        ("m", 6, False, 21_190_557, 21_172_173, 369),
        ("l", 6, False, 46_563_709, 46_533_693, 468),
        ("x", 6, False, 86_749_405, 86_705_005, 567),
        ("s", 5, False, 7_276_605, 7_266_973, 283),
    ],
)
def test_the_network_has_the_published_size(
    size: str, release: int, p6: bool, trained: int, fused: int, layers: int
) -> None:
    """Parameters in training and with BN folded, and the number of modules, are those of its summary."""
    from reference_models.pytorch.yolov5_modules import Conv

    module = yolov5.network(Architecture(size, release, p6))
    count = sum(p.numel() for p in module.parameters())
    folded = sum(part.bn.num_features for part in module.modules() if isinstance(part, Conv))
    assert (count, count - folded, len(list(module.modules()))) == (trained, fused, layers)


@pytest.mark.usefixtures("meta")
@pytest.mark.parametrize(
    ("size", "release", "p6", "millions"),
    [
        ("n", 6, True, 3.2), ("s", 6, True, 12.6), ("m", 6, True, 35.7), ("l", 6, True, 76.7),
        ("x", 6, True, 140.7), ("m", 5, True, 35.9), ("l", 5, True, 77.2), ("x", 5, True, 141.8),
        ("s", 3, False, 7.46), ("m", 3, False, 21.8), ("l", 3, False, 47.8), ("x", 3, False, 88.9),
    ],
)  # fmt: skip
def test_the_network_has_the_published_share_of_millions(
    size: str, release: int, p6: bool, millions: float
) -> None:
    """Where only rounded numbers are published, with BN folded, it is one of those that round to them."""
    from reference_models.pytorch.yolov5_modules import Conv

    module = yolov5.network(Architecture(size, release, p6))
    count = sum(p.numel() for p in module.parameters())
    count -= sum(part.bn.num_features for part in module.modules() if isinstance(part, Conv))
    assert count / MILLION == pytest.approx(millions, abs=0.051)


@pytest.mark.usefixtures("meta")
@pytest.mark.parametrize(
    ("release", "p6"), [(3, False), (5, False), (5, True), (6, False), (6, True)], ids=str
)
@pytest.mark.parametrize("size", "nsmlx")
def test_the_state_has_the_published_names_and_shapes(size: str, release: int, p6: bool) -> None:
    """A state_dict of the published names and shapes loads strictly, and there is no other tensor."""
    import torch

    published = reference.shapes(size, release, p6)
    module = yolov5.network(Architecture(size, release, p6))
    assert {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()} == published
    module.load_state_dict({name: torch.empty(shape) for name, shape in published.items()}, assign=True)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("model.0.conv.weight", (16, 3, 6, 6)),
        ("model.4.m.1.cv2.conv.weight", (32, 32, 3, 3)),
        ("model.9.cv2.conv.weight", (256, 512, 1, 1)),
        ("model.24.m.2.weight", (255, 256, 1, 1)),
        ("model.24.anchors", (3, 3, 2)),
    ],
)
def test_the_second_writing_has_published_tensors(name: str, shape: tuple[int, ...]) -> None:
    """The reference has the 349 tensors of the published yolov5n, among them these."""
    published = reference.shapes("n", 6, False)
    assert len(published) == 349
    assert published[name] == shape


def drawn(module: Any, seed: int) -> Any:
    """Return weights and statistics that are all different and keep activations near 1."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if name.endswith("running_var") or name.endswith("bn.weight"):
                tensor.uniform_(0.5, 1.5, generator=generator)
            elif tensor.ndim == 4:
                tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5, generator=generator)
            elif tensor.is_floating_point() and "anchor" not in name:
                tensor.normal_(0, 0.5, generator=generator)
    return module


def error(module: Any, case: tuple[str, int, bool]) -> float:
    """Return how far the network's heads are from those of the second writing: worst relative L2."""
    import torch

    image = torch.rand(1, 3, *SIDES, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        got = module(image)
        wanted = reference.forward(module.state_dict(), image, *case)
    assert len(got) == len(wanted) == (4 if case[2] else 3)
    return max(float((a - b).norm() / b.norm()) for a, b in zip(got, wanted, strict=True))


@pytest.mark.parametrize("case", STRUCTURES, ids=names)
def test_the_network_computes_what_the_second_writing_does(case: tuple[str, int, bool]) -> None:
    """All heads agree to float32 rounding."""
    assert error(drawn(yolov5.network(Architecture(*case)), 1), case) < ROUNDING


def spoil(module: Any, what: str) -> None:
    """Plant one error that leaves every name and shape as it is."""
    from torch import nn

    layers = module.model
    if what == "slices":  # the order of the quarters in the Focus stem
        weight = layers[0].conv.conv.weight
        layers[0].conv.conv = nn.Conv2d(12, len(weight), 3, padding=1, bias=False)
        layers[0].conv.conv.weight.data = weight.data
        layers[0].conv.conv.register_forward_pre_hook(
            lambda _, x: (x[0][:, [0, 1, 2, 6, 7, 8, 3, 4, 5, 9, 10, 11]],)
        )
    elif what == "pools":
        layers[8].m[2] = nn.MaxPool2d(11, 1, 5)
    elif what == "halves":
        layers[2].cv1, layers[2].cv2 = layers[2].cv2, layers[2].cv1
        layers[2].register_state_dict_post_hook(_swap_names)
    elif what == "epsilon":
        layers[1].bn.eps = 1e-5
    elif what == "shortcut":
        layers[13].m[0].shortcut = True
    elif what == "activation":
        layers[3].act = nn.Hardswish()


def _swap_names(_: Any, state: dict[str, Any], prefix: str, __: Any) -> None:
    """Undo an exchange of two modules in what the state says of them."""
    pairs = [(name, name.replace("cv1", "cv2", 1)) for name in state if name.startswith(f"{prefix}cv1.")]
    for first, second in pairs:
        state[first], state[second] = state[second], state[first]


@pytest.mark.parametrize("what", ["slices", "pools", "halves", "epsilon", "shortcut", "activation"])
def test_a_wrong_structure_is_seen(what: str) -> None:
    """An error that no name or shape shows moves the heads away from the second writing."""
    case = ("n", 5, False)
    module = drawn(yolov5.network(Architecture(*case)), 1)
    spoil(module, what)
    assert error(module, case) > 10 * ROUNDING


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("b",), "no size 'b'; there are n, s, m, l, x"),
        (("n", 1), "release 1 is not built here, only 2 to 7; the heads of release 1"),
        (("n", 8), "release 8 is not built here"),
        (("n", 4, True), "release 4 has no P6 models"),
    ],
)
def test_what_is_no_yolov5_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    """Sizes and releases that do not exist are named, and what there is."""
    with pytest.raises(ValueError, match=message):
        Architecture(*arguments)
