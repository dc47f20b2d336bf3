"""What a user gives to judge INT8 by: declared in the model file, read in place, named where it is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fixtures.checks.scoring import OwnFunction, TopK, metric_of
from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models.user import rows
from reference_models.user.factory import OwnModelError
from suites.meta.gates.child_runs import run
from suites.meta.networks.user_models import SOUND

INT8 = "suites/test_int8.py::test_int8_keeps_the_accuracy"
DECLARED = """
[model.mine]
framework = "pytorch"
factory = "nets.py:small"
inputs = {{ image = [1, 3, 8, 8] }}
outputs = ["scores"]
{rest}
"""
JUDGED = 'evaluation = "eval.npz"\ncalibration = "calibration.npy"\nmetric = "top1"'
EVERY = np.random.default_rng(0).random((24, 3, 8, 8)).astype(np.float32)
IMAGES, CALIBRATION = EVERY[:20], EVERY[20:]
LABELS = np.arange(20) % 10
SCORE = '\n\ndef score(outputs, truth):\n    return outputs["scores"].argmax() == truth["labels"]\n'


def declared(folder: Path, rest: str, evaluation: Mapping[str, Any] | None = None) -> Path:
    """Write a model file beside a package, with data for it."""
    (folder / "nets.py").write_text(SOUND + SCORE)
    (folder / "models.toml").write_text(DECLARED.format(rest=rest))
    np.save(folder / "calibration.npy", CALIBRATION)
    arrays = {"image": IMAGES, "labels": LABELS} if evaluation is None else evaluation
    np.savez(folder / "eval.npz", **arrays)
    return folder / "models.toml"


def data(file: Path) -> Any:
    """What the one model of a file is judged on."""
    (model,) = rows.rows(str(file))
    assert model.dataset is not None
    return model.dataset()


def test_the_data_is_read_in_place(tmp_path: Path) -> None:
    """Calibration and evaluation are those of the files, and nothing of them is stored."""
    (model,) = rows.rows(str(declared(tmp_path, JUDGED)))
    way = Pipeline(ArtifactStore(tmp_path / "artifacts"), {"mine": model})
    found = way.evaluation("mine")
    assert (len(way.calibration("mine")), len(found.inputs)) == (4, 20)
    assert found.inputs[3]["image"].tobytes() == IMAGES[3:4].tobytes()
    metric = metric_of(model, found.truth)
    assert isinstance(metric, TopK)
    assert metric.labels.tolist() == [n % 10 for n in range(20)]
    assert not list((tmp_path / "artifacts").rglob("dataset*"))


def test_the_samples_calibrate_where_nothing_else_does(tmp_path: Path) -> None:
    """Without calibration data there are the model's samples, here seeded noise."""
    rest = 'evaluation = "eval.npz"\nmetric = "top5"'
    assert data(declared(tmp_path, rest))["calibration/image"].shape == (3, 3, 8, 8)


