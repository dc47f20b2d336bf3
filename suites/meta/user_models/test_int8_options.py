"""INT8 of an ONNX file from the command line: calibration images alone, or with labels and a metric."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fixtures.checks.scoring import Distance, TopK, metric_of
from fixtures.pipeline.pipeline import Pipeline
from fixtures.report.tables import accuracy_table
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.model import ReferenceModel
from reference_models.user.words import GivenInt8
from suites.meta.gates.child_runs import run
from suites.meta.networks import user_onnx

INT8 = "suites/test_int8.py::test_int8_keeps_the_accuracy"
IMAGES = np.random.default_rng(0).random((12, 3, 16, 16)).astype(np.float32)


def described(folder: Path, **given: object) -> ReferenceModel:
    """Return the row of an ONNX file with these of the options, as a run has it."""
    file = user_onnx.classifier(folder / "net.onnx")
    rows = registry.choose(str(file), int8=GivenInt8(**given))  # type: ignore[arg-type]
    return with_descriptions(rows, ArtifactStore(folder / "artifacts"))[0]


def pipeline(folder: Path, model: ReferenceModel) -> Pipeline:
    """Return the pipeline of a run of one model."""
    return Pipeline(ArtifactStore(folder / "artifacts"), {model.name: model})


def array(folder: Path) -> Path:
    """Write one .npy of all images."""
    np.save(folder / "images.npy", IMAGES)
    return folder / "images.npy"


def archive(folder: Path) -> Path:
    """Write an .npz with the name of the input."""
    np.savez(folder / "images.npz", image=IMAGES)
    return folder / "images.npz"


def arrays(folder: Path) -> Path:
    """Write a folder with an .npy an image, every other one with a batch of 1."""
    (folder / "images").mkdir()
    for number, image in enumerate(IMAGES):
        np.save(folder / "images" / f"{number:02}.npy", image[None] if number % 2 else image)
    return folder / "images"


def pictures(folder: Path) -> Path:
    """Write a folder of pictures."""
    from PIL import Image

    (folder / "images").mkdir()
    for number, image in enumerate(IMAGES):
        pixels = (255 * image).astype(np.uint8).transpose(1, 2, 0)
        Image.fromarray(pixels).save(folder / "images" / f"{number:02}.png")
    return folder / "images"


@pytest.mark.parametrize("made", [array, archive, arrays, pictures])
def test_of_calibration_images_alone_every_fifth_is_judged(
    made: Callable[[Path], Path], tmp_path: Path
) -> None:
    """No image is in both, and none is lost; without labels there is no score."""
    model = described(tmp_path, calibration=made(tmp_path))
    way = pipeline(tmp_path, model)
    judged, kept = way.evaluation("net"), way.calibration("net")
    assert [len(kept), len(judged.inputs)] == [10, 2]
    near = 1 / 255 if made is pictures else 0
    np.testing.assert_allclose(judged.inputs[1]["image"][0], IMAGES[9], atol=near)
    np.testing.assert_allclose(kept[4]["image"][0], IMAGES[5], atol=near)
    assert isinstance(metric_of(model, judged.truth), Distance)


def test_labels_and_a_metric_make_a_score(tmp_path: Path) -> None:
    """As evaluation of a model file has them."""
    np.savez(tmp_path / "eval.npz", image=1 - IMAGES, labels=np.zeros(12, int))
    model = described(tmp_path, calibration=array(tmp_path), evaluation=tmp_path / "eval.npz", metric="top1")
    way = pipeline(tmp_path, model)
    assert [len(way.calibration("net")), len(way.evaluation("net").inputs)] == [12, 12]
    assert isinstance(metric_of(model, way.evaluation("net").truth), TopK)
    assert model.own is not None
    assert model.own.asked[-2:] == ("--metric", "top1")


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (IMAGES[:, :1], r"is float32 \(12, 1, .*expected float32"),
        (IMAGES.astype(np.float64), "is float64 .*expected float32"),
        (IMAGES * np.nan, "NaN.*; give finite values"),
        (IMAGES[:0], r"is float32 \(0, "),
        (IMAGES[:1], "holds one image, expected two at least"),
    ],
)
def test_images_that_do_not_fit_end_the_run_at_its_start(
    images: np.ndarray, said: str, tmp_path: Path
) -> None:
    """The file, what is in it and what was expected."""
    np.save(tmp_path / "images.npy", images)
    with pytest.raises(StageError, match=f"net: calibration: .*images.npy.*{said}"):
        described(tmp_path, calibration=tmp_path / "images.npy")


def test_an_empty_folder_says_what_it_lacks(tmp_path: Path) -> None:
    """Neither pictures nor arrays."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(StageError, match=r"calibration: .*empty holds no picture, and no \.npy"):
        described(tmp_path, calibration=tmp_path / "empty")


