"""The commands that train: from scratch, sparse, on; what they write is what every other tool reads."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures import __main__ as command
from fixtures.converters.darknet.convert import convert
from fixtures.converters.mxnet.convert import convert as convert_mxnet
from reference_models.mxnet import digits_mobilenet
from suites.meta.places import ROOT
from suites.meta.training import networks

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None, reason="torch is not installed; run `tox run -e meta`"
)
QUICK = ["--scenes", "16", "--epochs", "2", "--batch", "8"]


def run(*words: object) -> int:
    """Run a command of this program."""
    return command.main([str(word) for word in words])


def test_a_network_goes_through_all_trainings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, sparsified and tuned weights are read by the converter; no checkpoint is left."""
    cfg = networks.small(tmp_path)
    files = [tmp_path / f"{name}.weights" for name in ("dense", "sparse", "tuned")]
    log = tmp_path / "gammas.jsonl"
    assert run("train", "darknet", cfg, "-o", files[0], *QUICK) == 0
    assert run("prune", "sparsify", cfg, files[0], "-o", files[1], "--log", log, *QUICK) == 0
    assert run("prune", "finetune", cfg, files[1], "-o", files[2], *QUICK) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[::2]] == [str(file) for file in files]
    assert all("2 epochs, 32 images; loss of the last epoch: box " in line for line in lines[::2])
    assert all(line.endswith("on 16 held-out images") for line in lines[1::2])
    assert {file.suffix for file in tmp_path.iterdir()} == {".cfg", ".weights", ".jsonl"}
    assert [json.loads(line)["sparsity"] for line in log.read_text().splitlines()] == [0.01, 0.01]
    seen = [int.from_bytes(file.read_bytes()[12:20], "little") for file in files]
    assert seen == [32, 64, 96]
    for file in files:
        convert(cfg, file, 13)


NETS = """from reference_models.pytorch import yolov5
from reference_models.pytorch.yolov5_layers import Architecture
from reference_models.pytorch.digits_yolov5n import ANCHORS
def thin():
    return yolov5.network(Architecture("n", classes=10, width=0.01, own_anchors=ANCHORS))
"""


def test_a_yolov5_goes_through_all_trainings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, sparsified, pruned and tuned: each command takes the file of the one before."""
    import torch

    (tmp_path / "thin_nets.py").write_text(NETS)
    dense, sparse, small, tuned = (tmp_path / f"{name}.pt" for name in ("dense", "sparse", "small", "tuned"))
    log = tmp_path / "gammas.jsonl"
    assert run("train", "pytorch", f"{tmp_path / 'thin_nets.py'}:thin", "-o", dense, *QUICK) == 0
    assert run("prune", "sparsify", dense, "-o", sparse, "--log", log, *QUICK) == 0
    assert run("prune", "pytorch", sparse, "--input", "1x3x96x96", "--ratio", "0.4", "-q", "-o", small) == 0
    assert run("prune", "finetune", small, "-o", tuned, *QUICK) == 0
    assert "mAP50-95 " in capsys.readouterr().out.splitlines()[-1]
    sizes = [
        sum(p.numel() for p in torch.load(f, weights_only=False).parameters()) for f in (dense, small, tuned)
    ]
    assert sizes[0] > sizes[1] == sizes[2]
    gammas = json.loads(log.read_text().splitlines()[-1])["gammas"]
    assert sum(gammas["model.0.bn"]) == 8
    assert not list(tmp_path.glob("*.checkpoint"))


@pytest.mark.skipif(find_spec("mxnet") is None, reason="mxnet is not installed; run `tox run -e meta`")
def test_an_mxnet_classifier_is_slimmed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Sparsified, pruned and tuned by MXNet on images of a user; the converter reads the result."""
    files = digits_mobilenet.MODEL.build(tmp_path).files
    images, labels = digits_mobilenet.part("train")
    np.savez(tmp_path / "some.npz", images=images[:16], labels=labels[:16])
    np.savez(tmp_path / "others.npz", images=images[16:32], labels=labels[16:32])
    quick = [
        "--images",
        tmp_path / "some.npz",
        "--evaluate",
        tmp_path / "others.npz",
        "--epochs",
        "1",
        "--batch",
        "8",
    ]
    sparse, tuned = tmp_path / "sparse-0000.params", tmp_path / "tuned-0000.params"
    small = tmp_path / "small-symbol.json"
    assert run("prune", "sparsify", files["symbol"], files["params"], "-o", sparse, *quick) == 0
    shape = ["--input", "1x3x32x32", "--ratio", "0.3", "-q"]
    assert run("prune", "mxnet", files["symbol"], sparse, *shape, "-o", small) == 0
    assert run("prune", "finetune", small, tmp_path / "small-0000.params", "-o", tuned, *quick) == 0
    assert capfd.readouterr().out.splitlines()[-1].endswith("on 16 held-out images")
    for held_out, said in (("some.npz", "16 of its images are learned from, too"), ("none.npz", "none.npz")):
        again = [*quick[:2], "--evaluate", tmp_path / held_out, "-o", tmp_path / "again.params"]
        assert run("prune", "finetune", small, tmp_path / "small-0000.params", *again) == 1
        assert said in capfd.readouterr().err
    assert not list(tmp_path.glob("again*"))
    assert tuned.stat().st_size < sparse.stat().st_size
    convert_mxnet(small, tuned, {"data": (1, 3, 32, 32)}, 13)


