"""The NumPy interpreter of Darknet agrees with PyTorch, which knows nothing of Darknet, layer by layer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from suites.meta.oracles.darknet_interpreter import network, text
from suites.meta.oracles.darknet_interpreter.cases import CASES, CONV, Case, cfg

Tensor = Any
EXACT: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
POOLS = [
    name
    for name, case in CASES.items()
    if name.startswith(("maxpool_", "local_avgpool"))
    and not {"maxpool_depth", "antialiasing"} & set(text.read(case.cfg)[-1].values)
]


class Ran:
    """A case that was run in float64: `x` and `y` of its last layer, and its weights in file order."""

    def __init__(self, case: Case, folder: Path) -> None:
        import torch

        paths = case.write(folder)
        data = network.input_of(case.cfg, seed=1)
        self.outputs = network.run(*paths, data)
        last = max(self.outputs)
        self.options = text.read(case.cfg)[-1]
        self.y = torch.from_numpy(np.ascontiguousarray(self.outputs[last]))
        self.x = torch.from_numpy(self.outputs[last - 1] if last else data)
        self.floats = torch.from_numpy(np.fromfile(paths[1], "<f4")[5:].astype(np.float64))

    def tail(self, *shapes: tuple[int, ...]) -> list[Tensor]:
        """Return the last numbers of the file in these shapes, in this order."""
        at, parts = len(self.floats) - sum(int(np.prod(shape)) for shape in shapes), []
        for shape in shapes:
            end = at + int(np.prod(shape))
            parts.append(self.floats[at:end].reshape(shape))
            at = end
        return parts

    def expect(self, expected: Tensor, **limits: Any) -> None:
        """Compare what the last layer gave."""
        np.testing.assert_allclose(self.y.numpy(), expected.numpy(), **(limits or EXACT))


@pytest.fixture
def ran(tmp_path: Path) -> Callable[[str], Ran]:
    """Run a case by its name."""
    return lambda name: Ran(CASES[name], tmp_path)


@pytest.mark.parametrize(
    ("name", "size", "arguments"),
    [
        ("stride", 3, {"stride": 2, "padding": 1}),
        ("strides", 3, {"stride": (2, 1), "padding": 1}),
        ("padding", 5, {"padding": 1}),
        ("pad_over_padding", 5, {"padding": 2}),
        ("even", 4, {"stride": 2, "padding": 2}),
        ("groups", 3, {"padding": 1, "groups": 4}),
        ("depthwise", 3, {"stride": 2, "padding": 1, "groups": 8}),
        ("dilation", 3, {"padding": 2, "dilation": 2}),
        ("dilation_of_1x1", 1, {}),
    ],
)
def test_convolution_is_torchs(
    name: str, size: int, arguments: dict[str, Any], ran: Callable[[str], Ran]
) -> None:
    """Bias, scale, mean, variance, weights; epsilon 1e-5; BatchNorm before leaky; each stride and group."""
    from torch.nn import functional

    done = ran(f"convolution_{name}")
    shape = (8, 8 // arguments.get("groups", 1), size, size)
    bias, scale, mean, variance, weights = done.tail((8,), (8,), (8,), (8,), shape)
    y = functional.conv2d(done.x, weights, **arguments)
    y = functional.batch_norm(y, mean, variance, scale, bias, eps=1e-5)
    done.expect(functional.leaky_relu(y, 0.1))


@pytest.mark.parametrize(("kind", "weights", "padding"), [("", (1, 2, 1), 1), ("_2", (1, 1), 0)])
def test_antialiasing_blurs_and_takes_the_stride(
    kind: str, weights: tuple[int, ...], padding: int, ran: Callable[[str], Ran]
) -> None:
    """The layer works at stride 1, then a fixed depthwise kernel of sum 1 takes its stride."""
    import torch
    from torch.nn import functional

    done = ran(f"convolution_antialiasing{kind}")
    bias, scale, mean, variance, stored = done.tail((8,), (8,), (8,), (8,), (8, 8, 3, 3))
    y = functional.conv2d(done.x, stored, padding=1)
    y = functional.leaky_relu(functional.batch_norm(y, mean, variance, scale, bias, eps=1e-5), 0.1)
    vector = torch.tensor(weights, dtype=torch.float64)
    kernel = (torch.outer(vector, vector) / vector.sum() ** 2).expand(8, 1, -1, -1)
    done.expect(functional.conv2d(y, kernel, stride=2, padding=padding, groups=8))


def test_shared_weights_are_those_of_the_layer_named(ran: Callable[[str], Ran]) -> None:
    """Layers 2 and 3 of share_index=1 and -2 compute with the weights of layer 1, and store none."""
    import torch
    from torch.nn import functional

    done = ran("convolution_share")
    bias, scale, mean, variance, stored = done.tail((8,), (8,), (8,), (8,), (8, 8, 3, 3))
    y = torch.from_numpy(done.outputs[0])
    for index, dilation in ((1, 1), (2, 2), (3, 1)):
        y = functional.conv2d(y, stored, padding=dilation, dilation=dilation)
        y = functional.batch_norm(y, mean, variance, scale, bias, eps=1e-5)
        y = functional.mish(y) if index == 2 else functional.leaky_relu(y, 0.1)
    done.expect(y)


@pytest.mark.parametrize("name", POOLS)
def test_pooling_is_torchs_after_darknets_padding(name: str, ran: Callable[[str], Ran]) -> None:
    """Half of the padding before, what is missing behind, negative where pixels are left over."""
    import torch
    from torch.nn import functional

    done = ran(name)
    size = done.options.integer("size", 1)
    strides = [
        done.options.integer(key, done.options.integer("stride", 1)) for key in ("stride_y", "stride_x")
    ]
    before = done.options.integer("padding", size - 1) // 2
    behind = [
        (out - 1) * stride + size - length - before
        for out, stride, length in zip(done.y.shape[2:], strides, done.x.shape[2:], strict=True)
    ]
    pads = (before, behind[1], before, behind[0])
    if name.startswith("maxpool"):
        padded = functional.pad(done.x, pads, value=-torch.inf)
        done.expect(functional.max_pool2d(padded, size, strides))
    else:
        sums, counts = (
            functional.avg_pool2d(functional.pad(t, pads), size, strides)
            for t in (done.x, torch.ones_like(done.x))
        )
        done.expect(sums / counts)


def test_pixels_move_as_torch_moves_them(ran: Callable[[str], Ran]) -> None:
    """Upsample, its reverse, reorg3d, crop and avgpool have counterparts in PyTorch."""
    import torch
    from torch.nn import functional

    for name, scale in (("upsample", 2), ("upsample_4", 4)):
        done = ran(name)
        factor = done.options.number("scale", 1.0)
        done.expect(factor * functional.interpolate(done.x, scale_factor=scale, mode="nearest"))
    done = ran("upsample_reverse")
    done.expect(0.5 * functional.avg_pool2d(done.x, 2) * 4)
    done = ran("reorg3d")
    n, c, h, w = done.x.shape
    unshuffled = functional.pixel_unshuffle(done.x, 2).reshape(n, c, 4, h // 2, w // 2)
    done.expect(unshuffled.transpose(1, 2).reshape(done.y.shape))
    done = ran("avgpool")
    done.expect(functional.adaptive_avg_pool2d(done.x, 1))
    done = ran("maxpool_depth")
    done.expect(torch.amax(done.x.reshape(1, 4, 2, *done.x.shape[2:]), dim=1))


def test_dense_layers_are_torchs(ran: Callable[[str], Ran]) -> None:
    """Connected stores its weights before the scales; local has a kernel for each place."""
    from torch.nn import functional

    done = ran("connected_bn")
    flat = done.x.flatten(1)
    bias, weights, scale, mean, variance = done.tail((10,), (10, flat.shape[1]), (10,), (10,), (10,))
    y = functional.batch_norm(functional.linear(flat, weights), mean, variance, scale, bias, eps=1e-5)
    done.expect(functional.leaky_relu(y, 0.1)[:, :, None, None])
    done = ran("local")
    _, filters, height, width = done.y.shape
    bias, kernels = done.tail((filters, height, width), (height * width, filters, 8 * 9))
    columns = functional.unfold(done.x, 3, stride=2)[0]
    y = (kernels @ columns.T[:, :, None]).squeeze(-1).T.reshape(filters, height, width) + bias
    done.expect(functional.leaky_relu(y, 0.1)[None])
    for name, groups in (("softmax", 1), ("softmax_groups", 2), ("softmax_map", 1)):
        done = ran(name)
        done.expect(done.x.reshape(1, groups, -1).softmax(-1).reshape(done.x.shape))


def test_lstm_is_torchs(tmp_path: Path) -> None:
    """Gates are stored f, i, g, o, those of the state before those of the input; PyTorch's are i, f, g, o."""
    import torch

    case, data = CASES["lstm"], network.input_of(CASES["lstm"].cfg, 1)
    paths = case.write(tmp_path)
    floats = torch.from_numpy(np.fromfile(paths[1], "<f4")[5:].astype(np.float64))
    gates, at = [], 0
    for inputs in (5, 5, 5, 5, 48, 48, 48, 48):
        gates.append((floats[at : at + 5], floats[at + 5 : at + 5 + 5 * inputs].reshape(5, inputs)))
        at += 5 + 5 * inputs
    lstm = torch.nn.LSTM(48, 5, dtype=torch.float64)
    for kind, first in (("hh", 0), ("ih", 4)):
        rows = [gates[first + gate] for gate in (1, 0, 2, 3)]
        for label, which in (("bias", 0), ("weight", 1)):
            getattr(lstm, f"{label}_{kind}_l0").data = torch.cat([row[which] for row in rows])
    expected = lstm(torch.from_numpy(data).reshape(3, 1, 48))[0].detach().numpy()
    outputs = network.run(*paths, data)
    np.testing.assert_allclose(outputs[0].reshape(3, 1, 5), expected, **EXACT)


def test_epsilon_of_a_millionth_is_seen(tmp_path: Path) -> None:
    """OpenCV's epsilon, 1e-6 instead of 1e-5, changes the numbers far beyond float32's noise."""
    case = Case("epsilon", cfg(f"{CONV}\n{CONV}"))
    paths, data = case.write(tmp_path), network.input_of(case.cfg, 1)
    right, wrong = (network.run(*paths, data, epsilon=epsilon)[1] for epsilon in (1e-5, 1e-6))
    folded = network.run(*paths, data.astype(np.float32), fold=True)[1]
    norm = np.linalg.norm(right)
    assert np.linalg.norm(wrong - right) > 100 * np.linalg.norm(folded - right) > 0
    assert np.linalg.norm(folded - right) < 1e-6 * norm


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Neither too few nor too many weights go unnoticed by the interpreter."""
    case = CASES["yolo"]
    config, weights = case.write(tmp_path)
    data, stored = network.input_of(case.cfg, 1), weights.read_bytes()
    for changed, said in (
        (stored[:-4], "the weights end before"),
        (stored + b"\0" * 4, "belong to no layer"),
    ):
        weights.write_bytes(changed)
        with pytest.raises(ValueError, match=said):
            network.run(config, weights, data)