LABELS = np.arange(12) % 8


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (np.eye(8)[LABELS], r"labels .* float64 \(12, 8\), .*one class number for each image"),
        (LABELS.astype(np.float32), r"labels .* float32 \(12,\), .*give labels.astype"),
        (LABELS - 1, "a label .* is -1; count classes from 0"),
        (LABELS[1:], r"labels .* is \(11,\), expected one for each of 12 images"),
        (None, "has no 'labels', which top1 needs"),
    ],
)
def test_labels_that_are_no_class_numbers_end_the_run_at_its_start(
    labels: np.ndarray | None, said: str, tmp_path: Path
) -> None:
    """They are one-hot, no integers, negative, too few or under another name."""
    arrays = {"image": IMAGES} | ({} if labels is None else {"labels": labels})
    np.savez(tmp_path / "eval.npz", **arrays)
    with pytest.raises(StageError, match=f"net: evaluation: .*{said}"):
        described(tmp_path, evaluation=tmp_path / "eval.npz", metric="top1")


def test_labels_that_count_from_1_are_the_fault_of_the_source() -> None:
    """How many classes there are is known by the outputs alone: what all labels suggest is said then."""
    metric = TopK("top1", LABELS + 1, 1)
    with pytest.raises(StageError, match="all labels run from 1 to 8: count from 0") as caught:
        metric.read({"scores": np.zeros((1, 8))}, 7)
    assert caught.value.hop == "source"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"calibration": Path("nowhere.npz")}, "--calibration nowhere.npz: there is no file"),
        ({"evaluation": Path("pyproject.toml")}, "--evaluation is given, and metric is not"),
        ({"metric": "top1"}, "--metric is given, and evaluation is not"),
        ({"metric": "distance"}, "--metric is distance, and neither calibration nor evaluation is given"),
        ({"metric": "top2", "evaluation": Path("pyproject.toml")}, "metric 'top2' is none.*did you mean top"),
    ],
)
def test_options_that_do_not_go_together_end_the_run(
    given: dict[str, object], said: str, tmp_path: Path
) -> None:
    """Before anything is collected."""
    with pytest.raises(ValueError, match=said):
        described(tmp_path, **given)


def test_a_model_of_the_registry_has_its_own_data() -> None:
    """The options are of one model that the command line describes."""
    with pytest.raises(ValueError, match=r"--calibration .* is of one model .* names 0"):
        registry.choose("digits", int8=GivenInt8(Path("images")))


def test_a_file_is_judged_in_int8_from_the_command_line(tmp_path: Path) -> None:
    """The whole way: calibrated, held against fp32 by outputs and tensors, shown, and run again as said."""
    file = user_onnx.classifier(tmp_path / "net.onnx")
    given = [f"--model={file}", f"--calibration={array(tmp_path)}"]
    ended = run(tmp_path / "artifacts", INT8, *given, "--opset=13", "-k", "qdq")
    assert ended.code == 0, ended.output
    record = ended.the("passed")
    assert record.metrics["images"].value == 2
    assert 0 < record.metrics["scores relative_l2"].value < (record.metrics["scores relative_l2"].limit or 0)
    assert [name for name in record.metrics if name.endswith("own_sqnr")]
    assert f"--calibration {tmp_path / 'images.npy'}" in record.rerun
    (row,) = accuracy_table([record])
    assert (row.metric, row.budget) == ("relative L2 to fp32", "20 %")
