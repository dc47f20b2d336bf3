"""The files: what stays as it is to the bit, what is said of bad ones, and who else reads the pruned ones."""

from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.errors import ConversionError
from fixtures.pruning.darknet import comparison
from fixtures.pruning.darknet.files import Source, planned, write_masked, write_pruned
from fixtures.pruning.darknet.layers import pruned_network
from fixtures.pruning.distance import distance
from fixtures.pruning.plan import Settings
from fixtures.runtimes.darknet_library import DarknetLibrary
from fixtures.runtimes.opencv import OpenCV
from reference_models import model
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from suites.meta.networks import prunable_nets
from suites.meta.networks.darknet_layers import OLD_HEADER, random, write
from suites.meta.oracles.darknet_package import debian_library

SOURCE_ROUNDING = 2e-5
"""Relative L2 of a source runtime: as in the stage onnxruntime-parity."""


def pruned(source: Source, folder: Path, settings: Settings) -> Source:
    """Prune a network into a folder."""
    folder.mkdir()
    made = Source(folder / "pruned.cfg", folder / "pruned.weights")
    write_pruned(source, planned(source, settings), made.cfg, made.weights)
    return made


@pytest.mark.parametrize("name", ["yolov3-tiny", "yolov4-tiny", "yolov2", "yolo-fastest"])
def test_keeping_all_is_the_identity(name: str, tmp_path: Path) -> None:
    """With ratio 0 both files are the same to the bit, and so are the masked weights."""
    source = prunable_nets.write(tmp_path, prunable_nets.narrow(name))
    made = pruned(source, tmp_path / "made", Settings(0.0))
    assert made.cfg.read_bytes() == source.cfg.read_bytes()
    assert made.weights.read_bytes() == source.weights.read_bytes()
    write_masked(source, planned(source, Settings(0.0)), made.weights)
    assert made.weights.read_bytes() == source.weights.read_bytes()


ODD = """; a comment, and b\xe4d bytes
[net]\r
width = 8
height=8
channels=3

[conv]
batch_normalize=1
 filters = 1 2 # as many
size=1
activation=relu
# the end
[convolutional]
filters=14
size=1
activation=linear
[yolo]
mask=0,1
num=2
classes=2
"""


def test_only_the_numbers_of_filters_change(tmp_path: Path) -> None:
    """Comments, blanks, line ends, bytes that are no UTF-8 and the order of keys stay."""
    cfg = Cfg(8, 8, activation="relu")
    cfg.conv(12, 1)
    cfg.yolo((0, 1), prunable_nets.ANCHORS, 2)
    source = prunable_nets.write(tmp_path, cfg)
    source.cfg.write_bytes(ODD.encode("latin-1"))
    made = pruned(source, tmp_path / "made", Settings(0.5))
    expected = ODD.replace(" filters = 1 2 # as many", " filters =6 # as many")
    assert made.cfg.read_bytes() == expected.encode("latin-1")


CONNECTED = """[convolutional]
batch_normalize=1
filters=6
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=2
[connected]
output=5
activation=linear
"""


@pytest.mark.parametrize("header", [(0, 2, 5, 0, 0), OLD_HEADER], ids=["new", "transposed"])
def test_a_connected_layer_reads_what_is_left(header: tuple[int, ...], tmp_path: Path) -> None:
    """What was removed before a fully connected layer is in its biases, in files of either order."""
    x, conv = random(1, 3, 8, 8), random(6 * 27, seed=1)
    norm = [random(6, seed=k, positive=k > 2) for k in (2, 3, 4, 5)]
    arrays = [*norm, conv, random(5, seed=6), random(5 * 6 * 16, seed=7)]
    source = Source(*write(tmp_path, CONNECTED, x, arrays, header))
    plan = planned(source, Settings(0.5))
    expected = comparison.masked_outputs(source, plan, [{"data": x}])
    found = comparison.pruned_outputs(source, plan, [{"data": x}])
    assert plan.left(0).size == 3
    assert distance(found, expected) < 1e-6


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    """A file that is too long or too short is named, and nothing is written."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    source.weights.write_bytes(source.weights.read_bytes()[:-400])
    with pytest.raises(ConversionError, match=r"net.weights: ends at byte .* bytes short or more"):
        pruned(source, tmp_path / "made", Settings(0.5))
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.parametrize("place", [12, 200], ids=["a gamma", "a weight"])
def test_numbers_that_are_none_are_refused(place: int, tmp_path: Path) -> None:
    """A gamma that is no number says nothing, and a weight is not copied: nothing is written."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    data = np.fromfile(source.weights, np.float32)
    data[5 + place] = np.nan
    data.tofile(source.weights)
    with pytest.raises(ConversionError, match="NaN"):
        pruned(source, tmp_path / "made", Settings(0.5))
    assert not list((tmp_path / "made").iterdir())


def test_weights_that_change_while_they_are_read_leave_nothing(tmp_path: Path) -> None:
    """What is written is whole or not there: an error half-way deletes the temporary file."""
    source = prunable_nets.write(tmp_path, prunable_nets.residual())
    plan = planned(source, Settings(0.5))
    source.weights.write_bytes(source.weights.read_bytes()[:-400])
    (tmp_path / "made").mkdir()
    with pytest.raises(ConversionError, match="bytes short or more"):
        write_pruned(source, plan, tmp_path / "made/net.cfg", tmp_path / "made/net.weights")
    assert not list((tmp_path / "made").iterdir())


@pytest.mark.parametrize("name", ["yolov3-tiny", "yolov4-tiny", "yolov3"])
def test_source_runtimes_take_what_is_left(name: str, tmp_path: Path) -> None:
    """OpenCV, and where it knows the layers Debian's Darknet, give what the masked network gives."""
    source, sample = prunable_nets.write(tmp_path, prunable_nets.narrow(name)), prunable_nets.sample(64)
    plan = planned(source, Settings(0.6))
    (expected,) = comparison.masked_outputs(source, plan, [sample])
    made = pruned(source, tmp_path / "made", Settings(0.6))
    opencv = tmp_path / "made/opencv.weights"
    left = pruned_network(source, plan)
    _shift_variances(made, opencv)
    files = model.Source("", "seeded", {"cfg": made.cfg, "weights": made.weights, "opencv": opencv})
    (found,) = OpenCV(files, list(expected)).run([sample])
    assert distance([found], [expected]) < SOURCE_ROUNDING
    if name != "yolov4-tiny":  # parts of a route came after Debian's source
        shapes = {detector.output: left.layers[detector.layer].input_shapes[0] for detector in left.detectors}
        (found,) = DarknetLibrary(debian_library(), files, shapes).run([sample])
        assert distance([found], [expected]) < SOURCE_ROUNDING


def _shift_variances(source: Source, path: Path) -> None:
    """Write the weights with what OpenCV's BatchNorm epsilon lacks added to every variance."""
    data = bytearray(source.weights.read_bytes()[:20])
    shift = np.float32(weights.DARKNET_EPSILON - weights.OPENCV_EPSILON)
    for _, arrays, _ in source.stored():
        for what, array in arrays.items():
            data += (array + shift if what == "variances" else array).astype("<f4").tobytes()
    path.write_bytes(data)