def test_a_function_is_imported_when_it_scores(tmp_path: Path) -> None:
    """It is named like a factory, relative to the model file."""
    rest = 'evaluation = "eval.npz"\nmetric = "nets.py:score"'
    (model,) = rows.rows(str(declared(tmp_path, rest)))
    way = Pipeline(ArtifactStore(tmp_path / "artifacts"), {"mine": model})
    metric = metric_of(model, way.evaluation("mine").truth)
    assert isinstance(metric, OwnFunction)
    assert [metric.read({"scores": np.eye(10)[[4]]}, number) for number in (4, 5)] == [1, 0]


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ('metric = "top1"', r"models.toml:7: metric is given, and evaluation is not"),
        ('evaluation = "eval.npz"', r"models.toml:7: evaluation is given, and metric is not"),
        ('metric = "distance"', r"models.toml:7: metric is distance, and neither calibration nor evaluation"),
        (
            'metric = "top2"\nevaluation = "eval.npz"',
            r"models.toml:7: metric 'top2' is none, and no function; did you mean top",
        ),
        ('metric = "nets.py:"\nevaluation = "eval.npz"', r"models.toml:7: metric: .* is neither"),
        ("metric = 1", "metric must be top1, top5, map, or a function"),
    ],
)
def test_a_declaration_that_does_not_fit_is_named_with_its_line(rest: str, said: str, tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(OwnModelError, match=said):
        rows.rows(str(declared(tmp_path, rest)))


@pytest.mark.parametrize(
    ("evaluation", "metric", "said"),
    [
        ({"image": IMAGES}, "top1", "has no 'labels', which top1 needs; it has image"),
        ({"labels": LABELS}, "top1", "holds labels, expected image"),
        ({"image": IMAGES[:, :1], "labels": LABELS}, "top1", r"image .* is float32 \(20, 1, 8, 8\)"),
        ({"image": IMAGES, "labels": LABELS[1:]}, "top1", r"labels .* is \(19,\), expected one for each"),
        ({"image": IMAGES * np.nan, "labels": LABELS}, "top1", "NaN.*; give finite values"),
        ({"image": IMAGES, "boxes": np.zeros((2, 4))}, "map", "has no 'labels'; map takes boxes, labels, "),
        (
            {"image": IMAGES, "boxes": np.zeros((2, 4)), "labels": np.zeros(2), "counts": np.zeros(20, int)},
            "map", "do not fit 20 images",
        ),
    ],
)  # fmt: skip
def test_data_that_does_not_fit_is_named(
    evaluation: dict[str, Any], metric: str, said: str, tmp_path: Path
) -> None:
    """File, array, what it is and what was expected."""
    rest = f'evaluation = "eval.npz"\nmetric = "{metric}"'
    with pytest.raises(OwnModelError, match=said):
        data(declared(tmp_path, rest, evaluation))


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ('evaluation = "nowhere.npz"\nmetric = "top1"', "evaluation: there is no .*nowhere.npz"),
        ('evaluation = "nets.py"\nmetric = "top1"', "evaluation: .*nets.py cannot be read"),
        ('evaluation = "."\nmetric = "top1"', "is a folder, which metric map alone can read"),
        ('evaluation = "."\nmetric = "map"', "instances_val2017.json"),
        ('evaluation = "eval.npz"\ncalibration = "empty"\nmetric = "top1"', "calibration: .*empty holds no"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_fails_the_stage_where_the_start_did_not_see_it(
    rest: str, said: str, tmp_path: Path
) -> None:
    """Without its framework a model is not built at the start; what an evaluation lacks is the source's."""
    (tmp_path / "empty").mkdir()
    (model,) = rows.rows(str(declared(tmp_path, rest)))
    way = Pipeline(ArtifactStore(tmp_path / "artifacts"), {"mine": model})
    with pytest.raises(StageError, match=f"mine: its data set cannot be had: .*{said}") as caught:
        way.evaluation("mine")
    assert caught.value.hop == ("" if said.startswith("calibration: ") else "source")


def test_images_that_calibrate_do_not_judge(tmp_path: Path) -> None:
    """An INT8 model is as good as can be on the images that gave its ranges: they are counted."""
    mixed = {"image": np.concatenate([CALIBRATION[1:], IMAGES[3:]]), "labels": LABELS}
    with pytest.raises(OwnModelError, match=r"evaluation: 3 of the images in .*eval\.npz are calibration"):
        data(declared(tmp_path, JUDGED, mixed))


def test_samples_that_calibrate_do_not_judge(tmp_path: Path) -> None:
    """Nor do the samples, where nothing else calibrates."""
    rest = 'evaluation = "eval.npz"\nmetric = "top1"\nsamples = "eval.npy"'
    file = declared(tmp_path, rest)
    np.save(tmp_path / "eval.npy", IMAGES)
    with pytest.raises(OwnModelError, match="evaluation: 8 of the images in"):
        data(file)


def test_blank_images_calibrate_nothing(tmp_path: Path) -> None:
    """One value alone, as of a camera that is covered, has no range."""
    file = declared(tmp_path, JUDGED)
    np.save(tmp_path / "calibration.npy", CALIBRATION * 0)
    with pytest.raises(OwnModelError, match=r"calibration: .*calibration\.npy holds one value alone"):
        data(file)


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("nets.py:scores", "has no 'scores'; did you mean score"),
        ("net.py:score", "there is no file .*did you mean nets.py"),
        ("nets.py:LIMIT", "metric: nets.py:LIMIT is an? .*expected a function"),
    ],
)
def test_a_metric_that_is_no_function_ends_the_run_at_its_start(
    metric: str, said: str, tmp_path: Path
) -> None:
    """And not after all that comes before it."""
    pytest.importorskip("torch")
    file = declared(tmp_path, f'evaluation = "eval.npz"\nmetric = "{metric}"')
    with (tmp_path / "nets.py").open("a") as nets:
        nets.write("LIMIT = 0.5\n")
    with pytest.raises(StageError, match=said):
        with_descriptions(rows.rows(str(file)), ArtifactStore(tmp_path / "artifacts"))


def test_a_users_model_is_judged_in_int8(tmp_path: Path) -> None:
    """The whole way: built, converted, calibrated on its own data, scored by its own labels."""
    pytest.importorskip("torch")
    file = declared(tmp_path, JUDGED)
    ended = run(tmp_path / "artifacts", INT8, f"--model={file}", "--opset=13", "-k", "qdq")
    assert ended.code == 0, ended.output
    metrics = ended.the("passed").metrics
    assert (metrics["images"].value, metrics["kept_high"].limit) == (20, 99)
    assert "image own_sqnr" in metrics
