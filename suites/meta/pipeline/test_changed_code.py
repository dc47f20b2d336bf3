"""A store that another version of the code has filled: what that version made otherwise is made again."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from suites.meta.places import ROOT

pytestmark = pytest.mark.slow

MODEL = "yolo-fastest"
MAKE = f"""
import sys
from pathlib import Path
from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from reference_models import registry
pipeline = Pipeline(ArtifactStore(Path(sys.argv[1])), registry.models())
samples, model = pipeline.samples({MODEL!r}), pipeline.onnx_model({MODEL!r}, "darknet", 13)
outputs = pipeline.onnxruntime_outputs(model, samples.inputs, samples.digest)
print(model.digest, samples.digest, *[float(array.sum()) for array in outputs[0].values()], sep="\\n")
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code that makes things, to be edited."""
    pytest.importorskip("cv2", reason="cv2 is not installed; run `tox run -e meta`")
    folder = tmp_path_factory.mktemp("checkout")
    for room in ("fixtures", "reference_models"):
        shutil.copytree(ROOT / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def filled(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A store that the unedited code has filled, and what it said."""
    store = tmp_path_factory.mktemp("filled") / "artifacts"
    return store, make(checkout, store)


def make(checkout: Path, store: Path) -> list[str]:
    """Run the code of a checkout against a store: digests of ONNX model and samples, sums of the outputs."""
    command = [sys.executable, "-B", "-c", MAKE, str(store)]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout.split()


EDITS = {
    "converter": ("fixtures/converters/opset_resize.py", 'nearest_mode="floor"', 'nearest_mode="ceil"'),
    "runtime": (
        "fixtures/runtimes/onnxruntime.py",
        "dict(sample))",
        "{k: v / 2 for k, v in sample.items()})",
    ),
    "inputs": ("reference_models/inputs.py", "np.float32(255)", "np.float32(250)"),
}
"""What is edited, and what is put in place of what."""


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_line_is_seen_with_a_store_of_the_former_code(
    edit: str, checkout: Path, filled: tuple[Path, list[str]], tmp_path: Path
) -> None:
    """The old store gives what an empty one gives, and that is not what the former code gave."""
    place, old, new = EDITS[edit]
    text = (ROOT / place).read_text("utf-8")
    assert old in text
    store = shutil.copytree(filled[0], tmp_path / "artifacts")
    (checkout / place).write_text(text.replace(old, new))
    try:
        with_the_old_store, with_none = make(checkout, store), make(checkout, tmp_path / "empty")
    finally:
        (checkout / place).write_text(text)
    assert with_the_old_store == with_none
    assert with_none != filled[1]


def test_a_line_of_another_framework_makes_nothing_anew(
    checkout: Path, filled: tuple[Path, list[str]]
) -> None:
    """An MXNet operator has no part in a Darknet model, nor in what its source framework gives."""
    place, before = checkout / "fixtures/converters/mxnet/pooling.py", entries(filled[0])
    text = place.read_text("utf-8")
    place.write_text(text + "\n")
    try:
        assert make(checkout, filled[0]) == filled[1]
    finally:
        place.write_text(text)
    assert entries(filled[0]) == before


def entries(store: Path) -> dict[str, int]:
    """Return when each entry and manifest of a store was written, in nanoseconds; a use touches manifests."""
    files = [path for path in (store / "entries").rglob("*") if path.is_file()]
    return {str(path): path.stat().st_mtime_ns for path in files}
