"""Writes checkpoints as YOLOv5's own code does: module objects of classes of models.yolo and models.common.

Run in a process of its own: it makes those packages up, which no test may find installed afterwards.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

LOCAL = {"YOLOv5": "models.yolo.Model", "Detect": "models.yolo.Detect"}
"""Class here -> class there, where it is not models.common's of the same name."""


def disguise(network: Any) -> Any:
    """Return a network's modules the vendor's classes and the notes that its top has, and nothing of ours."""
    made: dict[str, type] = {}
    for part in network.modules():
        ours = type(part)
        if ours.__module__.startswith("torch."):
            continue
        if ours.__name__ not in made:
            package, _, name = LOCAL.get(ours.__name__, f"models.common.{ours.__name__}").rpartition(".")
            made[ours.__name__] = type(name, (ours,), {"__module__": package})
            module = sys.modules.setdefault(package, types.ModuleType(package))
            setattr(module, name, made[ours.__name__])
        part.__class__ = made[ours.__name__]
    for name in ("architecture", "layers"):
        delattr(network, name)
    network.yaml = {"nc": 80, "anchors": [[10, 13]], "backbone": [[-1, 1, "Conv", [64, 6, 2, 2]]]}
    network.names, network.save, network.nc = ["person"] * 80, [4, 6, 10], 80
    network.hyp = {"lr0": 0.01}
    return network


def write(folder: Path) -> None:
    """Write the files that the tests read; each network has weights of its own seed."""
    import numpy as np
    import torch

    from reference_models.pytorch import yolov5
    from reference_models.pytorch.yolov5_layers import Architecture

    sys.modules["models"] = types.ModuleType("models")
    for release in (3, 5, 6):
        torch.manual_seed(release)
        network = yolov5.network(Architecture("n", release))
        network.model[1].bn.running_mean.normal_()
        torch.save({k: v.half() for k, v in network.state_dict().items()}, folder / f"r{release}-state.pt")
        notes: dict[str, Any] = {
            "epoch": -1,
            "best_fitness": np.float64(0.5),
            "optimizer": None,
            "date": "2021-10-12",
        }
        notes |= {"training_results": np.zeros((2, 3)), "ema": None}
        top = disguise(network).half()
        torch.save({**notes, "model": top}, folder / f"r{release}.pt")
    torch.save({**notes, "model": top}, folder / "legacy.pt", _use_new_zipfile_serialization=False)
    averaged = {**notes, "model": torch.nn.Conv2d(1, 1, 1), "ema": top}
    torch.save(averaged, folder / "ema.pt")
    torch.save(top, folder / "bare.pt")
    top.model[24].anchors *= 2
    torch.save({"model": top}, folder / "anchors.pt")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
