"""Darknet's own library runs in a child process, says what it does not know, and agrees with the converter.

Debian's (pjreddie's) is the real one; what it cannot show, AlexeyAB's functions and the bug of his AVX
maxpool, a stand-in shows.
"""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.runtimes import darknet_library
from fixtures.runtimes.darknet_library import (
    DarknetLibrary,
    adds_outside,
    find,
    predict,
    probe,
    with_heads_joined,
)
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.verdicts import Crashed, NotRun, StageError
from reference_models import fetch, inputs, registry
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.model import Source
from suites.meta.oracles.darknet_package import debian_library
from suites.meta.places import ROOT

STAND_IN = ROOT / "suites" / "meta" / "stand_ins" / "darknet_library.c"
NET = "[net]\nwidth=4\nheight=4\nchannels=2\nbatch=1\n"
HEAD = "[convolutional]\n[yolo]\nmask=0\n"
ROUNDING = 1e-5
"""Relative L2, 84 times float32's epsilon: as in the stage source-parity."""


@pytest.fixture(scope="session")
def debian() -> Path:
    """The real library."""
    return debian_library()


def built(folder: Path, *flags: str) -> Path:
    """Compile the stand-in."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: cc")
    library = folder / "libdarknet.so"
    subprocess.run([compiler, "-shared", "-fPIC", *flags, "-o", library, STAND_IN, "-lm"], check=True)
    return library


def made(folder: Path, cfg: Cfg, text: str = "") -> Source:
    """Write a network with seeded weights whose variances are so small that every epsilon counts."""
    files = {role: folder / f"net.{role}" for role in ("cfg", "weights", "opencv")}
    files["cfg"].write_text(text or cfg.text())
    weights.write_seeded(files["weights"], cfg, 1)
    data = np.fromfile(files["weights"], np.uint8)
    for conv, stored in weights.stored_arrays(data, cfg):
        if conv.bn:
            stored[conv.filters : 2 * conv.filters] *= 1e-3
            stored[3 * conv.filters : 4 * conv.filters] *= 1e-6
    data.tofile(files["weights"])
    shift = weights.DARKNET_EPSILON - weights.OPENCV_EPSILON
    weights.shift_variances(files["weights"], files["opencv"], cfg, shift)
    return Source(digest="", weights="seeded", files=files, note="")


def two_heads() -> Cfg:
    """A network with heads of 16x16 and of 8x8 cells."""
    cfg = Cfg(16, 16)
    cfg.conv(8, 3)
    cfg.yolo((0,), [(3, 4)], 2)
    cfg.route(0)
    cfg.conv(8, 3, 2)
    cfg.yolo((0, 1), [(3, 4), (6, 8)], 2)
    return cfg


TWO = {"yolo_2": (7, 16, 16), "yolo_6": (14, 8, 8)}


def distance(actual: np.ndarray, expected: np.ndarray) -> float:
    """Relative L2."""
    return float(np.linalg.norm(actual - expected) / np.linalg.norm(expected))


def by_converter(source: Source, folder: Path, rows: list[np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Return what our converter's model gives in ONNX Runtime."""
    onnx.save(convert(source.files["cfg"], source.files["weights"], 13), folder / "net.onnx")
    return OnnxRuntime(folder / "net.onnx").run([{"data": row} for row in rows])


def test_two_heads_of_a_network_are_read_at_once(debian: Path, tmp_path: Path) -> None:
    """Each head of each sample is what the converted model gives, with variances of 1e-6."""
    source, random = made(tmp_path, two_heads()), np.random.default_rng(2)
    rows = [random.random((1, 3, 16, 16), np.float32) for _ in range(2)]
    runtime = DarknetLibrary(debian, source, TWO)
    found = runtime.run([{"data": row} for row in rows])
    for ours, theirs in zip(found, by_converter(source, tmp_path, rows), strict=True):
        assert list(ours) == list(theirs) == list(TWO)
        assert all(distance(ours[name], theirs[name]) < ROUNDING for name in TWO)
    times = runtime.time({"data": rows[0]}, 7)
    assert len(times) == 7
    assert min(times) > 0


