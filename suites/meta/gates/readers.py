"""Every reader of a user's files: what it is given, how it is called, and what must hold of what it gives."""

from __future__ import annotations

import io
import json
import os
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx
from onnx import numpy_helper

from fixtures.converters.darknet.convert import convert as from_darknet
from fixtures.converters.mxnet.convert import convert as from_mxnet
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.user.samples import Samples
from suites.meta.gates.mutations import BYTES, TEXT, Change, in_archive, mutations
from suites.meta.networks import user_models
from suites.meta.networks.darknet_reported import REPORTED
from suites.meta.networks.mxnet_files import Net, Op, Shape, list_bytes, symbol_of
from suites.meta.oracles.darknet_interpreter import network as interpreter

LONGEST = 1500
"""Characters of the longest message, the path of a test's folder included."""
CLEAR = (ValueError, StageError, OSError)
"""What a reader may raise; each is one line to the user."""
Read = Callable[[Path], None]


@dataclass(frozen=True)
class Reader:
    """One reader. prepare: writes what stands beside the file into a folder, gives sound files and a `Read`.

    A `Read` reads one file and asserts what must hold of all that is accepted.
    """

    name: str
    file: str
    changes: Sequence[Change]
    prepare: Callable[[Path], tuple[Sequence[bytes], Read]]


def outcomes(reader: Reader, folder: Path, count: int) -> Iterator[tuple[str, str]]:
    """Yield for each damaged file what came of it, and in what words.

    ``clear``: refused in one printable line. ``accepted``: read, and what must hold does. ``silent``: read,
    and it does not. ``traceback``: anything else.
    """
    sound, read = reader.prepare(folder)
    path = folder / reader.file
    for data in (*sound, *mutations(sound, reader.changes, count)):
        path.write_bytes(data)
        yield _outcome(read, path, str(folder))


def _outcome(read: Read, path: Path, folder: str) -> tuple[str, str]:
    try:
        read(path)
    except CLEAR as error:
        text = str(error).replace(folder, "")
        whole = text.isprintable() and 10 < len(text) < LONGEST and not isinstance(error, UnicodeError)
        return ("clear" if whole else "traceback"), text
    except AssertionError as error:
        return "silent", str(error)
    except Exception as error:
        return "traceback", f"{type(error).__name__}: {error}"
    return "accepted", ""


def counted(reader: Reader, folder: Path, count: int) -> tuple[Counter[str], list[str]]:
    """Count the outcomes of sound files and so many damaged ones.

    Return them with the words of those that must not be.
    """
    total: Counter[str] = Counter()
    bad = []
    for number, (outcome, words) in enumerate(outcomes(reader, folder, count)):
        total[outcome] += 1
        if outcome in ("silent", "traceback"):
            bad.append(f"{number}: {outcome}: {words[:400]}")
    return total, bad


def _is_sound(model: onnx.ModelProto) -> None:
    """Hold that a model is valid and that no weight of it is a broken number."""
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise AssertionError(f"an invalid model: {error}") from None
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        assert array.dtype.kind != "f" or np.isfinite(array).all(), f"{tensor.name} is not finite"


RECURRENT = """[net]
channels=6
height=1
width=1
time_steps=3
[lstm]
output=4
batch_normalize=1
[connected]
output=5
activation=leaky
[softmax]
groups=1
"""


def _darknet(folder: Path) -> list[tuple[str, bytes]]:
    """Return cfg and weights of small networks; where they lie does not matter."""
    texts = [*(reported.text for reported in REPORTED.values()), RECURRENT]
    return [(text, interpreter.weights_for(text, folder, seed=1)) for text in texts]


def _darknet_cfg(folder: Path) -> tuple[Sequence[bytes], Read]:
    pairs = _darknet(folder)
    weights = folder / "a.weights"

    def read(path: Path) -> None:
        # the weights of the network that the text was made of, going by what they share
        lines = set(path.read_bytes().split(b"\n"))
        weights.write_bytes(max(pairs, key=lambda pair: len(lines & set(pair[0].encode().split(b"\n"))))[1])
        _is_sound(from_darknet(path, weights, 13))

    return [text.encode() for text, _ in pairs], read