def test_a_seed_gives_the_same_file(tmp_path: Path) -> None:
    """The whole command repeats itself to the bit."""
    cfg = networks.small(tmp_path)
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert run("train", "darknet", cfg, "-o", tmp_path / name, "--seed", seed, *QUICK) == 0
    one, two, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == two != other


STOPPED = {
    "Darknet, Ctrl+C": ("darknet", 20, signal.SIGINT),
    "YOLOv5, killed": ("pytorch", 6, signal.SIGKILL),
}


@pytest.mark.parametrize(("framework", "epochs", "number"), STOPPED.values(), ids=STOPPED)
def test_an_interrupted_command_goes_on(
    framework: str, epochs: int, number: signal.Signals, tmp_path: Path
) -> None:
    """Ctrl+C ends it with 130 and a word, a kill at once; the same command then gives what a whole run does.

    It begins on one thread, and goes on where there are two, as the whole run has not.
    """
    (tmp_path / "thin_nets.py").write_text(NETS)
    network = networks.small(tmp_path) if framework == "darknet" else f"{tmp_path / 'thin_nets.py'}:thin"
    broken, whole = (tmp_path / f"{name}.out" for name in ("broken", "whole"))
    words = [
        "train",
        framework,
        str(network),
        "--scenes",
        "16",
        "--epochs",
        str(epochs),
        "--batch",
        "8",
        "-o",
    ]
    child = _on_threads(1, [*words, str(broken)])
    while not broken.with_suffix(".checkpoint").exists():
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(number)
    _, said = child.communicate()
    told = "broken.checkpoint; the same command goes on from there" in said
    assert (child.returncode, told) == ((130, True) if number == signal.SIGINT else (-number, False))
    assert broken.with_suffix(".checkpoint").exists()
    for threads, file in ((2, broken), (1, whole)):
        child = _on_threads(threads, [*words, str(file)])
        _, said = child.communicate()
        assert child.returncode == 0, said
    assert broken.read_bytes() == whole.read_bytes()


def _on_threads(threads: int, words: list[str]) -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    program = [sys.executable, "-m", "fixtures", *words]
    return subprocess.Popen(program, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


WRONG = {
    "no penalty": (["prune", "sparsify", "{cfg}", "w", "--strength", "0", "-o", "o"], 2, "--strength 0.0"),
    "no weights": (["prune", "finetune", "{cfg}", "absent", "-o", "o"], 1, "absent: cannot be read"),
    "no list": (["train", "darknet", "{cfg}", "--images", "absent.txt", "-o", "o"], 1, "absent.txt: No such"),
    "no epoch": (["train", "darknet", "{cfg}", "--epochs", "0", "-o", "o"], 2, "'0' is no number from 1 on"),
    "weights of a module": (["prune", "finetune", "a.pt", "a.weights", "-o", "o"], 2, "leave a.weights out"),
    "no weights of a cfg": (["prune", "finetune", "{cfg}", "-o", "o"], 2, "the file of its weights behind"),
    "no module": (["prune", "finetune", "{cfg}.pt", "-o", "o"], 1, "small.cfg.pt: No such file"),
    "no size": (
        ["prune", "finetune", "torch.nn:Identity", "--images", "a.txt", "-o", "o"],
        2,
        "--size HxW: give",
    ),
    "half a size": (["prune", "finetune", "a.pt", "--size", "320", "-o", "o"], 2, "'320' is no size"),
    "sgd for MXNet": (
        ["prune", "finetune", "a-symbol.json", "a.params", "--optimizer", "sgd", "-o", "o"],
        2,
        "by adam",
    ),
    "no device": (
        ["train", "darknet", "{cfg}", "--device", "toaster", "-o", "o"],
        1,
        "device 'toaster' cann",
    ),
    "an unknown recipe": (["train", "recipe", "digits-yolov9", "-o", "o"], 2, "digits-yolov3-tiny"),
}


@pytest.mark.parametrize(("words", "code", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_call_says_what_is_wrong(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, before anything is trained."""
    cfg = networks.small(tmp_path)
    try:
        ended = command.main([word.format(cfg=cfg) for word in words])
    except SystemExit as error:
        ended = int(str(error.code))
    assert ended == code
    assert said in capsys.readouterr().err


def test_a_file_without_a_module_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A state_dict is told from a module, and from what is no file of torch."""
    import torch

    state, text = tmp_path / "state.pt", tmp_path / "text.pt"
    torch.save({"a": torch.zeros(1)}, state)
    text.write_text("none")
    for file, said in ((state, "state.pt: holds dict, no torch.nn.Module"), (text, "text.pt: no module")):
        assert run("prune", "finetune", file, "-o", tmp_path / "o.pt", *QUICK) == 1
        assert said in capsys.readouterr().err
