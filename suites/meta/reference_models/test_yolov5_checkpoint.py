"""Official YOLOv5 checkpoints are read without the vendor's code, and hostile ones run nothing."""

import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reference_models.pytorch import yolov5
from reference_models.pytorch import yolov5_checkpoint as checkpoint
from reference_models.pytorch.yolov5_layers import P5, Architecture
from suites.meta.places import ROOT

MISSING = [name for name in ("torch", "PIL", "skimage", "sklearn") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)
NANO = Architecture("n")


def run(*command: str) -> None:
    """Run Python in a process of its own, from the checkout."""
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of checkpoints by a process that has the vendor's classes."""
    folder = tmp_path_factory.mktemp("vendor")
    run("-m", "suites.meta.oracles.yolov5_vendor", str(folder))
    return folder


@pytest.mark.parametrize("release", [3, 5, 6])
def test_a_checkpoint_gives_its_state(written: Path, release: int) -> None:
    """Every tensor of a pickled network arrives under its published name, widened from fp16."""
    import torch

    module = yolov5.network(Architecture("n", release))
    yolov5.load_weights(module, written / f"r{release}.pt")
    wanted = torch.load(written / f"r{release}-state.pt", weights_only=True)
    got = module.state_dict()
    assert list(got) == list(wanted)
    assert got["model.1.conv.weight"].dtype == torch.float32
    assert all(torch.equal(got[name], tensor.to(got[name].dtype)) for name, tensor in wanted.items())


@pytest.mark.parametrize("name", ["ema", "bare"])
def test_every_kind_of_file_gives_the_same(written: Path, name: str) -> None:
    """Files of averaged weights and of a network alone are read alike."""
    import torch

    module, wanted = yolov5.network(NANO), yolov5.network(NANO)
    yolov5.load_weights(module, written / f"{name}.pt")
    yolov5.load_weights(wanted, written / "r6.pt")
    assert all(map(torch.equal, module.state_dict().values(), wanted.state_dict().values()))


def test_the_classes_stay_unknown(written: Path) -> None:
    """Reading leaves nothing allowed for others, and makes no package of the vendor's."""
    import torch

    before = set(torch.serialization.get_safe_globals())
    yolov5.load_weights(yolov5.network(NANO), written / "r6.pt")
    assert set(torch.serialization.get_safe_globals()) == before
    assert not {"models", "models.yolo", "models.common"} & set(sys.modules)
    with pytest.raises(pickle.UnpicklingError, match="Unsupported global"):
        torch.load(written / "bare.pt", weights_only=True)


def test_the_anchors_are_those_of_the_file(written: Path) -> None:
    """A network trained with other anchors decodes with them, in NumPy and in the decoded form."""
    import torch

    from reference_models import yolo

    module = yolov5.network(NANO)
    yolov5.load_weights(module, written / "anchors.pt")
    anchors = yolov5.anchors_of(module)
    np.testing.assert_allclose(anchors, 2 * np.array(P5))
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        raw = dict(zip(NANO.outputs, (tensor.numpy() for tensor in module(image)), strict=True))
        boxes = yolov5.decoded(module, 64, 64)(image)[..., :4].numpy()
    decoded = yolo.decode(raw, yolov5.heads_of(NANO, anchors))
    wanted = np.concatenate([decoded[f"{name}/boxes"] for name in NANO.outputs], 1)
    np.testing.assert_allclose(boxes, wanted, rtol=1e-5, atol=1e-3)


