"""Single layers give the numbers of pjreddie's own Darknet, those of the interpreter's cases and his own."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from suites.meta.oracles.darknet_interpreter.cases import CASES, CONV, Case, cfg
from suites.meta.oracles.real_darknet.library import (  # fmt: skip
    ABSENT,
    MISSING,
    TIMES_FLOOR,
    Answer,
    Outputs,
    Real,
    ask,
    distance,
    flat,
)

pytestmark = pytest.mark.skipif(MISSING, reason=ABSENT)
OPSETS = (10, 11, 12, 13, 17, 21)
OTHERS_ALONE = re.compile(r"Unused field|Couldn't find activation|Type not recognized")
"""What pjreddie's Darknet says of sections, keys and activations that only AlexeyAB's knows."""
LEAST_RUN = 70
"""How many cases, at least, both Darknets know and agree on."""
DIFFERENT = {
    "convolution_binary": "pjreddie's CPU code leaves the weights of binary=1 as they are, GPU code does not",
    "shortcut_several": "pjreddie's [shortcut] adds the first layer of `from` alone",
}
"""Cases that mean something else to pjreddie's CPU code; the converter follows AlexeyAB."""
CRASHES = {
    "batchnorm": "forward_batchnorm_layer of the CPU copies to memory that only a GPU build allocates",
    "batchnorm_first": "likewise",
    "local_pad": "its workspace is counted in floats where bytes are meant; LAYERS has it with room",
}
"""Cases that end pjreddie's Darknet."""
ROOM = "convolutional filters=3 size=9 pad=1 activation=linear"
"""A layer whose workspace is large enough for those that follow: [local] and [crnn] ask for too little."""
LAYERS = {
    "logistic": cfg(f"{CONV}\nlogistic"),
    "logistic_flat": cfg(f"{CONV}\nconnected output=9 activation=linear\nlogistic"),
    "l2norm": cfg(f"{CONV}\nl2norm", width=12),
    "l2norm_flat": cfg("connected output=9 activation=linear\nl2norm"),
    "reorg_flatten": cfg(f"{CONV}\nreorg stride=1 flatten=1", width=12),
    "reorg_flatten_reverse": cfg(f"{CONV}\nreorg stride=1 flatten=1 reverse=1\n{CONV}", width=12),
    "reorg_extra": cfg("convolutional filters=1 size=1 activation=linear\nreorg stride=1 extra=1\nsoftmax"),
    "reorg_extra_3": cfg(f"{CONV}\nreorg stride=2 extra=3", width=12),
    "crnn": cfg(f"{ROOM}\ncrnn output_filters=2 hidden_filters=4 activation=leaky", steps=3),
    "crnn_shortcut": cfg(
        f"{ROOM}\ncrnn output_filters=2 hidden_filters=4 activation=tanh shortcut=1 batch_normalize=1",
        steps=3,
    ),
    "gru_tanh": cfg("gru output=5 tanh=1", width=4, height=4, steps=3),
    "local_pad": cfg(f"{ROOM}\nlocal filters=4 size=3 stride=1 pad=1 activation=linear", width=9, height=9),
}
"""Layers and keys of pjreddie's alone, and what needs room."""


def real(folder: Path, case: Case) -> Real:
    """Write a case with weights of our own; a file of it is named by its whole path, as Darknet needs."""
    folder.mkdir()
    text = case.cfg
    for name, content in case.files.items():
        (folder / name).write_text(content)
        text = text.replace(f"={name}", f"={folder / name}")
    return Real(text, folder, case.gain)


class Asked:
    """Networks, and what Darknet made of each, asked of all at once. rows: two images, or one sequence."""

    def __init__(self, folder: Path, cases: dict[str, Case]) -> None:
        self.nets = {name: real(folder / name, case) for name, case in cases.items()}
        jobs, inputs = [], []
        for net in self.nets.values():
            files = net.files(net.shown if net.net.heads else ())
            jobs.append(
                dict(zip(("cfg", "weights", "values"), (*map(str, files[:2]), files[2]), strict=True))
            )
            inputs.append(self.rows(net))
        self.answers: dict[str, Answer] = dict(zip(self.nets, ask(folder, jobs, inputs), strict=True))

    def rows(self, net: Real) -> np.ndarray:
        """Input of a network."""
        return net.rows(1 if net.net.steps > 1 else 2)

    def converted(self, name: str, opset: int) -> Outputs:
        """Return what the converter makes of a case."""
        net = self.nets[name]
        return net.converted(self.rows(net), opset)

    def off(self, name: str, opset: int = 13) -> float:
        """Return how far the converter is from Darknet, in noise floors of the network."""
        theirs = self.answers[name].outputs
        assert theirs is not None, f"Darknet ended: {self.answers[name].said[-300:]}"
        net, outputs = self.nets[name], self.converted(name, opset)
        return distance(flat(outputs), theirs) / net.floor(self.rows(net), outputs)

    def known(self, name: str) -> bool:
        """Say whether pjreddie's Darknet knows everything in a case."""
        return not OTHERS_ALONE.search(self.answers[name].said)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """The cases of the interpreter."""
    return Asked(tmp_path_factory.mktemp("cases"), CASES)


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    """The layers of pjreddie's alone."""
    return Asked(tmp_path_factory.mktemp("layers"), {name: Case(name, text) for name, text in LAYERS.items()})


