"""The state_dict in an official YOLOv5 checkpoint, without the vendor's code and without running the file's.

Such a file is a pickle of the vendor's module objects. torch's weights-only unpickler reads it once every
class that it names is one that it knows; here they all become `Husk`, which only keeps what it is given. What
a file names beside them is refused before anything is called (torch docs, "torch.load with weights_only").
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VENDOR = (
    "yolo.Model", "yolo.DetectionModel", "yolo.Detect", "common.Conv", "common.Focus", "common.Bottleneck",
    "common.BottleneckCSP", "common.C3", "common.SPP", "common.SPPF", "common.Concat",
)  # fmt: skip
PACKAGES = ("models", "yolov5.models")
"""Where the vendor's checkout and the package of the same code on PyPI have these classes."""
LAYERS = (
    "conv.Conv2d", "batchnorm.BatchNorm2d", "activation.SiLU", "activation.Hardswish",
    "activation.LeakyReLU", "pooling.MaxPool2d", "upsampling.Upsample", "linear.Identity",
    "container.Sequential", "container.ModuleList",
)  # fmt: skip
"""Modules of torch.nn.modules in these networks."""
NOTES = (
    "numpy.core.multiarray.scalar", "numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "_codecs.encode",
    "argparse.Namespace", "pathlib.PosixPath", "pathlib.WindowsPath",
)  # fmt: skip
"""What notes about the training are made of, fitness or options; they are dropped."""
DEPTH = 20
"""Modules in modules; YOLOv5 has 6."""


class Husk:
    """Stands for any object of a checkpoint: called or made with anything, it does nothing."""

    __slots__ = ("state",)

    def __new__(cls, *_: object) -> Husk:
        """Make one, whatever the arguments."""
        instance = object.__new__(cls)
        instance.state = {}
        return instance

    def __init__(self, *_: object) -> None:
        """Look at none of the arguments."""

    def __setstate__(self, state: object) -> None:
        self.state = state


def read(path: Path) -> Any:
    """Return what a file holds: tensors as they are, modules and all else that it may name as `Husk`.

    Raises ValueError for a file that names anything else, which is not called, or is no pickle by torch.save;
    OSError where it cannot be read.
    """
    import torch
    from torch.serialization import safe_globals

    names = [f"{package}.{name}" for package in PACKAGES for name in VENDOR]
    names += [f"torch.nn.modules.{name}" for name in LAYERS] + list(NOTES)
    try:
        with safe_globals([(Husk, name) for name in names]):
            return torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a file made by anybody raises anything, from KeyError on
        # before 1.6 torch wrote no archives, and into them the classes' sources, which it refuses now
        old = "" if zipfile.is_zipfile(path) else "it is no archive, which torch writes since 1.6; "
        raise ValueError(old + _reason(str(error))) from None


def state_dict(module: Husk) -> dict[str, Any]:
    """Return the tensors of a module and all modules in it, named as torch does it.

    Raises ValueError where it is no module, or something in it is no tensor.
    """
    try:
        return dict(_tensors(module, "", 0))
    except (AttributeError, TypeError) as error:  # names of a module, but none of its dictionaries
        raise ValueError(f"its modules are not made as torch's are: {error}") from None


def _tensors(module: Any, prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    import torch

    parts = module.state if isinstance(module, Husk) else None
    if not isinstance(parts, dict) or depth > DEPTH:
        raise ValueError(f"{prefix or 'the checkpoint'} is no module of YOLOv5")
    passing = parts.get("_non_persistent_buffers_set", ())
    for kind in ("_parameters", "_buffers"):
        for name, tensor in parts.get(kind, {}).items():
            if not torch.is_tensor(tensor) and tensor is not None:
                raise ValueError(f"{prefix}{name} is no tensor")
            if tensor is not None and name not in passing:
                yield f"{prefix}{name}", tensor.detach()
    for name, child in parts.get("_modules", {}).items():
        yield from _tensors(child, f"{prefix}{name}.", depth + 1)


def _reason(text: str) -> str:
    """Return what is wrong out of a page of advice, which would have the file run."""
    match = re.search(r"WeightsUnpickler error:([^\n]*)", text)
    lines = [match[1]] if match else [line for line in text.splitlines() if "Weights only" not in line]
    line = next((line.strip() for line in lines if line.strip()), "it holds what is no state")
    return line.split(" Please use ")[0].split(" was not an allowed global")[0].rstrip(".")