def test_the_weights_as_they_are_give_other_numbers(debian: Path, tmp_path: Path) -> None:
    """Without the moved epsilon the two differ, so the comparison above is one of BatchNorm too."""
    source = made(tmp_path, two_heads())
    row = np.random.default_rng(2).random((1, 3, 16, 16), np.float32)
    text = with_heads_joined(source.files["cfg"].read_text(), TWO)
    theirs = by_converter(source, tmp_path, [row])[0]["yolo_2"].ravel()
    count = sum(int(np.prod(shape)) for shape in TWO.values())
    plain = predict(debian, text, str(source.files["weights"]), row, count)["outputs"][0]
    assert distance(plain[: theirs.size], theirs) > 100 * ROUNDING


def test_official_weights_see_photos_as_the_converted_model_does(debian: Path, tmp_path: Path) -> None:
    """yolov3-tiny as it was trained: both heads on each photo."""
    source = registry.models()["yolov3-tiny"].build(tmp_path)
    if source.weights != "official":
        pytest.skip(source.note)
    try:
        photos = inputs.photos(416, 416, maximum=1.0, names=inputs.FETCHED)
    except fetch.FetchError as error:
        pytest.skip(str(error))
    expected = by_converter(source, tmp_path, photos)
    shapes = {name: value.shape[1:] for name, value in expected[0].items()}
    found = DarknetLibrary(debian, source, shapes).run([{"data": photo} for photo in photos])
    assert shapes == {"yolo_16": (255, 13, 13), "yolo_23": (255, 26, 26)}
    for ours, theirs in zip(found, expected, strict=True):
        assert all(distance(ours[name], theirs[name]) < ROUNDING for name in shapes)


def test_the_epsilon_of_batchnorm_is_found_out(debian: Path, tmp_path: Path) -> None:
    """Pjreddie's is added to the square root, AlexeyAB's to the variance, and another one is refused."""
    assert adds_outside(debian)
    assert not adds_outside(built(tmp_path))
    with pytest.raises(NotRun, match=r"neither pjreddie's epsilon nor AlexeyAB's"):
        adds_outside(built(tmp_path, "-DEPSILON=1e-6f"))


def test_either_kind_of_library_gives_the_same(debian: Path, tmp_path: Path) -> None:
    """AlexeyAB's functions and epsilon, in the stand-in, and pjreddie's: the weights make up for it."""
    cfg = Cfg(13, 13, 1)
    cfg.conv(4, 1, activation="linear")
    source = made(tmp_path, cfg, cfg.text() + "[yolo]\n")
    sample = {"data": np.random.default_rng(3).random((1, 1, 13, 13), np.float32)}
    ours, theirs = (
        DarknetLibrary(library, source, {"yolo_1": (4, 13, 13)}).run([sample])[0]["yolo_1"]
        for library in (debian, built(tmp_path))
    )
    assert distance(ours, theirs) < ROUNDING


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ("[convolutional]\nactivation=mish\n", "activation mish"),
        ("[convolutional]\n[route]\nlayers=-1\ngroups=2\n", "key groups = 2"),
        ("[convolutional]\n[reorg3d]\nstride=2\n", r"layer \[reorg3d\]; key stride = 2"),
        ("[reorg3d]\n[convolutional]\n", r"layer \[reorg3d\]"),
    ],
)
def test_what_the_library_does_not_know_is_named(section: str, named: str, debian: Path) -> None:
    """An activation, a key or a layer that Darknet would go on without, or die of, is no result."""
    with pytest.raises(NotRun, match=f"does not know all of this network: {named}"):
        predict(debian, NET + section, "", np.ones((1, 2, 4, 4)), 16, strict=True)