def _darknet_weights(folder: Path) -> tuple[Sequence[bytes], Read]:
    text, weights = _darknet(folder)[0]
    cfg = folder / "a.cfg"
    cfg.write_text(text)
    return [weights], lambda path: _is_sound(from_darknet(cfg, path, 13))


STATISTICS: dict[str, Shape] = {"gamma": (4,), "beta": (4,), "moving_mean": (4,), "moving_var": (4,)}
NET = Net(
    "n",
    [
        Op("Convolution", {"kernel": "(3, 3)", "num_filter": "4", "pad": "(1, 1)"}, ["x", "weight", "bias"]),
        Op("BatchNorm", {"fix_gamma": "False", "eps": "2e-05"}, [0, *STATISTICS]),
        Op("Pooling", {"kernel": "(2, 2)", "stride": "(2, 2)", "pool_type": "avg"}, [1]),
        Op("Reshape", {"shape": "(0, -1)"}, [2]),
        Op("softmax", {"axis": "-1"}, [3]),
    ],
    {"x": (1, 3, 8, 8), "weight": (4, 3, 3, 3), "bias": (4,)} | STATISTICS,
)


def _mxnet_symbol(folder: Path) -> tuple[Sequence[bytes], Read]:
    params = folder / "a-0000.params"
    params.write_bytes(list_bytes(NET.stored()))
    sound = json.dumps(symbol_of([NET]), indent=1).encode()
    return [sound], lambda path: _is_sound(from_mxnet(path, params, {"n_x": (1, 3, 8, 8)}, 13))


def _mxnet_params(folder: Path) -> tuple[Sequence[bytes], Read]:
    symbol = folder / "a-symbol.json"
    symbol.write_text(json.dumps(symbol_of([NET])))
    sound = [list_bytes(NET.stored(), layout) for layout in ("V2", "legacy")]
    return sound, lambda path: _is_sound(from_mxnet(symbol, path, {"n_x": (1, 3, 8, 8)}, 13))


TABLES = """[model.small]
framework = "pytorch"
factory = "nets.py:small"
inputs = { image = [1, 3, 8, 8] }
outputs = ["scores"]
samples = "samples.npz"
exact = ["label"]

[model.detector]
framework = "darknet"
cfg = "a.cfg"
weights = "a.weights"
lenient = true
mean = [0, 0.5, 1]
scale = 0.25

[model.old]
framework = "mxnet"
symbol = "a-symbol.json"
params = "a-0000.params"
inputs = { n_x = [1, 3, 8, 8] }
converters = ["mxnet"]
"""


def _model_file(folder: Path) -> tuple[Sequence[bytes], Read]:
    text, weights = _darknet(folder)[0]
    (folder / "a.cfg").write_text(text)
    (folder / "a.weights").write_bytes(weights)
    (folder / "a-symbol.json").write_text(json.dumps(symbol_of([NET])))
    (folder / "a-0000.params").write_bytes(list_bytes(NET.stored()))
    user_models.write(folder)
    np.savez(folder / "samples.npz", image=np.zeros((2, 3, 8, 8), np.float32))

    def read(path: Path) -> None:
        rows = with_descriptions(registry.choose(str(path)), ArtifactStore(folder / "store"))
        for row in rows:
            for sample in row.samples():
                assert all(np.isfinite(array).all() for array in sample.values()), f"samples of {row.name}"

    return [TABLES.encode()], read


