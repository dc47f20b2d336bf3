"""What a user gives to judge INT8 by: calibration and evaluation data on disk, and how to score it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from reference_models.datasets.coco import Coco
from reference_models.datasets.pictures import Pictures, in_folder
from reference_models.model import Metric, Tensors
from reference_models.user import factory
from reference_models.user.factory import OwnModelError
from reference_models.user.samples import Samples, arrays_in
from reference_models.user.shapes import Shape
from reference_models.wording import listed, quoted

DISTANCE = "distance"
"""The metric without labels: how far outputs and tensors of INT8 are from those of fp32."""
METRICS = ("top1", "top5", "map", DISTANCE)
NEEDED = {"top1": ("labels",), "top5": ("labels",), "map": ()}
"""Metric -> arrays that the evaluation data must have beside the inputs."""
BOXES = ("boxes", "labels", "counts")
HELD_OUT = 5
"""Of calibration images without evaluation data every so-manieth is held out, to judge INT8 by."""


@dataclass(frozen=True)
class DataSet:
    """Reads the data; call it to get it, as `ReferenceModel.dataset` says.

    calibration: as `Samples.source`, all of it; without it the samples calibrate. evaluation: an .npz with an
    array for each input and what is true of them, or a folder in COCO's layout, which brings its own; without
    it a part of the calibration images is held out.
    """

    samples: Samples
    evaluation: Path | None
    metric: str
    calibration: Path | None = None

    def __call__(self) -> dict[str, Any]:
        """Return the data. Raise OwnModelError for what does not fit the inputs or the metric, OSError."""
        if self.evaluation is None:
            return self._held_out()
        if self.evaluation.is_dir():
            return self._coco(self.evaluation) | (self._calibration() if self.calibration else {})
        arrays = arrays_in(self.evaluation, "evaluation")
        images = self.samples.checked(arrays, self.evaluation, "evaluation", others=True)
        if absent := [name for name in NEEDED.get(self.metric, ()) if name not in arrays]:
            raise OwnModelError(
                f"evaluation: {self.evaluation} has no {absent[0]!r}, which {self.metric} needs; it has "
                f"{listed([*arrays])}"
            )
        truth = {name: array for name, array in arrays.items() if name not in self.shapes}
        _check(truth, len(next(iter(images.values()))), self.evaluation, self.metric)
        calibration = self._calibration()
        _hold_apart(calibration, images, self.evaluation)
        return {**calibration, **{f"images/{name}": a for name, a in images.items()}, **truth}

    def check(self) -> None:
        """Raise OwnModelError or OSError for what does not fit, before anything is run.

        Annotations of a folder in COCO's layout are not read: that takes long.
        """
        if self.evaluation is None or not self.evaluation.is_dir():
            self()
            return
        if self.metric != "map":
            raise OwnModelError(_only_map(self.evaluation))
        if self.calibration:
            self._calibration()

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The shape of each input."""
        return self.samples.shapes

    def with_shapes(self, shapes: Mapping[str, Shape]) -> DataSet:
        """Return the data set of a network whose inputs are known only now."""
        return replace(self, samples=replace(self.samples, shapes=shapes))

    def _calibration(self) -> dict[str, Any]:
        found = self._read_calibration()
        if self.calibration and all(map(_is_blank, found.values())):
            raise OwnModelError(
                f"calibration: {self.calibration} holds one value alone: give images as the network is fed"
            )
        return found

    def _read_calibration(self) -> dict[str, Any]:
        source = replace(self.samples, source=self.calibration or self.samples.source)
        if source.source is not None and source.source.is_dir():
            files = sorted(source.source.glob("*.npy"))
            return self._stacked(files) if files else {"calibration": self._pictures(source.source)}
        if self.calibration is None:
            rows = source()
            return {f"calibration/{n}": np.concatenate([row[n] for row in rows]) for n in self.shapes}
        arrays = source.checked(arrays_in(self.calibration, "calibration"), self.calibration, "calibration")
        return {f"calibration/{name}": array for name, array in arrays.items()}

    def _stacked(self, files: Sequence[Path]) -> dict[str, Any]:
        """Return the images of a folder with an .npy each, with or without a batch of 1."""
        if len(self.shapes) != 1:
            raise OwnModelError(
                f"calibration: {files[0].parent} holds .npy files, and there are the inputs "
                f"{listed([*self.shapes])}; give an .npz with an array for each"
            )
        ((name, shape),) = self.shapes.items()
        found = []
        for file in files:
            array = arrays_in(file, "calibration")[""]
            array = array[None] if array.ndim == len(shape) - 1 else array
            found.append(self.samples.checked({"": array}, file, "calibration")[name])
        return {f"calibration/{name}": np.concatenate(found)}

    def _held_out(self) -> dict[str, Any]:
        """Return the calibration images, every `HELD_OUT`-th of them as one to judge INT8 by."""
        found = self._calibration()
        count = min(map(len, found.values()))
        if count < 2:
            raise OwnModelError(
                f"calibration: {self.calibration} holds one image, expected two at least, better a hundred: "
                f"of {HELD_OUT} one is held out to judge INT8 by, unless evaluation data is given"
            )
        judged = list(range(HELD_OUT - 1, count, HELD_OUT)) or [count - 1]
        kept = sorted({*range(count)} - {*judged})
        parts = {
            name.replace("calibration", "images", 1): _only(data, judged) for name, data in found.items()
        }
        return {name: _only(data, kept) for name, data in found.items()} | parts

    def _pictures(self, folder: Path) -> Pictures:
        if not (files := in_folder(folder)):
            raise OwnModelError(f"calibration: {folder} holds no picture, and no .npy")
        height, width = self._size()
        return Pictures(files, width, height, self.samples.mean, self.samples.scale)

    def _coco(self, folder: Path) -> dict[str, Any]:
        if self.metric != "map":
            raise OwnModelError(_only_map(folder))
        return Coco(folder, *self._size(), self.samples.mean, self.samples.scale)()

    def _size(self) -> tuple[int, int]:
        """Return height and width of the one input. Raise OwnModelError where pictures cannot go into it."""
        shapes = [*self.shapes.values()]
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] != 3:
            raise OwnModelError("pictures go into one input of 1x3xHEIGHTxWIDTH; give an .npz instead")
        return shapes[0][2], shapes[0][3]