def test_an_unknown_word_can_be_let_pass(debian: Path) -> None:
    """Who wants to see what Darknet makes of it gets ReLU for mish."""
    cfg = f"{NET}[convolutional]\nactivation=mish\n"
    assert predict(debian, cfg, "", -np.ones((1, 2, 4, 4)), 16)["outputs"].shape == (1, 16)


@pytest.mark.parametrize(
    ("row", "values", "named"),
    [((1, 2, 4, 4), 15, "network_outputs are 16, expected 15"), ((1, 3, 4, 4), 16, "network_inputs are 32")],
)
def test_nothing_is_read_past_an_array(row: tuple[int, ...], values: int, named: str, debian: Path) -> None:
    """A row or an output of another size than the network's is an error."""
    with pytest.raises(StageError, match=named):
        predict(debian, f"{NET}[convolutional]\n", "", np.ones(row), values)


def test_a_library_that_dies_is_a_crash(debian: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal, and a run that takes too long, have a verdict of their own."""
    rows = np.ones((1, 2, 4, 4))
    with pytest.raises(Crashed, match=r"died by SIGABRT\.(.|\n)*No input parameters supplied"):
        predict(debian, "[net]\nbatch=1\n[convolutional]\n", "", rows, 16)
    monkeypatch.setattr(darknet_library, "SECONDS", 0.001)
    with pytest.raises(Crashed, match=r"ran longer than 0\.001 s"):
        predict(debian, f"{NET}[convolutional]\n", "", rows, 16)


def test_weights_that_are_not_there_are_told(debian: Path) -> None:
    """Darknet ends with code 0 then; that is no success."""
    with pytest.raises(StageError, match=r"ended with code 0\.(.|\n)*Couldn't open file: /nowhere"):
        predict(debian, f"{NET}[convolutional]\n", "/nowhere", np.ones((1, 2, 4, 4)), 16)


def test_what_the_child_said_last_is_told(tmp_path: Path) -> None:
    """A file that is no library ends the child, not the suite."""
    library = tmp_path / "libdarknet.so"
    library.write_text("nothing")
    with pytest.raises(StageError, match=r"ended with code 1\.(.|\n)*libdarknet\.so"):
        predict(library, NET, "", np.zeros((1, 2, 4, 4)), 16)


def test_the_avx_maxpool_is_named(debian: Path, tmp_path: Path) -> None:
    """A library that forgets the right border is refused with the cause and the cure."""
    probe(debian)
    probe(built(tmp_path))
    with pytest.raises(NotRun, match=r"of 169 values .* AVX .* without -march=native"):
        probe(built(tmp_path, "-DBROKEN"))


def test_where_the_library_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DARKNET_LIB goes before Debian's place; without either, both ways are said."""
    named, package = tmp_path / "named.so", tmp_path / "package.so"
    monkeypatch.setattr(darknet_library, "DEBIAN", package)
    monkeypatch.delenv("DARKNET_LIB", raising=False)
    with pytest.raises(NotRun, match=r"is not set, .*apt-get install darknet.* or set DARKNET_LIB"):
        find()
    package.touch()
    assert find() == package
    monkeypatch.setenv("DARKNET_LIB", str(named))
    with pytest.raises(NotRun, match=r"named\.so' is no file; .*apt-get install darknet"):
        find()
    named.touch()
    assert find() == named


def test_heads_pass_on_what_they_get_and_are_joined() -> None:
    """Layers keep their numbers, comments are no sections, and a layer too many is refused."""
    text = with_heads_joined(f"[net]\n#[no]\n{HEAD}[route]\nlayers=-1\n{HEAD}", ["yolo_1", "yolo_4"])
    kept = ["[convolutional]", "[route]", "layers=-1"]
    assert text.split() == ["[net]", "#[no]", *kept, "[route]", "layers=-1", *kept, "[route]", "layers=1,4"]
    with pytest.raises(ValueError, match="2 layers, no layer 2"):
        with_heads_joined(f"[net]\n{HEAD}", ["yolo_2"])
