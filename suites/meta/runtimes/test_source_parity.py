"""The stage source-parity: Darknet itself against OpenCV, and what ends it otherwise."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fixtures.cases import Selection
from fixtures.runtimes.darknet_library import DEBIAN
from fixtures.stages import stage
from fixtures.store.files import sha256_of
from reference_models import registry
from reference_models.darknet import weights
from reference_models.darknet.architectures import yolov3_tiny
from suites.meta.gates.child_runs import Run, edit, pipeline, run
from suites.meta.oracles.darknet_package import debian_library

STAGE = "suites/test_parity.py::test_darknet_itself_gives_the_source_outputs"
TINY = "yolov3-tiny"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that holds the source network of yolov3-tiny and what OpenCV gives."""
    pytest.importorskip("cv2", reason="cv2 is not installed; run `tox run -e meta`")
    debian_library()
    store = tmp_path_factory.mktemp("made") / "artifacts"
    pipeline(store).samples(TINY)
    return store


@pytest.fixture
def store(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the store, to be spoiled; Debian's library is the one that runs."""
    monkeypatch.delenv("DARKNET_LIB", raising=False)
    return Path(shutil.copytree(made, tmp_path / "artifacts"))


def ended(store: Path, *models: str) -> Run:
    """Run the stage alone."""
    return run(store, STAGE, f"--model={','.join(models)}", "--support=none")


def test_every_darknet_model_has_one_case() -> None:
    """One for each, whatever the opsets; no other framework has any."""
    models = tuple(registry.models().values())
    found = list(stage("source-parity").cases(Selection(models, (10, 13), (), ("fp32",))))
    assert {case.model for case in found} == {m.name for m in models if m.framework == "darknet"}
    assert len(found) == len({case.id for case in found})


def test_darknet_agrees_where_it_can_and_says_where_not(store: Path) -> None:
    """yolov3-tiny passes, and names library and samples; yolov4-tiny has routes by groups."""
    done = ended(store, TINY, "yolov4-tiny", "digits")
    passed, refused = done.the("passed"), done.the("not-run")
    assert passed.metrics["samples"].value == 3
    assert passed.dependencies["libdarknet"].startswith(f"{DEBIAN} sha256 ")
    assert passed.rerun.endswith(f"--model {TINY}")
    assert "does not know all of this network: key groups = 2" in refused.message
    assert done.code == 0


def test_another_weight_is_the_fault_of_the_source(store: Path) -> None:
    """One filter of the first convolution is a hundredth greater than where OpenCV read it."""
    manifest = next((store / "sources" / TINY).glob("*/source.json"))
    files = json.loads(manifest.read_text())["body"]["files"]
    read, other = manifest.parent / files["weights"][0], manifest.with_name("other.weights")
    data = np.fromfile(read, np.uint8)
    conv, stored = next(weights.stored_arrays(data, yolov3_tiny()))
    stored[4 * conv.filters :][: conv.shape[1] * conv.size**2] *= np.float32(1.01)
    data.tofile(other)
    edit(manifest, lambda body: body["files"].update(weights=[other.name, sha256_of(other)]))
    message = ended(store, TINY).the("failed").message
    assert message.startswith(f"source-parity {TINY}-fp32: guilty hop: source\nyolo_16: ")
    for part in ("of 43095 mismatched", "tolerances.toml row", "rerun: "):
        assert part in message


def test_outputs_of_other_weights_are_not_judged(store: Path) -> None:
    """A source that the stored outputs are not of is named before anything is compared."""
    manifest = next((store / "sources" / TINY).glob("*/source.json"))
    edit(manifest, lambda body: body.update(digest="0"))
    assert "the stored outputs are of other weights" in ended(store, TINY).the("not-run").message


def test_without_a_library_nothing_is_judged(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record says what is missing and how to get it."""
    monkeypatch.setenv("DARKNET_LIB", "/nowhere/libdarknet.so")
    message = ended(store, TINY).the("not-run").message
    assert "DARKNET_LIB='/nowhere/libdarknet.so' is no file; install Debian's package darknet" in message