def incomplete(keys: Collection[str], metric: str) -> str:
    """Return which of what INT8 is judged by is given without what belongs to it, empty for none.

    keys: those that are given. Calibration images alone are enough for `DISTANCE`.
    """
    if metric == DISTANCE:
        lacking = {"calibration", "evaluation"}.isdisjoint(keys)
        return "metric is distance, and neither calibration nor evaluation is given" if lacking else ""
    for key, other in (("metric", "evaluation"), ("evaluation", "metric")):
        if key in keys and other not in keys:
            return f"{key} is given, and {other} is not: INT8 is judged by both"
    return ""


def check_metric(word: str) -> None:
    """Raise OwnModelError for a word that is neither a metric nor the name of a function; empty passes."""
    if word and word not in METRICS and ":" not in word:
        near = factory.nearest(word, METRICS)
        raise OwnModelError(f"metric {quoted(word)} is none, and no function; {near}")
    if ":" in word:
        try:
            factory.split(word)
        except OwnModelError as error:
            raise OwnModelError(f"metric: {error}") from None


def metric_of(word: str, folder: Path) -> Metric:
    """Return a metric by its name, or a user's function of (outputs, truth) of one image."""
    return cast(Metric, word) if word in METRICS else Function(word, folder)


@dataclass(frozen=True)
class Function:
    """A user's function that is imported when it is called."""

    spec: str
    folder: Path

    def check(self) -> None:
        """Raise OwnModelError where there is none."""
        if not callable(found := factory.load(self.spec, self.folder)):
            raise OwnModelError(f"metric: {self.spec} is {factory.a(found)}, expected a function")

    def __call__(self, outputs: Tensors, truth: Tensors) -> float:
        """Score one image."""
        return float(factory.load(self.spec, self.folder)(outputs, truth))

    def __str__(self) -> str:
        return self.spec


def _only(data: Any, numbers: Sequence[int]) -> Any:
    """Return some of the images of an array, or of pictures that are not yet read."""
    if isinstance(data, Pictures):
        return replace(data, files=tuple(data.files[number] for number in numbers))
    return data[numbers]


def _is_blank(data: Any) -> bool:
    """Tell whether an array of several images has one value alone. Pictures are not read for that."""
    return not isinstance(data, Pictures) and len(data) > 1 and bool((data == data.flat[0]).all())


def _hold_apart(calibration: Mapping[str, Any], images: Mapping[str, np.ndarray], path: Path) -> None:
    """Raise OwnModelError where images that judge INT8 calibrate it, too. Pictures are not read for that."""
    found = {
        name: calibration[f"calibration/{name}"] for name in images if f"calibration/{name}" in calibration
    }
    if len(found) < len(images):
        return
    known = set(map(_bytes_of, zip(*found.values(), strict=False)))
    both = sum(_bytes_of(row) in known for row in zip(*images.values(), strict=False))
    if both:
        raise OwnModelError(
            f"evaluation: {both} of the images in {path} are calibration images, too: INT8 is judged on "
            "others; leave them out of either"
        )


def _bytes_of(row: Sequence[np.ndarray]) -> bytes:
    return b"".join(array.tobytes() for array in row)


def _only_map(folder: Path) -> str:
    return f"evaluation: {folder} is a folder, which metric map alone can read"


def _check_labels(labels: np.ndarray, path: Path) -> None:
    """Raise OwnModelError unless labels of a classifier are a class number for each image, from 0 on."""
    what = f"evaluation: labels in {path} are {labels.dtype} {labels.shape}, expected integers (N,)"
    if labels.ndim != 1:
        raise OwnModelError(f"{what}: one class number for each image, as labels.argmax(1) of one-hot rows")
    if labels.dtype.kind not in "iu":
        raise OwnModelError(f"{what}: give labels.astype('int64')")
    if labels.min() < 0:
        raise OwnModelError(f"evaluation: a label in {path} is {labels.min()}; count classes from 0")


def _check(truth: Mapping[str, np.ndarray], count: int, path: Path, metric: str) -> None:
    """Raise OwnModelError where what is true is not known of each image."""
    if metric == "map" and set(BOXES) & set(truth):
        if lacking := [name for name in BOXES if name not in truth]:
            raise OwnModelError(f"evaluation: {path} has no {lacking[0]!r}; map takes {', '.join(BOXES)}")
        total = int(truth["counts"].sum())
        if len(truth["counts"]) != count or {len(truth["boxes"]), len(truth["labels"])} != {total}:
            raise OwnModelError(f"evaluation: boxes, labels and counts in {path} do not fit {count} images")
        return
    for name, array in truth.items():
        if metric != "map" and (not array.ndim or len(array) != count):
            raise OwnModelError(
                f"evaluation: {name} in {path} is {array.shape}, expected one for each of {count} images"
            )
    if metric in NEEDED and metric != "map":
        _check_labels(truth["labels"], path)
