"""The rows of YOLOv5 have repeatable weights that look trained, or the official ones."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.runtimes import torch_runtime
from reference_models import yolo
from reference_models.pytorch import yolov5, yolov5_rows, yolov5n
from reference_models.pytorch.state import digest
from reference_models.pytorch.yolov5_layers import Architecture
from reference_models.registry import choose

MISSING = [name for name in ("torch", "sklearn", "skimage", "PIL") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
ROWS = {row.name: row for row in (yolov5n.ROW, *yolov5_rows.ROWS)}
SMALL = ("yolov5n", "yolov5n6", "yolov5n-r3")
"""Rows of every activation and number of heads that a test has the time for."""


@pytest.fixture(scope="module")
def built() -> dict[str, Any]:
    """The small rows with their seeded weights."""
    return {name: ROWS[name].build(Path()).module for name in SMALL}


@pytest.fixture(scope="module")
def nano(built: dict[str, Any]) -> Any:
    """YOLOv5n with its seeded weights."""
    return built["yolov5n"]


def test_the_default_tier_has_the_nano_alone() -> None:
    """A run that names no model takes one YOLOv5, and the zoo has the others."""
    default, zoo = ({model.name for model in choose(tier)} for tier in ("default", "zoo"))
    assert ROWS.keys() & default == {"yolov5n"}
    assert ROWS.keys() - zoo == {"yolov5n"}


def test_seeded_weights_are_repeatable(nano: Any) -> None:
    """A second build has the same bits and leaves torch's random state and threads alone."""
    import torch

    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    source = yolov5n.ROW.build(Path())
    assert digest("", source.module) == digest("", nano)
    assert (source.weights, torch.get_num_threads()) == ("seeded", threads)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize(("name", "most"), [("yolov5n", 2), ("yolov5n6", 2), ("yolov5n-r3", 3)])
def test_seeded_heads_are_of_order_one(built: dict[str, Any], name: str, most: float) -> None:
    """On every sample each raw head varies within a channel by 0.2 to 2, and stays below 25.

    Release 3 by 3: its blocks end in LeakyReLU, which lets through more than SiLU of what is below 0.
    """
    row = ROWS[name]
    for outputs in torch_runtime.run(built[name], row.samples(), row.architecture.outputs):
        for raw in outputs.values():
            spread = np.std(raw - raw.mean(axis=(0, 2, 3), keepdims=True))
            assert 0.2 < spread < most
            assert np.abs(raw).max() < 25


@pytest.mark.parametrize("name", SMALL)
def test_rounding_is_not_amplified(built: dict[str, Any], name: str) -> None:
    """The seeded network answers in float32 as in float64, to 2e-5 of the spread of its heads."""
    import copy

    import torch

    image = torch.from_numpy(ROWS[name].samples()[0]["images"])
    with torch.no_grad():
        single, double = built[name](image), copy.deepcopy(built[name]).double()(image.double())
    for raw, exact in zip(single, double, strict=True):
        spread = exact - exact.mean(dim=(0, 2, 3), keepdim=True)
        assert (raw - exact).norm() < 2e-5 * spread.norm()


def test_four_heads_are_decoded(built: dict[str, Any]) -> None:
    """NumPy's reading of the raw heads of P6 is what the network's decoded form gives, box for box."""
    import torch

    row = ROWS["yolov5n6"]
    sample = row.samples()[0]
    (raw,) = torch_runtime.run(built["yolov5n6"], [sample], row.architecture.outputs)
    decoded = row.decode()(raw)
    wanted = yolov5.decoded(built["yolov5n6"], row.side, row.side)(torch.from_numpy(sample["images"]))
    parts = yolo.split({"out": wanted.detach().numpy()}, "out")
    for part in ("boxes", "objectness", "classes"):
        got = np.concatenate([decoded[f"p{level}/{part}"] for level in (3, 4, 5, 6)], 1)
        np.testing.assert_allclose(got, parts[f"out/{part}"], rtol=1e-5, atol=1e-4)
    assert {name.partition("/")[0] for name in decoded} == {"p3", "p4", "p5", "p6"}


def test_the_decoded_row_is_read_apart() -> None:
    """The row of decoded boxes gives boxes, objectness and classes, as many as there are anchors."""
    row = ROWS["yolov5n-decoded"]
    (outputs,) = torch_runtime.run(row.build(Path()).module, row.samples()[:1], [yolov5_rows.PREDICTIONS])
    shapes = {name: part.shape for name, part in row.decode()(outputs).items()}
    boxes = 3 * sum((192 // stride) ** 2 for stride in (8, 16, 32))
    assert shapes == {
        "predictions/boxes": (1, boxes, 4), "predictions/objectness": (1, boxes),
        "predictions/classes": (1, boxes, 80),
    }  # fmt: skip


@pytest.mark.parametrize("outputs", [{}, {"out": np.zeros((1, 255, 8, 8))}], ids=["none", "raw"])
def test_what_is_not_decoded_is_not_parted(outputs: dict[str, np.ndarray]) -> None:
    """A missing output, or a raw head in its place, is named with its shape."""
    with pytest.raises(ValueError, match=r"expected an output 'out' of \(N, boxes, 5\+classes\)"):
        yolo.split(outputs, "out")


@pytest.mark.parametrize("half", [False, True])
def test_a_saved_state_becomes_official_weights(
    nano: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    """A state_dict file named in the environment is loaded strictly, fp16 included."""
    import torch

    path = tmp_path / "state.pt"
    state = nano.state_dict()
    torch.save({k: v.half() if half else v for k, v in state.items()}, path)
    monkeypatch.setenv("TRT_PARITY_YOLOV5N", str(path))
    source = yolov5n.ROW.build(tmp_path)
    assert (source.weights, yolov5n.MODEL.origin()) == ("official", "official")
    first = source.module.state_dict()["model.0.conv.weight"]
    assert first.dtype == torch.float32
    assert torch.allclose(first, state["model.0.conv.weight"], rtol=1e-3)


def test_a_row_decodes_with_published_anchors_alone(
    nano: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of other anchors are refused by a row, which names both and who does take them."""
    import torch

    path = tmp_path / "other.pt"
    state = nano.state_dict()
    torch.save(state | {"model.24.anchors": state["model.24.anchors"].flip(0)}, path)
    monkeypatch.setenv("TRT_PARITY_YOLOV5N", str(path))
    with pytest.raises(ValueError, match=r"the row yolov5n decodes with .*fixtures\.converters\.yolov5"):
        yolov5n.ROW.build(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model.24.anchors": None}, "holds more than named tensors"),
        ({"model.24.extra": 0}, "holds more than named tensors"),
        ({"path": Path("a class that is not a tensor")}, "holds more than named tensors"),
    ],
)
def test_a_wrong_state_is_refused(nano: Any, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """A file with more than the tensors of a network is refused with the reason and the remedy."""
    import torch

    path = tmp_path / "wrong.pt"
    torch.save(dict(nano.state_dict()) | change, path)
    with pytest.raises(ValueError, match=rf"{message}.*\.float\(\)\.state_dict\(\)"):
        yolov5.load_weights(yolov5.network(Architecture("n")), path)


@pytest.mark.parametrize(
    ("row", "variable"),
    [("yolov5n", "TRT_PARITY_YOLOV5N"), ("yolov5s-r5", "TRT_PARITY_YOLOV5S_R5"),
     ("yolov5n-decoded", "TRT_PARITY_YOLOV5N")],
)  # fmt: skip
def test_each_row_has_a_variable(row: str, variable: str) -> None:
    """Official weights are named by a variable after the network; two forms of one share it."""
    assert ROWS[row].variable == variable
