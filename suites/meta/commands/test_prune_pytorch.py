"""The command prunes a user's module, writes it whole, and refuses what it cannot prove."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from fixtures.commands import prune_pytorch as command

if find_spec("torch_pruning") is None:
    if os.environ.get("CI"):
        pytest.fail("torch-pruning is not installed: pip install --group convert")
    pytest.skip("torch-pruning is not installed: pip install --group convert", allow_module_level=True)

NETS = """
from torch import nn


def make():
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 4, 3, padding=1)
    )


def spread():
    made = make()
    nn.init.uniform_(made[1].weight, 0.05, 1.5)
    nn.init.normal_(made[1].bias)
    return made
"""


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The beginning of a call, in a folder with a user's module."""
    monkeypatch.chdir(tmp_path)
    Path("prunable.py").write_text(NETS)
    return ["prunable.py:spread", "--input", "1x3x16x16"]


def test_it_writes_a_smaller_module(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The file has the layers in their new shapes, and the table says which."""
    import torch

    assert command.main([*call, "--ratio", "0.5", "--round", "4", "-o", "small.pt"]) == 0
    said = capsys.readouterr().out.splitlines()
    module = torch.load("small.pt", weights_only=False)
    assert said[-1] == "wrote small.pt"
    assert said[1].split()[:5] == ["0", "Conv2d", "16", str(module[0].out_channels), said[1].split()[4]]
    assert module(torch.zeros(1, 3, 16, 16)).shape == (1, 4, 16, 16)
    assert module[0].out_channels == module[3].in_channels < 16


BROKEN = {
    "made[1].weight[2] = float('nan')": "1.weight: 1 of 16 values are NaN or infinite, the first nan at (2,)",
    "made[1].running_var[0] = -1": "1.running_var: 1 of 16 values are negative, NaN or infinite",
    "made[3].weight[0, 0, 0, 0] = float('inf')": "3.weight: 1 of 576 values are NaN or infinite",
}


@pytest.mark.parametrize(("planted", "said"), BROKEN.items(), ids=BROKEN)
def test_weights_that_are_no_numbers_are_named(
    planted: str, said: str, call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The tensor and the place, and not a proof that failed; nothing is written."""
    factory = f"@torch.no_grad()\ndef broken():\n    made = spread()\n    {planted}\n    return made\n"
    Path("prunable.py").write_text(f"import torch\n{NETS}\n\n{factory}")
    assert command.main(["prunable.py:broken", *call[1:], "-o", "small.pt"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.rstrip().endswith("Give weights of a training that did not diverge")
    assert not Path("small.pt").exists()


def test_a_dry_run_writes_nothing(call: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The error is said: rounding with carriers."""
    assert command.main([*call, "--dry-run"]) == 0
    error = capsys.readouterr().out.splitlines()[-1].removeprefix("relative L2 on noise: ").split()[0]
    assert float(error) < 1e-5
    assert not list(Path().glob("*.pt"))


def test_gammas_that_are_all_alike_say_nothing(capsys: pytest.CaptureFixture[str], call: list[str]) -> None:
    """A module that was never trained loses nothing: that is said, and it is not written as a pruned one."""
    assert command.main(["prunable.py:make", *call[1:], "--dry-run", "-q"]) == 0
    said = "nothing is removed: all channels that may go are equally important"
    assert said in capsys.readouterr().out
    assert command.main(["prunable.py:make", *call[1:], "-o", "small.pt"]) == 1
    assert said in capsys.readouterr().err
    assert not Path("small.pt").exists()


WRONG = {
    "nothing to write": ([], 2, "give -o FILE.pt, or --dry-run"),
    "another input": (["--dry-run", "--input", "y:1x3x16x16"], 1, "cannot trace the module"),
}


@pytest.mark.parametrize(("asked", "code", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_is_one_line(
    asked: list[str], code: int, message: str, call: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What to give is said."""
    call[2] = f"x:{call[2]}"
    try:
        ended = command.main([*call, *asked])
    except SystemExit as error:
        ended = int(str(error.code))
    assert ended == code
    assert message in capsys.readouterr().err


def test_what_is_not_proven_is_not_written(
    call: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: where constants are forgotten no file is there."""
    from fixtures.pruning.pytorch import surgery

    monkeypatch.setattr(surgery, "_compensate", lambda *_: None)
    assert command.main([*call, "-o", "small.pt"]) == 1
    assert "the pruned network is not the masked one" in capsys.readouterr().err
    assert not Path("small.pt").exists()
