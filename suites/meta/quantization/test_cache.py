"""Calibration caches: TensorRT's own is read, what is written is read again to the bit, damage is named."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.quantization.cache import Cache, hold, read, text, version_number, write
from fixtures.quantization.errors import QuantizationError

UNNAMED = "(Unnamed Layer* 3) [Shuffle]_output"
OWN = f"TRT-8503-EntropyCalibration2\nimage: 3c010204\n{UNNAMED}: 3c8f1f4e\nx:0: 3f800000\n"
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=1)
SCALES = st.floats(width=32, min_value=2.0**-126, allow_infinity=False)


def cached(folder: Path, content: str) -> Path:
    """Write a cache file."""
    path = folder / "calibration.cache"
    path.write_bytes(content.encode())
    return path


def test_tensorrts_own_form_is_read(tmp_path: Path) -> None:
    """Names with colons and blanks, and scales by their bits."""
    cache = read(cached(tmp_path, OWN))
    assert (cache.version, cache.algorithm) == (8503, "EntropyCalibration2")
    bits = {"image": 0x3C010204, UNNAMED: 0x3C8F1F4E, "x:0": 0x3F800000}
    assert cache.scales == {name: np.uint32(value).view(np.float32) for name, value in bits.items()}
    assert text(cache) == OWN


@given(st.dictionaries(NAMES, SCALES, min_size=1))
def test_what_is_written_is_read_to_the_bit(scales: dict[str, float]) -> None:
    """Any name but one with a line break, any positive number."""
    import tempfile

    cache = Cache(8601, "MinMaxCalibration", {name: np.float32(scale) for name, scale in scales.items()})
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "a.cache", cache)
        again = read(Path(folder) / "a.cache")
    assert again == cache
    assert all(len(line.rpartition(": ")[2]) == 8 for line in text(cache).split("\n")[1:-1])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "line 1: '' is no header"),
        ("\x00\x01", "no header"),
        ("TRT-8503-LegacyCalibration\nx: 3f800000\n", "of the algorithm LegacyCalibration, expected"),
        ("TRT-8503-EntropyCalibration2\n", "no tensor behind its header|line 2"),
        ("TRT-8503-EntropyCalibration2\nimage: 3c01\n", "line 2: .*eight hex digits; is it whole"),
        ("TRT-8503-EntropyCalibration2\nimage\n", "line 2"),
        ("TRT-8503-EntropyCalibration2\nx: 3f800000\nx: 3f800000\n", "line 3: tensor 'x' stands there twice"),
        ("TRT-8503-EntropyCalibration2\nx: 7fc00000\n", "line 2: the scale of 'x' is nan"),
        ("TRT-8503-EntropyCalibration2\nx: bf800000\n", "line 2: the scale of 'x' is -1.0"),
    ],
)
def test_damage_is_named_with_its_line(content: str, said: str, tmp_path: Path) -> None:
    """No part of a damaged cache is used."""
    with pytest.raises(QuantizationError, match=said) as caught:
        read(cached(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_another_algorithm_is_refused(tmp_path: Path) -> None:
    """Where one algorithm is asked for, the cache of another is not taken."""
    with pytest.raises(QuantizationError, match="EntropyCalibration2, expected MinMaxCalibration"):
        read(cached(tmp_path, OWN), "MinMaxCalibration")


@pytest.mark.parametrize(
    ("needed", "known", "said"),
    [
        (["image"], ["image", "y"], "names 'x:0', which the model lacks"),
        (["image", "y"], ["image", "x:0", "y"], "lacks 'y', which must be quantized"),
    ],
)
def test_names_are_held_against_the_model(
    needed: list[str], known: list[str], said: str, tmp_path: Path
) -> None:
    """Tensors on either side alone are named; names that TensorRT gave are passed over."""
    path = cached(tmp_path, OWN)
    with pytest.raises(QuantizationError, match=re.escape(said)):
        hold(read(path), path, needed, known)
    hold(read(path), path, ["image"], ["image", "x:0"])


@pytest.mark.parametrize(
    ("version", "number"), [("8.5.3", 8503), ("8.6.0.12", 8600), ("7.0", 7000), ("10.3.0", 100300)]
)
def test_a_version_is_written_as_tensorrt_writes_it(version: str, number: int) -> None:
    """NV_TENSORRT_VERSION: from 10 on with a digit more."""
    assert version_number(version) == number


@pytest.mark.parametrize("wrong", ["8", "8.x", "", "1.2.3.4.5"])
def test_what_is_no_version_is_refused(wrong: str) -> None:
    """The message shows what was given."""
    with pytest.raises(ValueError, match="is no version of TensorRT such as"):
        version_number(wrong)