def test_cases_of_the_interpreter(cases: Asked) -> None:
    """Whatever both Darknets know gives the numbers of pjreddie's, and it is most of the cases."""
    names = [name for name in CASES if cases.known(name) and name not in {*DIFFERENT, *CRASHES}]
    far = {name: off for name in names if not (off := cases.off(name)) <= TIMES_FLOOR}
    assert far == {}
    assert len(names) >= LEAST_RUN


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_case_that_means_something_else_still_does(name: str, cases: Asked) -> None:
    """The difference is there, and is the one that the table states."""
    assert cases.known(name)
    assert cases.off(name) > 1000 * TIMES_FLOOR


def test_what_the_differences_are(tmp_path: Path) -> None:
    """Without binary=1, and with the first layer of `from` alone, both compute the same."""
    plain = {
        "convolution_binary": CASES["convolution_binary"].cfg.replace("binary=1", ""),
        "shortcut_several": CASES["shortcut_several"].cfg.replace("from=-2,-3", "from=-2"),
    }
    asked = Asked(tmp_path, {name: Case(name, text) for name, text in plain.items()})
    assert plain.keys() == DIFFERENT.keys()
    assert max(asked.off(name) for name in plain) <= TIMES_FLOOR


@pytest.mark.parametrize("name", CRASHES)
def test_a_case_that_crashes_darknet_still_does(name: str, cases: Asked) -> None:
    """There is no output, and it is not for an unknown name."""
    assert cases.known(name)
    assert cases.answers[name].outputs is None


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_of_pjreddies(name: str, opset: int, layers: Asked) -> None:
    """Each at each opset, and Darknet knows every key of it."""
    assert layers.known(name)
    assert layers.off(name, opset) <= TIMES_FLOOR


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    "options",
    ["size=3 stride=2 pad=1", "size=4 stride=2 padding=1", "size=2 stride=3", "size=5 stride=1 pad=1"],
)
def test_deconvolution(options: str, opset: int, tmp_path: Path) -> None:
    """Darknet writes the weights that it begins with to a file, which the converter reads.

    It cannot read one: load_convolutional_weights divides by the groups of this layer, of which it has none.
    """
    text = cfg(
        f"{CONV.replace('batch_normalize=1', '')}\ndeconv filters=5 {options} activation=leaky", width=7
    )
    net = Real(text, tmp_path)
    saved = tmp_path / "saved.weights"
    job = {
        "cfg": str(net.cfg),
        "weights": "",
        "saved": str(saved),
        "values": int(np.prod(net.net.layers[1].shape)),
    }
    (answer,) = ask(tmp_path, [job], [net.rows(2)])
    assert answer.outputs is not None
    assert not OTHERS_ALONE.search(answer.said)
    floats = np.fromfile(saved, "<f4")[5:]
    ends = np.cumsum([stored.array.size for stored in net.arrays])
    assert len(floats) == ends[-1]
    parts = zip(net.arrays, np.split(floats, ends[:-1]), strict=True)
    net.arrays[:] = [old._replace(array=new.reshape(old.array.shape)) for old, new in parts]
    outputs = net.converted(net.rows(2), opset)
    assert distance(flat(outputs), answer.outputs) <= TIMES_FLOOR * net.floor(net.rows(2), outputs)


def test_darknet_cannot_read_a_deconvolution(tmp_path: Path) -> None:
    """A library that can needs no detour in `test_deconvolution`."""
    asked = Asked(tmp_path, {"deconv": Case("deconv", cfg("deconv filters=5 size=3 activation=linear"))})
    assert asked.answers["deconv"].outputs is None


def test_iseg_crashes_darknet(tmp_path: Path) -> None:
    """The reason for which it is refused: without the truth of training there is no output."""
    path = tmp_path / "net.cfg"
    path.write_text(cfg("iseg classes=2 ids=1"))
    (answer,) = ask(
        tmp_path,
        [{"cfg": str(path), "weights": "", "values": 1}],
        [np.zeros((1, 3, 16, 16), np.float32)],
    )
    assert answer.outputs is None
    assert "iseg" in answer.said
    assert not OTHERS_ALONE.search(answer.said)


def test_pjreddies_batchnorm_stores_no_biases(tmp_path: Path) -> None:
    """Scales, means and variances alone: what Darknet writes of a [batchnorm] before it crashes."""
    path, saved = tmp_path / "net.cfg", tmp_path / "saved.weights"
    path.write_text(cfg("batchnorm"))
    job = {"cfg": str(path), "weights": "", "saved": str(saved), "values": 1}
    ask(tmp_path, [job], [np.zeros((1, 3, 16, 16), np.float32)])
    assert saved.stat().st_size == 20 + 3 * 3 * 4
