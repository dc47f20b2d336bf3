"""Weights that are broken numbers, and files with something appended, are told of by name or allowed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from fixtures.commands.convert_darknet import main
from fixtures.converters.darknet import weights as reader
from fixtures.converters.darknet.convert import build, convert
from fixtures.converters.darknet.writing import convert_to_file
from fixtures.converters.errors import ConversionError
from reference_models import finite
from suites.meta.networks.darknet_layers import random, write

X = random(1, 4, 6, 4)
LAYERS = "[convolutional]\nbatch_normalize=1\nfilters=3\nsize=1\nactivation=linear\n[connected]\noutput=2\n"
SHAPES = {
    "layer 0 [convolutional] (net.cfg:5), biases": (3,),
    "layer 0 [convolutional] (net.cfg:5), scales": (3,),
    "layer 0 [convolutional] (net.cfg:5), means": (3,),
    "layer 0 [convolutional] (net.cfg:5), variances": (3,),
    "layer 0 [convolutional] (net.cfg:5), weights": (3, 4, 1, 1),
    "layer 1 [connected] (net.cfg:10), biases": (2,),
    "layer 1 [connected] (net.cfg:10), weights": (2, 72),
}
"""What the message is to name -> its shape, in the order of the file."""
ALL = [
    ("[batchnorm]", (4,) * 4, 3, "variances"),
    ("[local]\nfilters=2\nsize=1\n", ((2, 6, 4), (24, 2, 4)), 1, "weights"),
    ("[deconvolutional]\nfilters=2\nsize=2\nbatch_normalize=1\n", (2, 2, 2, 2, (4, 2, 2, 2)), 2, "means"),
    ("[rnn]\nhidden=2\noutput=2\n", (2, (2, 96), 2, (2, 2), 2, (2, 2)), 3, "self.weights"),
    ("[implicit]\nfilters=4\natoms=1\n", ((4, 1),), 0, "weights"),
]


def arrays() -> list[np.ndarray]:
    """Sound weights of the network, in the order of the file."""
    return [random(*shape, seed=k, positive=True) for k, shape in enumerate(SHAPES.values())]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", SHAPES)
def test_a_broken_number_is_refused_by_layer_and_parameter(name: str, value: float, tmp_path: Path) -> None:
    """NaN and infinite values anywhere in the file end the conversion, and no warning comes before."""
    made = arrays()
    made[list(SHAPES).index(name)].flat[1] = value
    with pytest.raises(ConversionError) as caught:  # a warning would be an error of another kind
        convert(*write(tmp_path, LAYERS, X, made), 13)
    assert caught.value.where.endswith("net.weights")
    assert caught.value.problem.startswith(f"{name}: 1 of ")
    assert f"the first {value:g} at (" in caught.value.problem
    assert "--allow-nonfinite" in caught.value.remedy


@pytest.mark.parametrize(("layer", "shapes", "broken", "named"), ALL)
def test_every_layer_with_weights_is_looked_at(
    layer: str, shapes: tuple[tuple[int, ...] | int, ...], broken: int, named: str, tmp_path: Path
) -> None:
    """The message names the array by what Darknet calls it, in all kinds of layers."""
    sizes = [shape if isinstance(shape, tuple) else (shape,) for shape in shapes]
    made = [random(*size, positive=True) for size in sizes]
    made[broken].flat[-1] = np.nan
    with pytest.raises(ConversionError, match=rf"layer 0 \[\w+\] \(net.cfg:5\), {named}: 1 of \d+ values"):
        convert(*write(tmp_path, layer, X, made), 13)


@pytest.mark.parametrize("value", [-1e-9, -0.5])
def test_a_negative_variance_is_refused(value: float, tmp_path: Path) -> None:
    """Even one so small that the epsilon makes up for it: no variance of data is negative."""
    made = arrays()
    made[3][2] = value
    with pytest.raises(ConversionError, match=r"variances: 1 of 3 values are negative.*first -\S+ at \(2,\)"):
        convert(*write(tmp_path, LAYERS, X, made), 13)


def test_values_that_fold_beyond_float32_are_refused(tmp_path: Path) -> None:
    """Finite weights and scales whose product is infinite, found while the file is written."""
    made = arrays()
    made[1][:], made[4][:] = 1e30, 1e30
    paths, target = write(tmp_path, LAYERS, X, made), tmp_path / "a.onnx"
    with pytest.raises(ConversionError, match="weights with BatchNorm folded in: 12 of 12 values"):
        convert_to_file(*paths, 13, target)
    assert not target.exists()


def test_negative_zero_is_a_variance(tmp_path: Path) -> None:
    """A dead channel's variance of -0.0 converts as 0 does."""
    made = arrays()
    made[3][0] = -0.0
    assert convert(*write(tmp_path, LAYERS, X, made), 13)


