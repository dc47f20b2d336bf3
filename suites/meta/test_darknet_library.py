"""A user's libdarknet is called in a child process, and its AVX maxpool is found out; with a stand-in."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from fixtures.runtimes.darknet_library import DarknetLibrary, cut, predict
from fixtures.verdicts import NotRun, StageError
from reference_models.model import Source

STAND_IN = Path(__file__).with_name("darknet_stand_in.c")
HEAD = "[convolutional]\n[yolo]\n"
CFG = f"[net]\nwidth=13\nheight=13\n#[no]\n{HEAD}[route]\nlayers=-1\n{HEAD}"


def built(folder: Path, *flags: str) -> Path:
    """Compile the stand-in."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler: cc")
    library = folder / "libdarknet.so"
    subprocess.run([compiler, "-shared", "-fPIC", *flags, "-o", library, STAND_IN], check=True)
    return library


@pytest.fixture
def source(tmp_path: Path) -> Source:
    """A source of two heads, whose weights nobody reads."""
    cfg, weights = tmp_path / "net.cfg", tmp_path / "net.weights"
    cfg.write_text(CFG)
    weights.write_bytes(b"")
    return Source(digest="", weights="seeded", files={"cfg": cfg, "weights": weights}, note="")


def test_each_head_comes_from_a_cfg_that_ends_before_it(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two samples, two heads: the stand-in multiplies by the number of sections, 2 and 5."""
    monkeypatch.setenv("DARKNET_LIB", str(built(tmp_path)))
    runtime = DarknetLibrary(source, {"yolo_1": (1, 13, 13), "yolo_4": (1, 13, 13)})
    samples = [{"data": np.full((1, 1, 13, 13), value, np.float32)} for value in (1, 10)]
    results = runtime.run(samples)
    assert [{name: value.max() for name, value in result.items()} for result in results] == [
        {"yolo_1": 2, "yolo_4": 5},
        {"yolo_1": 20, "yolo_4": 50},
    ]
    assert results[0]["yolo_1"].shape == (1, 1, 13, 13)
    assert len(runtime.time(samples[0], 7)) == 7


def test_the_avx_maxpool_is_named(source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that forgets the right border is refused with the cause and the cure."""
    monkeypatch.setenv("DARKNET_LIB", str(built(tmp_path, "-DBROKEN")))
    with pytest.raises(NotRun, match=r"of 169 values .* AVX .* without -march=native"):
        DarknetLibrary(source, {"yolo_1": (1, 13, 13)})


def test_a_library_that_is_not_there_is_named(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without DARKNET_LIB the runtime is not run, and the message says what to set."""
    monkeypatch.delenv("DARKNET_LIB", raising=False)
    with pytest.raises(NotRun, match="DARKNET_LIB"):
        DarknetLibrary(source, {})


def test_what_the_child_said_last_is_told(tmp_path: Path) -> None:
    """A file that is no library ends the child, not the suite."""
    library = tmp_path / "libdarknet.so"
    library.write_text("nothing")
    with pytest.raises(StageError, match=r"ended with code 1 and said: .*libdarknet\.so"):
        predict(library, CFG, "", np.zeros((1, 1, 13, 13), np.float32), 169)


def test_a_cfg_is_cut_between_sections() -> None:
    """[net] and so many layers; comments do not count, and a layer too many is refused."""
    assert cut(CFG, 1) == CFG[: CFG.index("[yolo]")]
    assert cut(CFG, 4) == CFG[: CFG.rindex("[yolo]")]
    with pytest.raises(ValueError, match="5 layers"):
        cut(CFG, 5)