class Call:
    """What pickles as a call of a function."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call


def hostile(kind: str, mark: Path) -> Any:
    """Make what writes the file `mark` when it is unpickled as any pickle is."""
    command = f"{sys.executable} -c \"open('{mark}', 'w')\""
    system = Call(os.system, command)
    return {
        "top": system,
        "model": {"model": system},
        "note": {"model": OrderedDict(), "date": system},
        "eval": {"model": Call(eval, f"open({str(mark)!r}, 'w')")},
        "process": {"model": Call(subprocess.check_call, ["touch", str(mark)])},
        "nested": {"model": [("_modules", {"_parameters": Call(exec, f"open({str(mark)!r}, 'w')")})]},
    }[kind]  # fmt: skip


KINDS = ("top", "model", "note", "eval", "process", "nested")


@pytest.fixture(scope="module")
def traps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of hostile files, each of which has been seen to run its command in a child."""
    import torch

    folder = tmp_path_factory.mktemp("traps")
    for kind in KINDS:
        torch.save(hostile(kind, folder / f"{kind}.mark"), folder / f"{kind}.pt")
    for kind in KINDS:
        assert not (folder / f"{kind}.mark").exists()
    script = "import sys, torch\nfor p in sys.argv[1:]: torch.load(p, weights_only=False)"
    run("-c", script, *(str(folder / f"{kind}.pt") for kind in KINDS))
    for kind in KINDS:
        (folder / f"{kind}.mark").unlink()
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_file_runs_nothing(traps: Path, kind: str) -> None:
    """A file that calls a function when it is unpickled is refused by name, and the call is not made."""
    culprit = "GLOBAL (posix.system|eval|exec|commands.check_call)"  # the last as pickle 2 names it
    with pytest.raises(ValueError, match=rf"no checkpoint of YOLOv5 \(.*{culprit}"):
        yolov5.load_weights(yolov5.network(NANO), traps / f"{kind}.pt")
    assert not (traps / f"{kind}.mark").exists()


def husk(**state: Any) -> checkpoint.Husk:
    """Make what a module of a file becomes."""
    made = checkpoint.Husk()
    made.__setstate__(state)
    return made


def test_a_husk_does_nothing() -> None:
    """Whatever it is made with, it keeps none of it and cannot be given methods."""
    made = checkpoint.Husk(os.system, "false")
    assert made.state == {}
    with pytest.raises(AttributeError):
        made.__setattr__("__setstate__", print)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (husk(_parameters=3), "not made as torch's are"),
        (husk(_modules={"0": "text"}), "0. is no module"),
        (husk(_modules={"0": husk(_parameters={"weight": 3})}), "0.weight is no tensor"),
    ],
)
def test_what_is_no_module_is_refused(module: checkpoint.Husk, message: str) -> None:
    """Parts that are neither modules nor tensors are named."""
    with pytest.raises(ValueError, match=message):
        checkpoint.state_dict(module)


def test_a_module_in_itself_is_refused() -> None:
    """A file that nests a module in itself ends in an error."""
    made = checkpoint.Husk()
    made.__setstate__({"_modules": {"m": made}})
    with pytest.raises(ValueError, match=r"(m\.){20}m\. is no module"):
        checkpoint.state_dict(made)


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 no archive", b"\x80\x02."])
def test_a_broken_file_is_refused(tmp_path: Path, content: bytes) -> None:
    """Files that torch did not write get the message that says how to make one."""
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"no checkpoint of YOLOv5 \(.+\)\. If you trust it, run"):
        yolov5.load_weights(yolov5.network(NANO), path)


def test_a_file_of_an_old_torch_is_refused(written: Path) -> None:
    """Before 1.6 torch pickled the sources of classes too: such a checkpoint is told apart."""
    with pytest.raises(ValueError, match=r"it is no archive, which torch writes since 1\.6"):
        yolov5.load_weights(yolov5.network(NANO), written / "legacy.pt")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    """A path that leads nowhere is reported as such."""
    with pytest.raises(FileNotFoundError):
        yolov5.load_weights(yolov5.network(NANO), tmp_path / "none.pt")


@pytest.mark.parametrize(
    ("architecture", "message"),
    [(Architecture("s"), "size mismatch"), (Architecture("n", release=5), "Missing key")],
    ids=["size", "release"],
)
def test_another_network_is_refused(written: Path, architecture: Architecture, message: str) -> None:
    """A checkpoint of another size or release does not fit, and says where."""
    with pytest.raises(ValueError, match=f"(?s)does not fit this network: .*{message}"):
        yolov5.load_weights(yolov5.network(architecture), written / "r6.pt")
