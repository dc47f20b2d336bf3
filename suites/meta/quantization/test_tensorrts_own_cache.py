"""The cache that TensorRT 8.5.3.1 made of the digit classifier on an H100: in pairs, and beside ours."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.__main__ import main
from fixtures.converters.pytorch.convert import convert
from fixtures.metrics.accuracy import top1
from fixtures.quantization import cache
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models.pytorch import digits

MISSING = [name for name in ("torch", "sklearn") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
OWN = """\
TRT-8503-EntropyCalibration2
image: 3c010a14
/0/Conv_output_0: 3d04399c
/2/Relu_output_0: 3cb582bc
/3/Conv_output_0: 3d1b043a
/5/Relu_output_0: 3d034ec2
/6/Conv_output_0: 3d825167
/8/Relu_output_0: 3d825167
/9/GlobalAveragePool_output_0: 3d0d6614
/10/Flatten_output_0: 3d0d6614
(Unnamed Layer* 8) [Constant]_output: 3b76703d
(Unnamed Layer* 9) [Matrix Multiply]_output: 3dee43f7
(Unnamed Layer* 10) [Constant]_output: 3a72e1e4
(Unnamed Layer* 11) [Shuffle]_output: 3a72e1e4
logits: 3e026582
"""
"""By IInt8EntropyCalibrator2 from the 179 calibration images, one at a time, 2026-11-28."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the digit classifier, TensorRT's cache and the calibration images."""
    made = tmp_path_factory.mktemp("digits")
    model = convert(digits.build(made).module, digits.samples()[0], ["logits"], 13, "torchscript")
    onnx.save(model, made / "digits.onnx")
    (made / "own.cache").write_text(OWN)
    np.save(made / "images.npy", digits.dataset()["calibration"])
    return made


def test_it_becomes_pairs_that_keep_the_accuracy(folder: Path) -> None:
    """No image is needed: at most 1 % of the held-out digits are lost."""
    paths = [str(folder / name) for name in ("digits.onnx", "own.cache", "own.onnx")]
    assert main(["quantization", "migrate", *paths[:2], "-o", paths[2]]) == 0
    data = digits.dataset()
    found = {}
    for name in ("digits.onnx", "own.onnx"):
        outputs = OnnxRuntime(folder / name).run([{"image": image[None]} for image in data["images"]])
        found[name] = top1(np.concatenate([output["logits"] for output in outputs]), data["labels"])
    assert found["digits.onnx"] - found["own.onnx"] <= 0.01


def test_our_entropy_is_near_its(folder: Path) -> None:
    """Six of the ten scales that both have are TensorRT's to 1 %, the others 0.84 to 1.10 times its."""
    paths = [str(folder / name) for name in ("digits.onnx", "images.npy", "ours.cache")]
    words = [paths[0], "--images", paths[1], "-o", paths[2], "--tensorrt", "8.5.3", "--calibrator", "entropy"]
    assert main(["quantization", "calibrate", *words]) == 0
    own, ours = cache.read(folder / "own.cache"), cache.read(folder / "ours.cache")
    assert (own.version, own.algorithm) == (ours.version, ours.algorithm)
    ratios = {name: float(ours.scales[name] / own.scales[name]) for name in ours.scales}
    assert set(ours.scales) == {name for name in own.scales if not name.startswith("(")}
    assert all(0.83 < ratio < 1.11 for ratio in ratios.values()), ratios
    assert sum(abs(ratio - 1) < 0.01 for ratio in ratios.values()) >= 6, ratios
