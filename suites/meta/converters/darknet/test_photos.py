"""The official tiny weights see the same objects on photos, converted and in OpenCV's own reading."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from fixtures.converters.darknet.convert import convert
from fixtures.runtimes.onnxruntime import OnnxRuntime
from reference_models import fetch, inputs, registry, yolo
from reference_models.darknet.zoo.catalog import ZOO
from reference_models.model import Source
from reference_models.yolo import Detection, Head

pytestmark = pytest.mark.skipif(
    find_spec("cv2") is None, reason="cv2 is not installed; run `tox run -e meta`"
)
SIDE = 416
THRESHOLD = 0.3
"""Of scores; every object at it or above must be on both sides."""
LEAST_OVERLAP, SCORE = 0.99, 1e-3


@dataclass
class Official:
    """A network with its official weights, and what of it has been read already."""

    name: str
    source: Source
    folder: Path
    converted: dict[int, OnnxRuntime] = field(default_factory=dict)

    @property
    def heads(self) -> list[Head]:
        """Its heads, as the builder of its cfg has them."""
        return ZOO[self.name](SIDE).heads

    @cached_property
    def in_opencv(self) -> Any:
        """The network as OpenCV reads it."""
        import cv2

        return cv2.dnn.readNetFromDarknet(*(str(self.source.files[role]) for role in ("cfg", "opencv")))

    def by_opencv(self, photo: np.ndarray) -> list[Detection]:
        """Return what OpenCV's [yolo] layers decode, with anchors, masks and scale_x_y read from the cfg.

        Rows are cx, cy, w, h as parts of the image, objectness, objectness times each class.
        """
        self.in_opencv.setInput(photo)
        decoded = {}
        found = self.in_opencv.forward([head.output for head in self.heads])
        for head, rows in zip(self.heads, found, strict=True):
            decoded[f"{head.output}/boxes"] = rows[None, :, :4] * SIDE
            decoded[f"{head.output}/objectness"] = np.ones((1, len(rows)), np.float32)
            decoded[f"{head.output}/classes"] = rows[None, :, 5:]
        return yolo.detections(decoded, THRESHOLD)

    def by_converter(self, opset: int, heads: list[Head], photo: np.ndarray) -> list[Detection]:
        """Return what the converted network sees, its raw heads read by our decoder."""
        if opset not in self.converted:
            path = self.folder / f"{opset}.onnx"
            onnx.save(convert(self.source.files["cfg"], self.source.files["weights"], opset), path)
            self.converted[opset] = OnnxRuntime(path)
            path.unlink()
        raw = self.converted[opset].run([{"data": photo}])[0]
        return yolo.detections(yolo.decode(raw, heads), THRESHOLD)


@pytest.fixture(scope="module", params=["yolov3-tiny", "yolov4-tiny"])
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Official:
    """A network with its official weights."""
    folder = tmp_path_factory.mktemp("official")
    source = registry.models()[request.param].build(folder)
    if source.weights != "official":
        pytest.skip(source.note)
    return Official(request.param, source, folder)


@pytest.fixture(scope="module")
def photos() -> list[np.ndarray]:
    """Photos that hold objects of COCO classes."""
    try:
        return inputs.photos(SIDE, SIDE, maximum=1.0, names=inputs.FETCHED)
    except fetch.FetchError as error:
        pytest.skip(str(error))


def differences(found: list[Detection], expected: list[Detection]) -> list[str]:
    """Say which objects have no partner of their class, by the best overlap, or one of another score."""
    said = [f"{len(found)} objects, expected {len(expected)}"] if len(found) != len(expected) else []
    for wanted in expected:
        boxes = np.array([wanted.box, *(d.box for d in found)])
        overlaps = yolo.intersection_over_union(boxes)[0, 1:]
        same = [(o, d) for o, d in zip(overlaps, found, strict=True) if d.label == wanted.label]
        overlap, partner = max(same, key=lambda pair: pair[0], default=(0.0, wanted))
        if overlap < LEAST_OVERLAP:
            said.append(f"class {wanted.label}: overlap {overlap:.3f}")
        elif abs(partner.score - wanted.score) > SCORE:
            said.append(f"class {wanted.label}: score {partner.score:.4f}, expected {wanted.score:.4f}")
    return said


@pytest.mark.parametrize("opset", [10, 13, 17, 21])
def test_the_same_objects_are_seen(opset: int, official: Official, photos: list[np.ndarray]) -> None:
    """Same class, overlap at least 0.99, score within 0.001, on each photo."""
    for photo in photos:
        expected = official.by_opencv(photo)
        assert len(expected) >= 2
        assert not differences(official.by_converter(opset, official.heads, photo), expected)


@pytest.mark.parametrize(("order", "photos_seen"), [((1, 2, 0), 2), ((1, 0, 2), 1), ((0, 2, 1), 1)])
def test_swapped_anchors_are_seen(
    order: tuple[int, ...], photos_seen: int, official: Official, photos: list[np.ndarray]
) -> None:
    """Heads that take an anchor for another give boxes of other sizes; two swapped, where they are used."""
    swapped = [replace(head, anchors=tuple(head.anchors[i] for i in order)) for head in official.heads]
    seen = 0
    for photo in photos:
        found = official.by_converter(13, swapped, photo)
        seen += any("overlap" in line for line in differences(found, official.by_opencv(photo)))
    assert seen >= photos_seen


OBJECT = Detection(5, 0.9, (50.0, 50.0, 20.0, 20.0))


@pytest.mark.parametrize(
    ("found", "named"),
    [
        ([], "0 objects, expected 1"),
        ([replace(OBJECT, label=6)], "class 5: overlap 0.000"),
        ([replace(OBJECT, score=0.902)], "score 0.9020, expected 0.9000"),
        ([replace(OBJECT, box=(50.2, 50.0, 20.0, 20.0))], "class 5: overlap 0.980"),
        ([OBJECT, replace(OBJECT, label=6)], "2 objects, expected 1"),
    ],
)
def test_each_difference_is_named(found: list[Detection], named: str) -> None:
    """A lost object, another class, score or box, and one too many are each said."""
    assert any(named in line for line in differences(found, [OBJECT]))
    assert not differences([OBJECT], [OBJECT])
