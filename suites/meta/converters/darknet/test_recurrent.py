"""Recurrent layers, unrolled, give what Darknet's loops give in float64."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.converters.dynamic_batch import with_dynamic_batch
from fixtures.converters.errors import ConversionError
from fixtures.runtimes.onnxruntime import OnnxRuntime
from suites.meta.oracles.recurrent_reference import SEQUENCES, Network

STEPS = 3
NORMED = "batch_normalize=1\n"
FLAT = f"[net]\ninputs=5\ntime_steps={STEPS}\n"
IMAGE = f"[net]\nheight=4\nwidth=5\nchannels=2\ntime_steps={STEPS}\n"
CFGS = {
    "rnn": f"{FLAT}[rnn]\nhidden=4\noutput=3\nactivation=tanh\n",
    "rnn logistic": f"{FLAT}[rnn]\nhidden=4\noutput=3\nactivation=leaky\nlogistic=1\n{NORMED}",
    "rnn loggy": f"{FLAT}[rnn]\nhidden=4\noutput=3\nactivation=relu\nlogistic=2\n",
    "rnn shortcut": f"{FLAT}[rnn]\nhidden=4\noutput=3\nactivation=tanh\nshortcut=1\n",
    "rnn of images": f"{IMAGE}[rnn]\nhidden=4\noutput=3\nactivation=tanh\n{NORMED}",
    "crnn": f"{IMAGE}[crnn]\nhidden=4\noutput=6\npad=1\nactivation=leaky\nshortcut=1\n{NORMED}",
    "lstm": f"{FLAT}[lstm]\noutput=3\n",
    "lstm normed": f"{FLAT}[lstm]\noutput=3\n{NORMED}",
    "gru": f"{FLAT}[gru]\noutput=3\n",
    "gru tanh": f"{FLAT}[gru]\noutput=3\ntanh=1\n{NORMED}",
    "one step": "[net]\ninputs=5\n[lstm]\noutput=3\n",
}


def error(model: onnx.ModelProto, net: Network, folder: Path, sequences: int = SEQUENCES) -> float:
    """Largest difference between ONNX Runtime and Darknet's loops, as a part of the largest value."""
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, folder / "net.onnx")
    (made,) = OnnxRuntime(folder / "net.onnx").run([{"data": net.sample(sequences)}])[0].values()
    theirs = net.run(net.sample(sequences))
    theirs = theirs if net.kind == "crnn" else theirs.reshape(len(theirs), -1)
    assert made.shape == theirs.shape
    return float(np.abs(made - theirs).max() / np.abs(theirs).max())


@pytest.mark.parametrize("opset", [10, 13, 21])
@pytest.mark.parametrize("name", CFGS)
def test_unrolled_layers_are_darknets_loops(name: str, opset: int, tmp_path: Path) -> None:
    """Each kind, with and without BatchNorm, over several steps and sequences."""
    net = Network(CFGS[name])
    assert error(convert(*net.write(tmp_path), opset, batch=SEQUENCES), net, tmp_path) < 2e-6


@pytest.mark.parametrize("name", ["rnn", "crnn", "lstm", "gru"])
def test_the_number_of_sequences_may_be_dynamic(name: str, tmp_path: Path) -> None:
    """No batch size is in the graph: one model takes one sequence and five."""
    net = Network(CFGS[name])
    files = net.write(tmp_path)
    model = with_dynamic_batch(lambda size: convert(*files, 13, batch=size))
    assert max(error(model, net, tmp_path, n) for n in (1, 5)) < 2e-6


@pytest.mark.parametrize(
    ("name", "first", "second"), [("lstm", "wf", "wi"), ("gru", "iz", "ir"), ("lstm", "ug", "uo")]
)
def test_parts_in_another_order_are_seen(name: str, first: str, second: str, tmp_path: Path) -> None:
    """Pjreddie's order of LSTM parts, for one, gives other numbers: the comparison trips."""
    net = Network(CFGS[name])
    model = convert(*net.write(tmp_path), 13, batch=SEQUENCES)
    parts = net.parts
    parts[first], parts[second] = parts[second], parts[first]
    assert error(model, net, tmp_path) > 1e-2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{IMAGE}[crnn]\noutput=3\nsize=3\n", "size=3 and padding 0 do not keep the image's size"),
        (f"{IMAGE}[crnn]\noutput=3\nsize=3\npad=1\nstride=2\n", "do not keep the image's size"),
        (f"{IMAGE}[crnn]\noutput=3\nhidden=4\npad=1\ngroups=2\n", "groups=2 does not divide"),
        (f"{IMAGE}[crnn]\noutput=3\nxnor=1\n", "net.cfg:8: .*xnor=1 is not converted"),
        (f"{FLAT}[rnn]\noutput=3\nactivation=sinus\n", "unknown activation 'sinus'"),
        (f"{FLAT}[gru]\noutput=0\n", "output=0 must be at least 1"),
    ],
)
def test_what_has_no_unrolling_is_refused(text: str, said: str, tmp_path: Path) -> None:
    """A state whose size changes from step to step, and what is not written, is named with its line."""
    net = Network(CFGS["rnn"])
    net.text = text
    with pytest.raises(ConversionError, match=said):
        convert(*net.write(tmp_path), 13)
