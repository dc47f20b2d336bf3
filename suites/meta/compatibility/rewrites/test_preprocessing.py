"""Preprocessing within the graph gives what NumPy gives outside it."""

from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, shape_inference

from fixtures.compatibility.rewrites.preprocessing import preprocess
from suites.meta.networks.rewrite_models import feed, run, small

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
COLOURS = "mean=0.485:0.456:0.406,std=0.229:0.224:0.225"


def network(*shape: int | str, opset: int = 13, kind: int = TensorProto.FLOAT) -> ModelProto:
    """Make a network that gives its image back, doubled."""
    node = helper.make_node("Add", ["x", "x"], ["y"], name="twice")
    return small([node], opset=opset, shape=shape or (2, 3, 12, 8), kind=kind, made=kind)


def resampled(image: np.ndarray, axis: int, goal: int) -> np.ndarray:
    """Sample an axis linearly between centres of pixels; beyond the outermost ones they are held."""
    length = image.shape[axis]
    place = np.clip((np.arange(goal) + 0.5) * length / goal - 0.5, 0, length - 1)
    low = np.floor(place).astype(int)
    share = np.expand_dims((place - low), tuple(n for n in range(image.ndim) if n != axis))
    high = np.minimum(low + 1, length - 1)
    return image.take(low, axis) * (1 - share) + image.take(high, axis) * share


def expected(images: np.ndarray, inner: tuple[int, int], border: float, given: dict[str, Any]) -> np.ndarray:
    """Work out what the network of 12 x 8 takes: the image of a size within a border, normalized."""
    image = images.astype(np.float64).transpose(0, 3, 1, 2)
    image = resampled(resampled(image, 2, inner[0]), 3, inner[1])
    whole = np.full((*image.shape[:2], 12, 8), border, np.float64)
    top, left = (12 - inner[0]) // 2, (8 - inner[1]) // 2
    whole[:, :, top : top + inner[0], left : left + inner[1]] = image
    mean, std = (np.reshape(given.get(key, d), (1, -1, 1, 1)) for key, d in (("mean", 0), ("std", 1)))
    return (whole * given.get("scale", 1) - mean) / std


@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize(
    ("text", "inner", "border", "given"),
    [
        ("scale=1/255", (12, 8), 0, {"scale": 1 / 255}),
        (f"scale=1/255,{COLOURS}", (12, 8), 0, {"scale": 1 / 255, "mean": MEAN, "std": STD}),
        ("mean=127.5,std=127.5,size=24x16", (12, 8), 0, {"mean": 127.5, "std": 127.5}),
        ("size=5x7,scale=1/255", (12, 8), 0, {"scale": 1 / 255}),
        ("size=6x16,letterbox=114,scale=1/255", (3, 8), 114, {"scale": 1 / 255}),
        (f"size=30x10,letterbox=114,{COLOURS}", (12, 4), 114, {"mean": MEAN, "std": STD}),
        ("size=9x9,letterbox=0", (8, 8), 0, {}),
    ],
)
def test_it_gives_what_numpy_gives(
    text: str, inner: tuple[int, int], border: float, given: dict[str, Any], opset: int
) -> None:
    """Scale, mean, std, a stretch and a letterbox, of images of other ratios."""
    model = network(opset=opset)
    preprocess(model, text)
    shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    images = np.random.default_rng(1).integers(0, 256, _shape(model), np.uint8)
    (found,) = run(model, {"x": images})
    np.testing.assert_allclose(found, 2 * expected(images, inner, border, given), rtol=1e-4, atol=1e-4)


def _shape(model: ModelProto) -> list[int]:
    dims = model.graph.input[0].type.tensor_type.shape.dim
    return [dim.dim_value or 2 for dim in dims]


@pytest.mark.parametrize(("batch", "kind"), [("n", TensorProto.FLOAT), (1, TensorProto.FLOAT16)])
def test_batches_stay_and_types_are_kept(batch: int | str, kind: int) -> None:
    """A dynamic batch stays dynamic; a network in half precision gets halves."""
    model = network(batch, 3, 12, 8, kind=kind)
    said = preprocess(model, "size=24x24,scale=1/255")
    assert said == f"x takes bytes of {batch}x24x24x3"
    shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    assert model.graph.input[0].type.tensor_type.elem_type == TensorProto.UINT8
    assert run(model, feed(model))[0].dtype == helper.tensor_dtype_to_np_dtype(kind)


@pytest.mark.parametrize(
    ("shape", "opset", "text", "says"),
    [
        ((2, 3, 12, 8), 13, "input=z", "input=z: the model has the inputs x; name one"),
        ((2, 3, 12, 8), 13, "gamma=2", "gamma=2: it takes input=..., size=..., scale=..."),
        ((2, 3, 12, 8), 13, "scale=1,scale=2", "scale is given twice"),
        ((2, 3, 12, 8), 13, "scale=often", "scale=often: Invalid literal"),
        ((2, 3, 12, 8), 13, "scale=1/0", "scale=1/0: Fraction"),
        ((2, 3, 12, 8), 13, "size=480", "size=480: '' is no whole number from 1 on"),
        ((2, 3, 12, 8), 13, "mean=1:2", "mean: 2 numbers for 3 channels; give one or all"),
        ((2, 3, 12, 8), 13, "std=1:0:1", "std: nothing can be divided by 0"),
        ((2, 3, "h", "w"), 13, "", "no float image of N x channels x height x width with fixed sizes"),
        ((2, 3), 13, "", "no float image"),
        ((2, 3, 12, 8), 10, "size=5x5", "size: it needs opset 11, the model has 10"),
    ],
)
def test_what_does_not_fit_is_one_line(
    shape: tuple[int | str, ...], opset: int, text: str, says: str
) -> None:
    """Unknown, doubled and unreadable settings; channels, shapes and opsets that do not fit."""
    with pytest.raises(ValueError, match=says) as caught:
        preprocess(network(*shape, opset=opset), text)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("--preprocess")
