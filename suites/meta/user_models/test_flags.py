"""What a model file lets a converter pass, and what a conversion left out, as the record says it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.model import ReferenceModel
from reference_models.user import module_check
from reference_models.user.factory import OwnModelError
from suites.meta.networks.darknet_layers import random
from suites.meta.networks.darknet_layers import write as write_darknet
from suites.meta.networks.mxnet_files import DENSE, list_bytes
from suites.meta.networks.mxnet_files import write as write_mxnet

DARKNET = '[model.a]\nframework = "darknet"\ncfg = "net.cfg"\nweights = "net.weights"\n'
MXNET = (
    '[model.a]\nframework = "mxnet"\nsymbol = "net-symbol.json"\nparams = "net-0000.params"\n'
    "inputs = { n_x = [1, 7] }\n"
)
CONV = "[convolutional]\nfilters=3\nsize=1\nactivation=linear\n"


def settled(folder: Path, text: str) -> ReferenceModel:
    """Read a model file and learn from its one model what a run learns."""
    (folder / "models.toml").write_text(text)
    rows = registry.choose(str(folder / "models.toml"))
    (row,) = with_descriptions(rows, ArtifactStore(folder / "store"))
    return row


def darknet(folder: Path, *, key: str = "", tail: bytes = b"", value: float = 1.0) -> None:
    """Write a network with a key that Darknet does not know, bytes after its weights, or a broken weight."""
    weights = random(3, 4, 1, 1)
    weights[0, 0] = value
    _, path = write_darknet(folder, CONV + key, random(1, 4, 4, 4), [random(3), weights])
    path.write_bytes(path.read_bytes() + tail)


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"key": "colour=red"}, "lenient"),
        ({"tail": bytes(4)}, "allow_trailing"),
        ({"value": np.nan}, "allow_nonfinite"),
    ],
)
def test_a_flag_lets_pass_what_its_refusal_names(
    change: dict[str, object], flag: str, tmp_path: Path
) -> None:
    """The refusal says the flag as a model file has it; with it the model is had, and false is no flag."""
    darknet(tmp_path, **change)  # type: ignore[arg-type]
    for text in (DARKNET, f"{DARKNET}{flag} = false\n"):
        with pytest.raises(StageError, match=f"{flag} = true in a model file"):
            settled(tmp_path, text)
    row = settled(tmp_path, f"{DARKNET}{flag} = true\n")
    assert row.lets_pass == {flag: True}
    assert row.outputs == ("layer_0",)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DARKNET + 'lenient = "yes"\n', r":5: lenient must be true or false"),
        (DARKNET + "allow_nonfinite = 1\n", r":5: allow_nonfinite must be true or false"),
        (MXNET + "lenient = true\n", r":6: unknown key 'lenient' of a mxnet model"),
        (DARKNET.replace('"darknet"', "[[1]]"), r":2: framework is \[\[1\]\], expected one of"),
        ("x = " + "[" * 2000, "nested too deeply"),
        ("x = " + "9" * 5000, r"models\.toml: "),
        (DARKNET + "converters = []\n", ":5: converters must be a list of one text or more"),
        (DARKNET.replace("net.cfg", "net\\u0000.cfg"), ":3: cfg must be a text"),
        (DARKNET + "mean = inf\n", ":5: mean must be a number"),
        (MXNET.replace("[1, 7]", "[1, 70000, 70000]"), ":5: input n_x has more values than"),
        (MXNET.replace("n_x =", '"" ='), ":5: an input is named '', expected"),
        (DARKNET.replace("model.a", "model." + "a" * 300), "at most 100 of them"),
    ],
)
def test_what_is_no_flag_or_value_is_named_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    """One line: file, line, key and what was expected."""
    darknet(tmp_path)
    with pytest.raises(ValueError, match=said) as caught:
        settled(tmp_path, text)
    assert str(caught.value).isprintable()


def test_what_was_left_out_is_in_the_record(tmp_path: Path) -> None:
    """The note of a model whose parameter file holds more than it needs is that of its ONNX model."""
    _, params = write_mxnet(tmp_path, [DENSE])
    params.write_bytes(list_bytes(DENSE.stored() | {"arg:old": np.ones(1, np.float32)}))
    row = settled(tmp_path, MXNET)
    pipeline = Pipeline(ArtifactStore(tmp_path / "store"), {"a": row})
    made = pipeline.onnx_model("a", "mxnet", 13, "1")
    assert made.about["note"] == "net-0000.params: left out 1 array that the outputs do not need: old"
    assert json.dumps(made.about)


def test_samples_of_a_network_of_files_are_taken(tmp_path: Path) -> None:
    """Arrays that fit the input that was read from the network are its samples."""
    write_mxnet(tmp_path, [DENSE])
    np.savez(tmp_path / "samples.npz", n_x=np.ones((2, 7), np.float32))
    row = settled(tmp_path, MXNET + 'samples = "samples.npz"\n')
    assert [sample["n_x"].shape for sample in row.samples()] == [(1, 7), (1, 7)]


def test_samples_that_are_broken_numbers_are_refused(tmp_path: Path) -> None:
    """NaN in a sample would make every comparison empty."""
    write_mxnet(tmp_path, [DENSE])
    sample = np.ones((2, 7), np.float32)
    sample[1, 3] = np.nan
    np.savez(tmp_path / "samples.npz", n_x=sample)
    with pytest.raises(StageError, match=r"n_x in .*: 1 of 14 values are NaN .* at \(1, 3\); give finite"):
        settled(tmp_path, MXNET + 'samples = "samples.npz"\n')


def test_a_module_without_its_batch_axis_is_told_so() -> None:
    """Where forward() takes the input with a batch first, the message gives that shape."""
    torch = pytest.importorskip("torch", reason="run `tox run -e meta`")
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4)).eval()
    image = {"image": np.ones((3, 8, 8), np.float32)}
    with pytest.raises(
        OwnModelError, match=r"batch axis seems to be missing, .* takes --input image:1x3x8x8"
    ):
        module_check.outputs_of(module, "nets:small", image, [])
