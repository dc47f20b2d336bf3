"""pjreddie's own Darknet as an oracle: the library of Debian's package `darknet`.

The library is the source of 2018-09-14 (commit 61c9d02), for the CPU, without BLAS.
Weights are seeded, in the order that the converter's own `Kind.stored` gives, which is thereby held against
Darknet's reader too: arrays in another order give other numbers.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fixtures.converters.darknet import config, network
from fixtures.converters.darknet.network import Network
from fixtures.converters.darknet.registry import KINDS
from fixtures.converters.darknet.writing import convert_to_file
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.oracles.real_darknet.cfgs import with_net

LIBRARY = Path("/usr/lib/darknet/libdarknet.so")
CHILD = Path(__file__).with_name("child.py")
MISSING = not LIBRARY.is_file() and not os.environ.get("CI")
"""Whether the tests are skipped: CI installs the package, and fails without it."""
ABSENT = "Debian's package darknet is not installed: apt-get install darknet"
HEADER = np.array([0, 2, 5, 0, 0], "<i4").tobytes()
SMALL = 1e-3
"""Of variances, about as in trained networks, so that a wrong epsilon of BatchNorm counts."""
RESIDUAL = 0.1
"""Gain of a convolution that a [shortcut] adds: sums would double at every block."""
TIMES_FLOOR = 10
"""How many times its own float32 noise floor a network may be off."""
LEAST_FLOOR = float(np.finfo(np.float32).eps)
PARTS = {
    "gru": ("state_z", "state_r", "state_h", "input_z", "input_r", "input_h"),
    "lstm": ("wi", "wf", "wo", "wg", "ui", "uf", "uo", "ug"),
}
"""pjreddie's order of the parts of a section's weights, where the converter takes AlexeyAB's."""
Outputs = dict[str, np.ndarray]


class Stored(NamedTuple):
    """One array of the weight file: of which layer and section, what it is, as `Kind.stored` says."""

    layer: int
    section: str
    what: str
    array: np.ndarray

    @property
    def role(self) -> str:
        """What it is, without the part of a recurrent layer."""
        return self.what.rpartition(".")[2]


@dataclass
class Real:
    """A cfg with seeded weights: as our converter reads it, and as Darknet does. folder: for its files."""

    text: str
    folder: Path
    gain: float = 1.0
    seed: int = 5

    @cached_property
    def cfg(self) -> Path:
        """The cfg as a file."""
        path = self.folder / "net.cfg"
        path.write_text(self.text)
        return path

    @cached_property
    def net(self) -> Network:
        """What the converter makes of the text."""
        return network.resolve(config.read(self.cfg))

    @cached_property
    def arrays(self) -> list[Stored]:
        """What the weight file holds."""
        return list(seeded(self.net, self.gain, self.seed))

    @property
    def shown(self) -> list[int]:
        """Layers whose outputs the converted network has: what heads are given, or the last."""
        return [head - 1 for head in self.net.heads] or [self.net.last]

    def rows(self, sequences: int = 1) -> np.ndarray:
        """Return seeded images or rows in 0..1, one for each time step."""
        shape = self.net.input_shape[:1] if self.net.flat_input else self.net.input_shape
        return np.random.default_rng(1).random((sequences * self.net.steps, *shape), np.float32)

    def converted(self, rows: np.ndarray, opset: int = 13, *, twin: bool = False, **wanted: Any) -> Outputs:
        """Return the converter's outputs in ONNX Runtime. twin: with every weight rounded twice more."""
        weights, path = self.folder / "net.weights", self.folder / "net.onnx"
        write(weights, (respelled(s.array) if twin else s.array for s in self.arrays))
        batch = len(rows) // self.net.steps
        convert_to_file(self.cfg, weights, opset, path, batch=batch, **wanted)
        return OnnxRuntime(path, threads=1).run([{"data": rows}])[0]

    def files(self, layers: Sequence[int] = (), *, compensated: bool = True) -> tuple[Path, Path, int]:
        """Write cfg and weights for Darknet; also give how many values its output has.

        A [route] behind the network joins what these layers hold, whatever their shapes. Variances are
        compensated for the other epsilon, see `for_pjreddie`.
        """
        cfg, weights = self.folder / "darknet.cfg", self.folder / "darknet.weights"
        stored = in_pjreddies_order(self.arrays)
        write(weights, (for_pjreddie(s) if compensated else s.array for s in stored))
        tail = f"\n[route]\nlayers={','.join(map(str, layers))}\n" if layers else ""
        cfg.write_text(with_net(self.text, batch=1, subdivisions=1, time_steps=1) + tail)
        values = sum(math.prod(self.net.layers[i].shape) for i in layers or [self.net.last])
        return cfg, weights, values

    def darknet(self, rows: np.ndarray, *, compensated: bool = True) -> np.ndarray:
        """Return what Darknet gives for the layers shown, side by side, (N, values).

        Rows are run one after the other, so a state is kept from each to the next.
        """
        layers = self.shown if self.net.heads else ()
        cfg, weights, values = self.files(layers, compensated=compensated)
        job = {"cfg": str(cfg), "weights": str(weights), "values": values}
        (answer,) = ask(self.folder, [job], [rows])
        assert answer.outputs is not None, answer.said[-300:]
        return answer.outputs

    def floor(self, rows: np.ndarray, outputs: Outputs) -> float:
        """The network's float32 noise: how far the same function with other roundings is off."""
        return max(distance(flat(self.converted(rows, twin=True)), flat(outputs)), LEAST_FLOOR)


