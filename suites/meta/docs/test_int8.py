"""The page about INT8: its commands run as they stand there, one after the other, and its table is true."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from docs.tables import int8
from fixtures.__main__ import main
from fixtures.quantization import cache
from suites.meta.docs.pages import text

COMMAND = re.compile(r"^    python -m fixtures (.*)$", re.MULTILINE)
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def quantized(source: Path, target: Path) -> None:
    """Quantize a model as ONNX Runtime does when nothing is said: uint8 with a zero point."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            with np.load("calibration.npz") as images:
                self.left = iter([{"image": image[None]} for image in images["image"]])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self.left, None)

    quantize_static(source, target, Reader(), quant_format=QuantFormat.QDQ, activation_type=_uint8())


def _uint8() -> object:
    from onnxruntime.quantization import QuantType

    return QuantType.QUInt8


def test_its_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, on a model and the images that the first block makes; each ends with code 0."""
    monkeypatch.chdir(tmp_path)
    int8.write(tmp_path)
    page = text("int8.md")
    exec(BLOCK.findall(page)[0])  # noqa: S102 - the page's own lines
    quantized(tmp_path / "model.onnx", tmp_path / "uint8.onnx")
    commands = COMMAND.findall(page)
    assert len(commands) == 7
    for command in commands:
        assert main(shlex.split(command)) == 0, command
    assert cache.read(tmp_path / "calibration.cache").version == 8601
    assert cache.read(tmp_path / "back.cache").version == 7203
    whole, weights = ((tmp_path / f"{name}.onnx").stat().st_size for name in ("model", "weights"))
    assert weights < whole


def test_every_calibrator_is_told() -> None:
    """The table of calibrators has a row for each."""
    from fixtures.quantization.calibrators import METHODS

    assert set(METHODS) == {name for name in METHODS if f"\n| `{name}` |" in text("int8.md")}


def test_the_calibrator_of_the_page_has_what_tensorrt_calls() -> None:
    """The class that reads a cache, beside a base that only has its name."""
    base = type("IInt8EntropyCalibrator2", (), {})
    space: dict[str, object] = {"trt": type("trt", (), {"IInt8EntropyCalibrator2": base})}
    exec(BLOCK.findall(text("int8.md"))[1], space)  # noqa: S102 - the page's own lines
    made = space["FromCache"]()  # type: ignore[operator]
    called = ("get_batch_size", "get_batch", "read_calibration_cache", "write_calibration_cache")
    assert all(callable(getattr(made, name)) for name in called)
    assert (made.get_batch_size(), made.get_batch(["image"])) == (1, None)
