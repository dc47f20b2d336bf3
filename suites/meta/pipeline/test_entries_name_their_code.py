"""Every entry that the pipeline writes has the code that makes it in its key."""

import json
from pathlib import Path

import pytest

from fixtures.store import keys
from suites.meta.gates.child_runs import pipeline

pytestmark = pytest.mark.slow

NAME, CONVERTER = "digits", "torchscript"
KINDS = ("dataset", "fp16", "onnx", "onnxruntime-outputs", "quantized", "samples")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one of each kind of thing that is made without TensorRT."""
    pytest.importorskip("torch", reason="torch is not installed; run `tox run -e meta`")
    folder = tmp_path_factory.mktemp("store")
    way = pipeline(folder)
    model, samples = way.onnx_model(NAME, CONVERTER, 13), way.samples(NAME)
    way.to_fp16(model)
    way.to_int8(NAME, model, "weight-only")
    way.onnxruntime_outputs(model, samples.inputs, samples.digest)
    return folder


def test_these_kinds_were_made(store: Path) -> None:
    """The test below has something to look at."""
    assert sorted(path.name for path in (store / "entries").iterdir()) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_has_the_digest_of_what_makes_it(kind: str, store: Path) -> None:
    """A kind without its code, or with that of another, would be taken from the store after an edit."""
    model = pipeline(store).models[NAME] if keys.KINDS[kind].of else None
    converter = CONVERTER if kind == "onnx" else ""
    code = keys.tree().digest(keys.files_of(keys.tree(), kind, model, converter))
    found = [json.loads(path.read_text())["key"]["code"] for path in (store / "entries" / kind).iterdir()]
    assert found == [code] * len(found) != []
