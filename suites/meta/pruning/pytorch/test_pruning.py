"""Torch modules: the pruned one is the masked one, and can be had without the code that pruned it."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.pruning.plan import Settings
from fixtures.pruning.pytorch.network import TorchNetwork
from fixtures.pruning.pytorch.pruning import STRATEGIES, Pruned, pruned
from fixtures.pruning.table import totals
from fixtures.verdicts import StageError
from suites.meta.places import ROOT

if find_spec("torch_pruning") is None:
    if os.environ.get("CI"):
        pytest.fail("torch-pruning is not installed: pip install --group convert")
    pytest.skip("torch-pruning is not installed: pip install --group convert", allow_module_level=True)

ROUNDING = 5e-6
"""Relative L2. Measured: at most 3.4e-7 (YOLOv5n)."""
NAMES = (
    "chain", "same padding", "reflected padding", "residual", "concat", "depthwise", "classifier", "linear",
)  # fmt: skip
WHOLE = ("groups", "halves", "no gammas", "layer norm", "its own output")


def made(name: str) -> Any:
    """Return a module by name."""
    from suites.meta.networks import prunable_modules

    found = prunable_modules.MODULES | {name: row[0] for name, row in prunable_modules.WHOLE.items()}
    return prunable_modules.seeded(found[name]())


def image(side: int = 16) -> Any:
    """Return a batch of one seeded image."""
    import torch

    return torch.rand((1, 3, side, side), generator=torch.Generator().manual_seed(1))


def small(name: str, **asked: Any) -> Pruned:
    """Prune a module by name."""
    return pruned(made(name), [image()], Settings(**asked))


def test_all_modules_are_tried() -> None:
    """The names above, which need no torch to collect, are all there are."""
    from suites.meta.networks import prunable_modules

    assert (tuple(prunable_modules.MODULES), tuple(prunable_modules.WHOLE)) == (NAMES, WHOLE)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("name", NAMES)
def test_pruned_is_masked(name: str, strategy: str) -> None:
    """With carriers the outputs are equal within rounding, and parameters and multiply-adds are fewer."""
    found = small(name, ratio=0.5, strategy=strategy)
    before, after = totals(found.rows)
    assert found.masked < ROUNDING
    assert after.parameters < before.parameters
    assert after.macs < before.macs
    assert after.parameters == sum(one.numel() for one in found.module.parameters())


@pytest.mark.parametrize("name", ["reflected padding", "classifier", "linear"])
def test_folding_is_exact_where_no_zeros_are_seen(name: str) -> None:
    """Padding with the image itself is none, nor is there any in a linear layer: no carrier is spent."""
    folded, carried = small(name, mode="fold"), small(name, mode="carrier")
    assert folded.masked < ROUNDING
    np.testing.assert_array_equal(folded.plan.state, carried.plan.state)


def test_folding_differs_at_borders() -> None:
    """A padded convolution does not see the constant in its padding."""
    assert small("residual", mode="fold").masked > 1e-3


def test_keeping_all_is_the_identity() -> None:
    """With ratio 0 the outputs are the same to the bit, and so is every tensor."""
    module = made("residual")
    found = pruned(module, [image()], Settings(0.0))
    assert found.dense == 0
    for name, tensor in module.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), found.module.state_dict()[name].numpy(), err_msg=name)


@pytest.mark.parametrize("name", WHOLE)
def test_what_cannot_be_removed_is_kept_and_said(name: str) -> None:
    """Groups, halves, norms over channels and what the module gives are whole, with the reason."""
    from suites.meta.networks.prunable_modules import WHOLE as REASONS

    found = small(name)
    before, after = totals(found.rows)
    assert before == after
    assert any(REASONS[name][1] in row.why for row in found.rows)


def test_a_yolov5n_is_pruned_and_loads_without_this_code(tmp_path: Path) -> None:
    """The file has the layers with their shapes: a process that knows the network alone gives the same."""
    import torch

    from reference_models.pytorch import yolov5
    from reference_models.pytorch.yolov5_layers import Architecture
    from suites.meta.networks.prunable_modules import seeded

    x = image(64)
    found = pruned(seeded(yolov5.network(Architecture("n"))), [x], Settings(0.5, multiple=8))
    assert found.masked < ROUNDING
    torch.save(found.module, tmp_path / "small.pt")
    np.save(tmp_path / "x.npy", x.numpy())
    code = (
        "import sys, numpy, torch\n"
        "sys.modules['fixtures'] = sys.modules['torch_pruning'] = None\n"
        "module = torch.load('small.pt', weights_only=False)\n"
        "outputs = module(torch.from_numpy(numpy.load('x.npy')))\n"
        "numpy.savez('y.npz', *[one.detach().numpy() for one in outputs])\n"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    with np.load(tmp_path / "y.npz") as kept:
        for ours, theirs in zip(found.module(x), kept.values(), strict=True):
            np.testing.assert_array_equal(theirs, ours.detach().numpy())


def test_a_dropped_constant_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: without compensation, as Torch-Pruning leaves it, the outputs are others."""
    from fixtures.pruning.pytorch import surgery

    monkeypatch.setattr(surgery, "_compensate", lambda *_: None)
    assert small("residual").masked > 100 * ROUNDING


def test_a_module_that_cannot_be_traced_is_one_line() -> None:
    """What its forward raised is named, and what to give."""
    import torch

    with pytest.raises(StageError, match=r"cannot trace the module: RuntimeError: .* Give inputs that its"):
        _ = TorchNetwork(made("chain"), [torch.rand(1, 7, 16, 16)]).graph


def test_multiply_adds_are_those_of_the_graph() -> None:
    """What is reported of a module is what its ONNX graph has, before and after."""
    from fixtures.converters.pytorch.convert import convert
    from fixtures.pruning.costs import of_onnx

    found, dense = small("depthwise", ratio=0.5), made("depthwise")
    for module, cost in zip((dense, found.module), totals(found.rows), strict=True):
        model = convert(module, {"x": image().numpy()}, ("y",), 13, "torchscript", simplified=True)
        assert of_onnx(model).macs == cost.macs
