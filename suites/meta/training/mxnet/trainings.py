"""Trains small MXNet classifiers in one process: ``python -m suites.meta.training.mxnet.trainings FOLDER``.

What each prints is left beside its files, as NAME.out and NAME.err, and its exit code as NAME.code.
"""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fixtures.commands.mxnet_training import main
from fixtures.training.errors import Interrupted
from fixtures.training.mxnet.task import Task
from fixtures.training.mxnet.training import train
from fixtures.training.plan import Plan, Sparsity
from reference_models.mxnet.process import import_mxnet

PLAN = Plan(epochs=6, batch=8, rate=1e-2, optimizer="adam", warmup=0.5, seed=4)
SPARSE = Sparsity(3.0, 0.5, 0.5)
BROKEN_AT = 13
TRAININGS: dict[str, tuple[Plan, dict[str, str]]] = {
    "first": (PLAN, {"held_out": "held.npz"}),
    "again": (PLAN, {}),
    "seed": (replace(PLAN, seed=5), {}),
    "broken": (PLAN, {}),
    "sparse": (replace(PLAN, sparsity=SPARSE), {}),
    "scores": (PLAN, {"symbol": "scores-symbol.json"}),
    "on": (PLAN, {"params": "first.params"}),
    "two": (PLAN, {"symbol": "two-symbol.json"}),
    "foreign": (PLAN, {"params": "other.params"}),
    "three": (PLAN, {"images": "three.npz"}),
    "few": (replace(PLAN, batch=41), {}),
    "no_checkpoint": (PLAN, {"checkpoint": "none.checkpoint"}),
    "of_another": (replace(PLAN, seed=6), {"checkpoint": "kept.checkpoint"}),
}
"""Name -> its plan, and the files that are not called as usual."""


def task(folder: Path, name: str) -> Task:
    """Return one of `TRAININGS`."""
    plan, others = TRAININGS[name]
    files = {
        "symbol": "net-symbol.json", "images": "images.npz", "output": f"{name}.params",
        "checkpoint": f"{name}.checkpoint", "log": f"{name}.jsonl",
    } | others  # fmt: skip
    paths: dict[str, Any] = {key: str(folder / file) for key, file in files.items()}
    return Task(plan=plan, **paths)


def prepare(mx: Any, folder: Path) -> None:
    """Write three symbols, images of two classes, bright on the left or not, and what does not fit them."""
    x = mx.sym.Convolution(mx.sym.Variable("data"), num_filter=6, kernel=(3, 3), no_bias=True, name="conv")
    x = mx.sym.Activation(mx.sym.BatchNorm(x, fix_gamma=False, name="norm"), act_type="relu", name="relu")
    x = mx.sym.Dropout(mx.sym.Pooling(x, global_pool=True, kernel=(1, 1), pool_type="avg"), p=0.1)
    x = mx.sym.FullyConnected(x, num_hidden=2, name="fc")
    x.save(str(folder / "net-symbol.json"))
    mx.sym.SoftmaxOutput(x, name="softmax").save(str(folder / "scores-symbol.json"))
    mx.sym.Group([x, mx.sym.relu(x)]).save(str(folder / "two-symbol.json"))
    mx.nd.save(str(folder / "other.params"), {"arg:conv_weight": mx.nd.ones((6, 3, 3, 3))})
    rng = np.random.default_rng(0)
    images, labels = rng.random((40, 3, 8, 8), np.float32), rng.integers(0, 2, 40)
    images[labels == 0, :, :, :4] += np.linspace(0, 3, 8, dtype=np.float32)[:, None]
    np.savez(folder / "images.npz", images=images, labels=labels)
    others, classes = rng.random((40, 3, 8, 8), np.float32), rng.integers(0, 2, 40)
    others[classes == 0, :, :, :4] += np.linspace(0, 3, 8, dtype=np.float32)[:, None]
    np.savez(folder / "held.npz", images=others, labels=classes)
    np.savez(folder / "three.npz", images=images, labels=2 * labels)
    (folder / "none.checkpoint").write_bytes(b"none")


def run(folder: Path) -> None:
    """Train all; one is broken off after `BROKEN_AT` steps, and goes on."""
    mx = import_mxnet(onednn=True)
    prepare(mx, folder)
    steps = iter(range(1, BROKEN_AT + 1))
    try:
        train(mx, task(folder, "broken"), lambda *_: None, lambda: next(steps) == BROKEN_AT)
    except Interrupted:
        kept = (folder / "broken.checkpoint").read_bytes()
        (folder / "kept.checkpoint").write_bytes(kept)
    for name in TRAININGS:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(task(folder, name).text)
        for end, text in {"out": out.getvalue(), "err": err.getvalue(), "code": str(code)}.items():
            (folder / f"{name}.{end}").write_text(text)


if __name__ == "__main__":
    run(Path(sys.argv[1]))