@pytest.mark.parametrize("keep", [False, True])
def test_broken_numbers_are_converted_where_allowed(keep: bool, tmp_path: Path) -> None:
    """They stand in the model as they are, folded or not, and nothing warns."""
    made = arrays()
    made[4].flat[0], made[3][1] = np.nan, -2.0
    files = write(tmp_path, LAYERS, X, made)
    model = convert(*files, 13, allow_nonfinite=True, keep_batchnorm=keep)
    (weight,) = [t for t in model.graph.initializer if t.name == "layer_0.weight"]
    broken = np.isnan(numpy_helper.to_array(weight)).reshape(3, 4)
    assert broken[0].tolist() == [True, False, False, False]
    assert broken[1].all() == (not keep)  # the root of a negative variance is NaN
    assert not broken[2].any()


def test_a_file_of_another_size_is_called_that(tmp_path: Path) -> None:
    """Bytes of another network read as NaN: the size is the better clue, and comes first."""
    made = [np.full_like(array, np.nan) for array in arrays()]
    files = write(tmp_path, LAYERS, X, made)
    files[1].write_bytes(files[1].read_bytes() + bytes(1000))
    with pytest.raises(ConversionError, match=r"1000 bytes are left .* the file of another network"):
        convert(*files, 13)


@pytest.mark.parametrize("count", [1, 4, 8, reader.TAIL])
def test_a_tail_is_told_apart_and_can_be_allowed(count: int, tmp_path: Path) -> None:
    """A few bytes after the last layer are refused with the option that takes them, which changes nothing."""
    files = write(tmp_path, LAYERS, X, arrays())
    sound = convert(*files, 13)
    files[1].write_bytes(files[1].read_bytes() + b"\x7f" * count)
    with pytest.raises(
        ConversionError, match=rf"every layer is filled and {count} bytes are .*--allow-trail"
    ):
        convert(*files, 13)
    assert convert(*files, 13, allow_trailing=True) == sound


def test_more_than_a_tail_is_another_network_even_where_one_is_allowed(tmp_path: Path) -> None:
    """One byte more than `TAIL` is refused with the option too."""
    files = write(tmp_path, LAYERS, X, arrays())
    files[1].write_bytes(files[1].read_bytes() + bytes(reader.TAIL + 1))
    with pytest.raises(ConversionError, match="is the file of another network"):
        convert(*files, 13, allow_trailing=True)


def break_(files: tuple[Path, Path]) -> None:
    """Make the last weight NaN."""
    files[1].write_bytes(files[1].read_bytes()[:-4] + np.float32(np.nan).tobytes())


def append(files: tuple[Path, Path]) -> None:
    """Append four bytes."""
    files[1].write_bytes(files[1].read_bytes() + bytes(4))


def add_key(files: tuple[Path, Path]) -> None:
    """Put a key into the last section that no Darknet knows."""
    files[0].write_text(files[0].read_text() + "colour=red\n")


@pytest.mark.parametrize(
    ("change", "option"),
    [(break_, "--allow-nonfinite"), (append, "--allow-trailing"), (add_key, "--lenient")],
)
def test_the_command_names_the_option_that_it_takes(
    change: Callable[[tuple[Path, Path]], None],
    option: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line on stderr names the option, nothing is written; with the option it converts."""
    files = write(tmp_path, LAYERS, X, arrays())
    change(files)
    call = [*map(str, files), "-q", "-o", str(tmp_path / "a.onnx")]
    assert main(call) == 1
    said = capsys.readouterr().err
    assert (said.count("\n"), option in said) == (1, True), said
    assert not (tmp_path / "a.onnx").exists()
    assert main([*call, option]) == 0


def test_every_array_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that does not look would let them pass: the tests above trip on it."""
    monkeypatch.setattr(finite, "fault", lambda array, variance=False: "")
    made = arrays()
    made[0][0] = np.nan
    assert build(*write(tmp_path, LAYERS, X, made), 13)