def _samples(folder: Path) -> tuple[Sequence[bytes], Read]:
    shapes = {"image": (1, 3, 4, 4), "mask": (1, 2)}
    file = io.BytesIO()
    random = np.random.default_rng(0)
    image, mask = (random.random((3, *shape[1:]), np.float32) for shape in shapes.values())
    np.savez(file, image=image, mask=mask)

    def read(path: Path) -> None:
        for sample in Samples(shapes, path)():
            assert {name: array.shape for name, array in sample.items()} == shapes
            assert all(np.isfinite(array).all() for array in sample.values()), "a sample is not finite"

    return [file.getvalue()], read


def _holds(module: Any) -> None:
    from reference_models.pytorch.state import broken

    assert not list(broken(module)), "weights are broken numbers"


def _digits(folder: Path) -> tuple[Sequence[bytes], Read]:
    from reference_models.pytorch import digits

    module = digits.network()

    def read(path: Path) -> None:
        digits.load_weights(module, path)
        _holds(module)

    return [digits.WEIGHTS.read_bytes()], read


class Call:
    """What pickles as a call of a function: a hostile file."""

    def __init__(self, function: Any, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
        return self.call


MARK = "hostile.mark"
"""The file that appears where a hostile pickle has run."""


def _hostile(folder: Path) -> Call:
    return Call(os.system, f"touch {folder / MARK}")


def _saved(value: Any) -> bytes:
    import torch

    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def _state_dict(folder: Path) -> tuple[Sequence[bytes], Read]:
    from reference_models.pytorch import digits
    from reference_models.pytorch.weights import load_state

    module = digits.network()
    state = dict(digits.network().state_dict())

    def read(path: Path) -> None:
        load_state(module, path)
        _holds(module)

    return [_saved(state), _saved(state), _saved({**state, "0.weight": _hostile(folder)})], read


def _vendors(module: Any) -> bytes:
    """Pickle a module as the vendor's trainer does: as an object of a class that is nowhere else."""
    from torch import nn

    place = types.ModuleType("models.yolo")
    vendor = type("Model", (nn.Module,), {"__module__": place.__name__})
    vars(place)["Model"] = vendor
    made = vendor()
    made.model = module
    with mock.patch.dict(sys.modules, {"models": types.ModuleType("models"), place.__name__: place}):
        return _saved({"epoch": 3, "model": made.half(), "ema": None})


def _checkpoint(folder: Path) -> tuple[Sequence[bytes], Read]:
    """Files that hold what an official checkpoint does, of a network small enough for a thousand of them."""
    from torch import nn

    from reference_models.pytorch import yolov5

    def network() -> Any:
        module = nn.Sequential()
        module.add_module("model", nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.SiLU()))
        return module.eval()

    module, state = network(), {name: tensor.half() for name, tensor in network().state_dict().items()}

    def read(path: Path) -> None:
        yolov5.load_weights(module, path)
        _holds(module)

    hostile = _saved({"model": state, "date": _hostile(folder)})
    return [_vendors(network().model), _vendors(network().model), _saved(state), hostile], read


READERS = {
    reader.name: reader
    for reader in (
        Reader("Darknet cfg", "fuzz.cfg", (*TEXT, *TEXT, *BYTES), _darknet_cfg),
        Reader("Darknet weights", "fuzz.weights", BYTES, _darknet_weights),
        Reader("MXNet symbol", "fuzz-symbol.json", (*TEXT, *TEXT, *BYTES), _mxnet_symbol),
        Reader("MXNet params", "fuzz-0000.params", BYTES, _mxnet_params),
        Reader("models.toml", "fuzz.toml", (*TEXT, *TEXT, *BYTES), _model_file),
        Reader("samples", "fuzz.npz", (*BYTES, *[in_archive(BYTES)] * 9), _samples),
        Reader("digits.npz", "fuzz.npz", (*BYTES, *[in_archive(BYTES)] * 9), _digits),
        Reader("YOLOv5 checkpoint", "fuzz.pt", (*BYTES, *[in_archive(BYTES)] * 9), _checkpoint),
        Reader("state_dict", "fuzz.pt", (*BYTES, *[in_archive(BYTES)] * 9), _state_dict),
    )
}
