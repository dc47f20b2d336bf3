"""A real detector judged on a small folder in COCO's layout: its boxes are right, and an error is red."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import inputs, yolo
from reference_models.datasets.pictures import Pictures
from suites.meta.gates.child_runs import Run, pipeline, plant, run
from suites.meta.gates.test_planted_errors import scaled

NAME = "yolov3-tiny"
CHOSEN = ("suites/test_int8.py::test_int8_keeps_the_accuracy", f"--model={NAME}", "--opset=13", "-k", "qdq")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A store, and a folder whose boxes are what fp32 sees in photos, in pixels of each photo."""
    pytest.importorskip("skimage")
    store, folder = tmp_path_factory.mktemp("made") / "artifacts", tmp_path_factory.mktemp("coco")
    way = pipeline(store)
    if way.models[NAME].origin() != "official":
        pytest.skip("the official weights cannot be fetched: seeded ones see nothing")
    runtime, decode = OnnxRuntime(way.onnx_model(NAME, "darknet", 13).path), way.models[NAME].decode
    (folder / "annotations").mkdir()
    (folder / "val2017").mkdir()
    images, annotations = [], []
    for number, photo in enumerate(photos()):
        file = Path(shutil.copy(photo, folder / "val2017" / f"{number}{photo.suffix}"))
        width, height = size_of(file)
        images.append({"id": number, "file_name": file.name, "width": width, "height": height})
        feed = {"data": Pictures((file,), 416, 416)[0][None]}
        assert decode is not None
        rows = yolo.found(decode(runtime.run([feed])[0]), 0.25, 0.45)
        annotations += [annotation(row, number, width, height) for row in rows.tolist()]
    content = {"images": images, "annotations": annotations, "categories": [{"id": n + 1} for n in range(80)]}
    (folder / "annotations" / "instances_val2017.json").write_text(json.dumps(content))
    return store, folder


def photos() -> list[Path]:
    """Photos of this machine; the first one calibrates."""
    names = [*inputs.INSTALLED, *inputs.FETCHED]
    return [inputs.photo_path(name) for name in names]


def size_of(file: Path) -> tuple[int, int]:
    """Width and height of a picture."""
    from PIL import Image

    with Image.open(file) as image:
        return image.size


def annotation(row: list[float], image: int, width: int, height: int) -> dict[str, object]:
    """A detection as COCO writes it: x, y, width and height in pixels of the photo."""
    (w, h), (left, top) = inputs.placed(width, height, 416, 416)
    factors = np.array([width / w, height / h])
    label, _, *box = row
    corner = (np.array(box[:2]) - np.array(box[2:]) / 2 - [left, top]) * factors
    sides = np.array(box[2:]) * factors
    return {"image_id": image, "category_id": int(label) + 1, "bbox": [*corner.tolist(), *sides.tolist()]}


@pytest.fixture(scope="module")
def judged(made: tuple[Path, Path]) -> Run:
    """A run on the folder, which leaves the quantized model in the store."""
    return run(made[0], *CHOSEN, f"--coco={made[1]}")


def test_fp32_finds_the_boxes_that_it_has_drawn(judged: Run) -> None:
    """Its mAP is near 1, whatever the photos were scaled by; INT8's is recorded with its boxes."""
    metrics = judged.records[0].metrics
    assert metrics["map50_fp32"].value > 95, judged.output
    assert metrics["map_fp32"].value > 90
    assert 0 < metrics["map_int8"].value <= metrics["map_fp32"].value
    assert all(0 < metrics[name].value < 0.2 for name in metrics if name.endswith("relative_l2"))
    assert metrics["matched"].value > 10
    assert metrics["kept_high"].limit == 99


@pytest.mark.usefixtures("judged")
def test_a_planted_scale_is_red_and_named(made: tuple[Path, Path], tmp_path: Path) -> None:
    """Nearly all of the first activation saturates."""
    store = Path(shutil.copytree(made[0], tmp_path / "artifacts"))
    plant(store, "quantized", scaled(1 / 16))
    ended = run(store, *CHOSEN, f"--coco={made[1]}")
    assert ended.code == 1, ended.output
    assert "worst tensors: 'layer_0', read by layer_1" in ended.output
