"""What every Darknet row shares: emit the cfg, find or make the weights, say how to read the heads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from reference_models import fetch, inputs, yolo
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.model import ReferenceModel, Source, Tensors, Tier, Weights


def darknet_model(
    name: str,
    architecture: Callable[[], Cfg],
    heads: Sequence[yolo.Head],
    *,
    size: int = 416,
    seed: int = 0,
    official: bool = False,
    tier: Tier = "default",
) -> ReferenceModel:
    """Make the row of one Darknet detector; the input is ``data`` (1, 3, size, size) RGB in 0..1."""
    return ReferenceModel(
        name=name,
        framework="darknet",
        inputs={"data": (1, 3, size, size)},
        outputs=tuple(head.output for head in heads),
        build=partial(_build, name, architecture, seed, official),
        samples=partial(_samples, size, official),
        converters=("darknet",),
        decode=partial(yolo.decode, heads=heads),
        origin=partial(_origin, name, official),
        tier=tier,
    )


def _origin(name: str, official: bool) -> Weights:
    try:
        return "official" if official and fetch.fetch(f"{name}.weights") else "seeded"
    except fetch.FetchError:
        return "seeded"


def _build(name: str, architecture: Callable[[], Cfg], seed: int, official: bool, folder: Path) -> Source:
    """Find or write the weights, and make the source of them."""
    network, note = architecture(), "" if official else "the official ones are on no package index"
    seeded = folder / f"{name}.seeded.weights"
    stored = seeded
    if official:
        try:
            stored = fetch.fetch(f"{name}.weights")
        except fetch.FetchError as error:
            note = f"the official ones could not be had: {error}"
    if stored is seeded:
        weights.write_seeded(seeded, network, seed)
    return source(name, network, folder, stored, "seeded" if stored is seeded else "official", note)


def source(name: str, network: Cfg, folder: Path, stored: Path, origin: Weights, note: str = "") -> Source:
    """Write ``<name>.cfg`` and make the `Source` of a network whose weights are stored already.

    files: cfg, weights, and ``opencv``: the weights with 9e-6 added to every variance, because OpenCV's
    BatchNorm epsilon is 1e-6 and Darknet's is 1e-5; with them OpenCV computes what Darknet computes.
    """
    cfg, opencv = folder / f"{name}.cfg", folder / f"{name}.opencv.weights"
    cfg.write_text(network.text())
    weights.shift_variances(stored, opencv, network, weights.DARKNET_EPSILON - weights.OPENCV_EPSILON)
    digest = hashlib.sha256(cfg.read_bytes())
    with stored.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    files = {"cfg": cfg, "weights": stored, "opencv": opencv}
    return Source(digest=digest.hexdigest(), weights=origin, files=files, note=note)


def _samples(size: int, official: bool) -> list[Tensors]:
    """Two photos, with official weights two that hold COCO objects if they can be had, then noise."""
    names: Sequence[str] = inputs.INSTALLED[:2]
    if official:
        try:
            names = [photo for photo in inputs.FETCHED if inputs.photo_path(photo)]
        except fetch.FetchError:
            names = inputs.INSTALLED[:2]
    tensors = inputs.photos(size, size, maximum=1.0, names=names)
    tensors.append(inputs.noise((1, 3, size, size), 1.0, seed=7))
    return [{"data": tensor} for tensor in tensors]
