"""Recurrent Darknet layers with seeded weights: as files, and as the loops of Darknet's forward functions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from fixtures.converters.darknet.convert import EPSILON
from reference_models.darknet.weights import HEADER

Part = Callable[[np.ndarray], np.ndarray]
SEQUENCES = 2
ORDER = {
    "rnn": "iso", "crnn": "iso", "lstm": ["wf", "wi", "wg", "wo", "uf", "ui", "ug", "uo"],
    "gru": ["iz", "ir", "ih", "sz", "sr", "sh"],
}  # fmt: skip
BENDS: dict[str, Part] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0),
    "loggy": lambda x: 2 / (1 + np.exp(-x)) - 1,
    "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
}
sigmoid = BENDS["logistic"]


class Network:
    """One recurrent layer with seeded weights: as files, and as NumPy functions."""

    def __init__(self, text: str) -> None:
        """Read the few keys that these tests use."""
        keys = dict(line.split("=") for line in text.split("\n") if "=" in line)
        self.text, self.keys = text, {k: int(v) if v.isdigit() else v for k, v in keys.items()}
        self.kind = text.split("[")[2].split("]", maxsplit=1)[0]
        self.steps = int(self.keys.get("time_steps", 1))
        self.image = (2, 4, 5) if "height" in keys else (5, 1, 1)
        self.random, self.file = np.random.default_rng(3), list[np.ndarray]()
        self.parts = dict(zip(ORDER[self.kind], self._parts(), strict=True))

    def _parts(self) -> Iterator[Part]:
        state = int(self.keys.get("hidden", self.keys["output"]))
        for name in ORDER[self.kind]:
            of_input = name[0] in ("i", "u")
            filters = int(self.keys["output"]) if name == "o" else state
            if self.kind == "crnn":
                yield self._part((filters, 2 if of_input else state, 3, 3))
            else:
                yield self._part((filters, int(np.prod(self.image)) if of_input else state))

    def _part(self, shape: tuple[int, ...]) -> Part:
        """Add a part to the file, in Darknet's order, and give it as a function."""
        weight, bias = (0.5 * self.random.standard_normal(s).astype("f4") for s in (shape, shape[:1]))
        norm = [self.random.uniform(0.5, 1.5, shape[0]).astype("f4") for _ in range(3)]
        norm = norm if self.keys.get("batch_normalize") else []
        self.file += [bias, *norm, weight] if len(shape) == 4 else [bias, weight, *norm]

        def apply(x: np.ndarray) -> np.ndarray:
            y = _convolve(x, weight) if weight.ndim == 4 else x.reshape(len(x), -1) @ weight.T.astype("f8")
            y = y.reshape(*y.shape, *[1] * (4 - y.ndim))
            column = (slice(None), None, None)
            if norm:
                y = (y - norm[1][column]) / np.sqrt(norm[2][column].astype("f8") + EPSILON) * norm[0][column]
            return y + bias[column]

        return apply

    def write(self, folder: Path) -> tuple[Path, Path]:
        """The cfg and the weights as files."""
        paths = folder / "net.cfg", folder / "net.weights"
        paths[0].write_text(self.text)
        paths[1].write_bytes(HEADER.tobytes() + b"".join(a.tobytes() for a in self.file))
        return paths

    def run(self, x: np.ndarray) -> np.ndarray:
        """Step after step from a zero state, as Darknet's forward functions do."""
        channels = int(self.keys.get("hidden", self.keys["output"]))
        size = self.image[1:] if self.kind == "crnn" else (1, 1)
        state = cell = np.zeros((len(x) // self.steps, channels, *size))
        outputs = []
        for given in np.split(x.astype("f8"), self.steps):
            if self.kind == "lstm":
                f, i, g, o = (self.parts["w" + k](state) + self.parts["u" + k](given) for k in "figo")
                cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
                outputs.append(state := sigmoid(o) * np.tanh(cell))
            elif self.kind == "gru":
                outputs.append(state := self._gru(given, state))
            else:
                state = self._rnn(given, state)
                outputs.append(BENDS[str(self.keys["activation"])](self.parts["o"](state)))
        return np.concatenate(outputs)

    def _gru(self, given: np.ndarray, state: np.ndarray) -> np.ndarray:
        z, r = (sigmoid(self.parts["i" + k](given) + self.parts["s" + k](state)) for k in "zr")
        bend = BENDS["tanh" if self.keys.get("tanh") else "logistic"]
        return z * state + (1 - z) * bend(self.parts["ih"](given) + self.parts["sh"](r * state))

    def _rnn(self, given: np.ndarray, state: np.ndarray) -> np.ndarray:
        bend = BENDS[str(self.keys["activation"])]
        own = {1: sigmoid, 2: BENDS["loggy"]}.get(int(self.keys.get("logistic", 0)), bend)
        kept = state if self.keys.get("shortcut") else 0
        return kept + bend(self.parts["i"](given)) + own(self.parts["s"](state))

    def sample(self, sequences: int = SEQUENCES) -> np.ndarray:
        """Seeded rows, step after step."""
        shape = (self.steps * sequences, *(self.image if "height" in self.keys else self.image[:1]))
        return np.random.default_rng(9).standard_normal(shape, np.float32)


def _convolve(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """3x3 with padding 1, one tap after the other."""
    padded, (height, width) = np.pad(x, [(0, 0), (0, 0), (1, 1), (1, 1)]), x.shape[2:]
    taps = [(i, j) for i in range(3) for j in range(3)]
    return sum(
        np.einsum("nchw,fc->nfhw", padded[:, :, i : i + height, j : j + width], weight[:, :, i, j])
        for i, j in taps
    )
