"""The digits are those of scikit-learn, read from its file; where that lies elsewhere it is asked itself."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from reference_models import inputs
from reference_models.datasets import digits

sklearn = pytest.importorskip(
    "sklearn.datasets", reason="scikit-learn is not installed; run `tox run -e meta`"
)


def parts() -> dict[str, digits.Labelled]:
    """Return all parts."""
    return {name: digits.part(name) for name in digits.PARTS}


def test_the_images_are_those_of_the_package() -> None:
    """Value by value, and of the same types: what is trained on them is the same to the bit."""
    for ours, theirs in zip(digits._all(), sklearn.load_digits(return_X_y=True), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_each_image_is_in_one_part() -> None:
    """All 1,797, every class in each part."""
    found = parts()
    assert sum(len(labels) for _, labels in found.values()) == 1797
    for images, labels in found.values():
        assert images.shape == (len(labels), 1, 8, 8)
        assert (images.min(), images.max()) == (0, 1)
        assert set(labels.tolist()) == set(range(10))


def test_a_file_that_lies_elsewhere_is_left_to_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: an installation without the file at its place. The package is asked for its digits."""
    found = parts()
    monkeypatch.setattr(digits, "find_spec", lambda _: type("", (), {"origin": str(tmp_path / "x.py")}))
    for name, (images, labels) in parts().items():
        np.testing.assert_array_equal(images, found[name][0])
        np.testing.assert_array_equal(labels, found[name][1])


def test_the_photo_is_the_packages() -> None:
    """Found without the package's import."""
    assert inputs.photo_path("china").samefile(Path(sklearn.__file__).parent / "images" / "china.jpg")


def test_without_the_package_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an import would name it, which is how what a model needs is known to be missing."""
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    for module in (digits, inputs):
        monkeypatch.setattr(module, "find_spec", lambda _: None)
    for missing in (lambda: digits.part("train"), lambda: inputs.photo_path("china")):
        with pytest.raises(ModuleNotFoundError, match=r"sklearn|scikit-learn"):
            missing()
