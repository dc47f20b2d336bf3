"""One pass over the calibration images: what it counts, what ends it, and how it is gone on with."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.quantization import calibration, ranges
from fixtures.quantization.calibration import Calibration
from fixtures.quantization.collection import Collection, collect
from fixtures.quantization.errors import QuantizationError
from fixtures.quantization.histograms import Histogram, Workspace
from fixtures.quantization.images import open_images
from fixtures.quantization.observer import Observer
from suites.meta.networks import quantizable

TENSORS = ("image", "r0", "c1", "both", "flat")


@pytest.fixture
def observer(tmp_path: Path) -> Observer:
    """The network, looked at in some tensors."""
    return Observer(quantizable.saved(tmp_path), TENSORS)


def state(collection: Collection) -> dict[str, tuple[list[int], int, float]]:
    """Return all that a collection holds."""
    return {n: (h.counts.tolist(), h.exponent, h.greatest) for n, h in collection.histograms.items()}


def test_histograms_are_those_of_the_tensors(observer: Observer, tmp_path: Path) -> None:
    """Buffers that are written again and again, and a thread that counts, change nothing."""
    import onnxruntime

    model, feeds = quantizable.residual(), quantizable.images(7)
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in TENSORS[1:])
    session = onnxruntime.InferenceSession(model.SerializeToString())
    expected = {name: Histogram() for name in TENSORS}
    for feed in feeds:
        for name, array in zip(TENSORS, [feed["image"], *session.run(None, feed)], strict=True):
            expected[name].add(array, Workspace())
    collection = collect(observer, feeds)
    assert collection.samples == 7
    assert state(collection) == state(Collection(expected))


def test_an_interrupted_pass_goes_on_to_the_same_end(observer: Observer, tmp_path: Path) -> None:
    """The state that the watcher saved after any sample, read again, and the rest of the images."""
    feeds, path = quantizable.images(6), tmp_path / "state.npz"

    def interrupt(collection: Collection) -> None:
        collection.save(path, "key")
        if collection.samples == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        collect(observer, feeds, watch=interrupt)
    begun = Collection.load(path, "key")
    assert begun.samples == 4
    assert state(collect(observer, feeds[4:], begun)) == state(collect(observer, feeds))


@pytest.mark.parametrize(("key", "content"), [("another", None), ("key", b""), ("key", b"PK\x03\x04 cut")])
def test_a_state_that_is_none_of_these_is_refused(key: str, content: bytes | None, tmp_path: Path) -> None:
    """Of another model, or damaged: one line that says to delete it."""
    path = tmp_path / "state.npz"
    Collection().save(path, "key")
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(QuantizationError, match="delete it to begin anew") as caught:
        Collection.load(path, key)
    assert str(caught.value).startswith(str(path))


def overflowing(folder: Path) -> Observer:
    """The network with weights so large that a tensor is infinite for the second image."""
    model = quantizable.residual()
    weights = onnx.numpy_helper.to_array(model.graph.initializer[0]) * np.float32(1e30)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights, "w0"))
    onnx.save(model, folder / "large.onnx")
    return Observer(folder / "large.onnx", TENSORS)


def test_a_tensor_that_is_infinite_is_named(tmp_path: Path) -> None:
    """With the number of the sample, and what may be wrong with it."""
    feeds = quantizable.images(2)
    feeds[1]["image"] *= np.float32(1e20)
    feeds[0]["image"] *= np.float32(1e-25)
    with pytest.raises(QuantizationError, match=r"sample 1: a value of tensor 'r0' is (infinite|NaN)"):
        collect(overflowing(tmp_path), feeds)


def wrong() -> Iterator[tuple[str, Mapping[str, np.ndarray], str]]:
    """Yield samples that do not fit, and what is said of them."""
    image = np.zeros(quantizable.SHAPE, np.float32)
    yield "name", {"picture": image}, r"names \['picture'\], inputs are \['image'\]"
    yield "shape", {"image": image[:, :, :4]}, r"float32 \(1, 3, 4, 8\), the input is float32 \(1, 3, 8, 8\)"
    yield "type", {"image": image.astype(np.uint8)}, r"uint8 \(1, 3, 8, 8\), the input is float32"
    yield "value", {"image": image + np.float32(np.nan)}, "values that are NaN or infinite"


@pytest.mark.parametrize(("feed", "said"), [row[1:] for row in wrong()], ids=[row[0] for row in wrong()])
def test_a_sample_that_does_not_fit_is_named(
    feed: Mapping[str, np.ndarray], said: str, observer: Observer
) -> None:
    """By its number, before anything of it is counted."""
    with pytest.raises(QuantizationError, match=f"calibration sample 0.*{said}"):
        collect(observer, [feed])


def test_an_empty_set_is_refused(observer: Observer) -> None:
    """Without an image there is no range."""
    with pytest.raises(QuantizationError, match="the calibration set is empty"):
        collect(observer, [])


def test_a_tensor_of_zeros_is_told_and_gets_a_scale(observer: Observer) -> None:
    """Black images: every tensor is 0, and any scale holds that."""
    collection = collect(observer, [{"image": np.zeros(quantizable.SHAPE, np.float32)}])
    assert ranges.constant_zero(collection) == list(TENSORS)
    assert set(ranges.scales(collection, "entropy").values()) == {np.float32(1)}


def test_an_unknown_method_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(ValueError, match="no calibration method 'kl'; there are entropy, minmax"):
        ranges.scales(Collection(), "kl")


def test_thresholds_are_kept_in_a_file(observer: Observer, tmp_path: Path) -> None:
    """What is read again are the scales of the method asked for."""
    collection = collect(observer, quantizable.images(3))
    ranges.save(tmp_path / "ranges.json", ranges.thresholds(collection), collection.samples)
    for method in ("entropy", "mse"):
        assert ranges.load(tmp_path / "ranges.json", method) == ranges.scales(collection, method)
    with pytest.raises(QuantizationError, match="no thresholds of method kl"):
        ranges.load(tmp_path / "ranges.json", "kl")


def files(folder: Path, count: int) -> Calibration:
    """Return a calibration of the network by images on disk."""
    images = np.concatenate([feed["image"] for feed in quantizable.images(count)])
    np.save(folder / "images.npy", images)
    opened = open_images(folder / "images.npy", {"image": quantizable.SHAPE})
    return Calibration(quantizable.saved(folder), TENSORS, opened, folder / "state")


def test_a_process_that_is_killed_loses_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is written from time to time, and what is gone on with ends as if nothing had been."""
    monkeypatch.setattr(calibration, "EVERY", 0.0)
    one = files(tmp_path, 5)

    def killed(done: int) -> None:
        if done == 4:
            raise MemoryError

    with pytest.raises(MemoryError):
        one.run(one.begun(), killed, lambda: False)
    begun = one.begun()
    assert begun.samples == 3
    whole = collect(Observer(one.model, TENSORS), quantizable.images(5))
    assert state(one.run(begun, lambda _: None, lambda: False)) == state(whole)


def test_a_pass_that_cannot_end_leaves_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image with NaN has to be another: what was kept of this set would stand in the way."""
    monkeypatch.setattr(calibration, "EVERY", 0.0)
    one = files(tmp_path, 5)
    broken = np.load(tmp_path / "images.npy")
    broken[3] = np.nan
    np.save(tmp_path / "images.npy", broken)
    with pytest.raises(QuantizationError, match=r"images\.npy, 'image': image 3 has values that are NaN"):
        one.run(one.begun(), lambda _: None, lambda: False)
    assert not one.state.exists()
