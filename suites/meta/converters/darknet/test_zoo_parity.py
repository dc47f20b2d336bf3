"""The converter computes what independents compute, on every network of the zoo that it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.verdicts import StageError
from reference_models.darknet.zoo.catalog import ZOO
from suites.meta.networks import zoo_files
from suites.meta.networks.zoo_files import FLOOR_MULTIPLE, ORACLES, REFUSES, Files, Outputs, judges

pytestmark = pytest.mark.skipif(
    find_spec("cv2") is None, reason="cv2 is not installed; run `tox run -e meta`"
)
SIDE = 96
DIVISOR = 4
"""Of the channels, which as published are 5 to 500 MB: as many layers, of the same kinds. `test_parity` has
detectors of their published width."""
CLASSES = 1000
"""Of the classifiers."""
OTHER_OPSETS = (10, 11, 12, 17, 21)


@dataclass(frozen=True)
class Net:
    """A network, what the converter's model of opset 13 gives, and how far it may be off."""

    files: Files
    outputs: Outputs
    tolerance: float


def write(name: str, folder: Path) -> Files:
    """Write a network at the size and width at which it is tested."""
    return zoo_files.write(name, SIDE, folder, DIVISOR)


@pytest.fixture(scope="module", params=ZOO)
def net(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    """Each network once for all its tests; the files are gone after them."""
    files = write(request.param, tmp_path_factory.mktemp("zoo"))
    outputs = zoo_files.converted(files, 13)
    yield Net(files, outputs, FLOOR_MULTIPLE * zoo_files.floor(files, outputs))
    for path in files.cfg.parent.iterdir():
        path.unlink()


def test_independents_compute_the_same(net: Net) -> None:
    """Each head agrees to within a multiple of the network's own float32 noise."""
    asked = judges(net.files.name)
    assert asked, "nobody is asked"
    for oracle in asked:
        off = zoo_files.worst(net.outputs, ORACLES[oracle](net.files))
        assert off <= net.tolerance, f"{net.files.name}: {off:.2g} from {oracle}, allowed {net.tolerance:.2g}"


def test_every_opset_computes_the_same(net: Net) -> None:
    """The forms that other opsets need give the same function."""
    for opset in OTHER_OPSETS:
        assert zoo_files.worst(zoo_files.converted(net.files, opset), net.outputs) <= net.tolerance, opset


def test_the_noise_of_a_network_is_that_of_float32(net: Net) -> None:
    """The floor is noise, not an error of its own, and not nothing, which would allow nothing."""
    assert 1e-8 < net.tolerance / FLOOR_MULTIPLE < 1e-4


def test_seeded_weights_keep_outputs_sane(net: Net) -> None:
    """Outputs neither vanish nor overflow, however deep the network is."""
    assert sane(net.outputs)


def sane(outputs: Outputs) -> bool:
    """Heads are of order 1; classes are neither equally likely nor certain."""
    heads = [array for array in outputs.values() if array[0].size != CLASSES]
    scores = [array for array in outputs.values() if array[0].size == CLASSES]
    return all(0.05 < float(np.sqrt(np.mean(head**2))) < 20 for head in heads) and all(
        2 / CLASSES < score.max() < 0.9 for score in scores
    )


@pytest.mark.parametrize(
    ("value", "size"), [(0.0, 8), (1e3, 8), (np.nan, 8), (1e-3, CLASSES), (1.0, CLASSES)]
)
def test_outputs_that_are_not_sane_are_seen(value: float, size: int) -> None:
    """Vanished, overflown and undecided outputs are not taken for sane ones."""
    assert not sane({"yolo_1": np.full((1, size), value, np.float32)})


@pytest.mark.parametrize(
    ("oracle", "name"), [(who, name) for who, names in REFUSES.items() for name in names]
)
def test_what_an_oracle_cannot_run_it_still_cannot(oracle: str, name: str, tmp_path: Path) -> None:
    """A row of `REFUSES` whose network the oracle has learnt to run is stale."""
    files = write(name, tmp_path)
    with pytest.raises(StageError, match="eltwise"):
        ORACLES[oracle](files)


PLANTED = {
    "a slope": ("yolov4-tiny", "activation=leaky", "activation=relu", False),
    "the other half of the channels": ("yolov4-tiny", "group_id=1", "group_id=0", False),
    "a concatenation in the other order": ("yolov4-tiny", "layers=-1,-2", "layers=-2,-1", False),
    "a smaller window": ("yolov7-tiny", "size=5", "size=3", False),
    "a head that is not logistic": ("yolov7-tiny", "activation=logistic", "activation=linear", False),
    "a route that slipped by one head": ("yolov4", "layers=-1,-16", "layers=-1,-20", True),
}
"""Error -> network, what its cfg says, what the converter is told, at the last place. Shapes agree."""


@pytest.mark.parametrize("error", PLANTED)
def test_a_planted_error_is_seen(error: str, tmp_path: Path) -> None:
    """What changes one layer without changing a shape is outside the tolerance."""
    name, said, told, last = PLANTED[error]
    files = write(name, tmp_path)
    text = files.cfg.read_text()
    at = text.rindex(f"{said}\n") if last else text.index(f"{said}\n")
    wrong = text[:at] + told + text[at + len(said) :]
    expected = zoo_files.opencv(files)
    allowed = FLOOR_MULTIPLE * zoo_files.floor(files, expected)
    assert zoo_files.worst(zoo_files.converted(files, 13, cfg=wrong), expected) > allowed


def test_a_wrong_epsilon_is_seen(tmp_path: Path) -> None:
    """OpenCV's epsilon of BatchNorm in place of Darknet's is outside the tolerance."""
    files = write("yolov4-tiny", tmp_path)
    expected = zoo_files.opencv(files)
    allowed = FLOOR_MULTIPLE * zoo_files.floor(files, expected)
    assert zoo_files.worst(zoo_files.converted(files, 13, epsilon=1e-6), expected) > allowed