def write(path: Path, arrays: Iterable[np.ndarray]) -> None:
    """Write a weights file."""
    with path.open("wb") as file:
        file.write(HEADER)
        for array in arrays:
            file.write(np.ascontiguousarray(array, "<f4").tobytes())


def seeded(net: Network, gain: float, seed: int) -> Iterator[Stored]:
    """Make weights as sane as trained ones for every layer."""
    random = np.random.default_rng(seed)
    for layer in net.layers:
        index, name = layer.index, layer.section.name
        added = index + 1 < len(net.layers) and net.layers[index + 1].section.name == "shortcut"
        for what, shape in KINDS[name].stored(layer):
            array = _array(what.rpartition(".")[2], shape, gain * (RESIDUAL if added else 1), random)
            yield Stored(index, name, what, array)


def _array(role: str, shape: tuple[int, ...], gain: float, random: np.random.Generator) -> np.ndarray:
    """Keep second moments: of weights (He et al., arXiv 1502.01852), of scales over roots of variances."""
    if role == "variances":
        return (SMALL * random.uniform(0.25, 2.25, shape)).astype(np.float32)
    if role == "scales":
        return (gain * SMALL**0.5 * random.uniform(0.7, 1.25, shape)).astype(np.float32)
    if role == "weights":
        spread = gain * math.sqrt(2 / (math.prod(shape[1:]) if len(shape) != 3 else shape[-1]))
        return random.standard_normal(shape, np.float32) * np.float32(spread)
    return random.standard_normal(shape, np.float32) * np.float32(0.1)


def for_pjreddie(stored: Stored) -> np.ndarray:
    """Return variances with which Darknet's CPU code gives what sqrt(variance + 1e-5) does.

    That code divides by sqrt(variance) + 1e-6; pjreddie's GPU code and AlexeyAB's add 1e-5 to the variance.
    """
    if stored.role != "variances":
        return stored.array
    return ((np.sqrt(stored.array.astype(np.float64) + 1e-5) - 1e-6) ** 2).astype(np.float32)


def in_pjreddies_order(arrays: Sequence[Stored]) -> list[Stored]:
    """Sort the parts of recurrent layers; what stays within a part keeps its order."""

    def key(stored: Stored) -> tuple[int, int]:
        parts = PARTS.get(stored.section)
        return stored.layer, parts.index(stored.what.partition(".")[0]) if parts else 0

    return sorted(arrays, key=key)


def respelled(array: np.ndarray) -> np.ndarray:
    """Round every number twice more, by a factor and back."""
    factor = np.float32(1.37)
    return array * factor / factor


def flat(outputs: Outputs) -> np.ndarray:
    """Lay the outputs of a network side by side, (N, values)."""
    return np.concatenate([array.reshape(len(array), -1) for array in outputs.values()], axis=1)


def distance(actual: np.ndarray, expected: np.ndarray) -> float:
    """Relative L2 distance; infinite where shapes differ or a number is none."""
    if actual.shape != expected.shape:
        return math.inf
    off = np.linalg.norm(actual.astype(np.float64) - expected) / np.linalg.norm(expected.astype(np.float64))
    return float(off) if math.isfinite(off) else math.inf


class Answer(NamedTuple):
    """What Darknet made of a job: outputs (N, values) and boxes (N, B, 5 + classes), none where it ended."""

    outputs: np.ndarray | None
    boxes: np.ndarray | None
    said: str


def ask(folder: Path, jobs: Sequence[dict[str, Any]], inputs: Sequence[np.ndarray]) -> list[Answer]:
    """Run networks in Darknet; each job is what `child.py` takes but for its files."""
    for number, (job, rows) in enumerate(zip(jobs, inputs, strict=True)):
        job.update(
            library=str(LIBRARY), input=f"{folder}/{number}.npy", output=f"{folder}/{number}.npz"
        )  # fmt: skip
        np.save(job["input"], rows)
    return [_asked(job) for job in jobs]


@cache
def _child() -> subprocess.Popen[str]:
    """Start the process that runs Darknet. It ends when its input is closed."""
    return subprocess.Popen([sys.executable, CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _asked(job: dict[str, Any]) -> Answer:
    process = _child()
    assert process.stdin
    assert process.stdout
    Path(job["output"]).unlink(missing_ok=True)  # what an earlier job of the folder has left
    print(json.dumps(job), file=process.stdin, flush=True)
    assert process.stdout.readline(), f"the process that runs Darknet ended with {process.wait()}"
    return _answer(Path(job["output"]))


def _answer(path: Path) -> Answer:
    said = Path(f"{path}.said").read_text(errors="replace")
    if not path.exists():
        return Answer(None, None, said)
    with np.load(path) as stored:
        return Answer(stored["outputs"], stored["boxes"], said)
