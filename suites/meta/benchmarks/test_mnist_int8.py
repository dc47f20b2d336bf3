"""INT8 of LeNet on files of MNIST's format: what is printed is measured, and a wrong file is named."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks import mnist_int8
from reference_models.datasets import digits, mnist
from suites.meta.reference_models.datasets.test_mnist import idx

MISSING = [name for name in ("torch", "sklearn") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
COUNT = 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write MNIST's four files, of digits that the committed LeNet was not trained on."""
    images, labels = digits.held_out()
    pixels = np.rint(255 * digits.enlarged(images[:COUNT])[:, 0, 2:-2, 2:-2]).astype(np.uint8)
    for name in mnist.PARTS.values():
        (tmp_path / f"{name}-{mnist.IMAGES}").write_bytes(idx(pixels))
        (tmp_path / f"{name}-{mnist.LABELS}").write_bytes(idx(labels[:COUNT].astype(np.uint8)))
    return tmp_path


def test_each_way_is_judged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Four calibrators and weights alone keep what float32 knows of each image."""
    from reference_models.pytorch.lenet import WEIGHTS

    lines = folder / "lines.jsonl"
    asked = [str(folder), "--weights", str(WEIGHTS), "--images", "16", "--lines", str(lines)]
    assert mnist_int8.main(asked) == 0
    rows = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [row["way"] for row in rows] == ["entropy", "minmax", "percentile", "mse", "weight-only"]
    assert {row["images"] for row in rows} == {COUNT}
    assert min(row["fp32"] for row in rows) > 90
    assert max(abs(row["lost"]["value"]) for row in rows) < 4
    assert capsys.readouterr().out.splitlines()[4].split()[0] == "mse"


def test_labels_of_other_images_are_seen(folder: Path) -> None:
    """Planted: turned round, they are what float32 hardly finds; nothing is taken from the network itself."""
    from reference_models.pytorch.lenet import WEIGHTS

    labels = mnist.part(folder, "test")[1].astype(np.uint8)
    (folder / f"t10k-{mnist.LABELS}").write_bytes(idx(labels[::-1].copy()))
    outcome = next(mnist_int8.judged(WEIGHTS, folder, folder, 4))
    assert outcome.fp32 < 50


def test_a_folder_that_has_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With where MNIST can be had."""
    assert mnist_int8.main([str(tmp_path)]) == 2
    assert "has neither train-images-idx3-ubyte" in capsys.readouterr().err
