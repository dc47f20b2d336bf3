"""The command line of the suite: its options, its plugin, and which tests are collected. No fixtures here."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
pytest_plugins = ["fixtures.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options; each has its own default in the environment or in the tree."""
    group = parser.getgroup("trt-parity")
    environment = os.environ.get
    group.addoption(
        "--model",
        default=environment("TRT_PARITY_MODELS", ""),
        metavar="NAME,...",
        help="reference models to cover, all when not given (default from TRT_PARITY_MODELS)",
    )
    group.addoption(
        "--opset",
        default=environment("TRT_PARITY_OPSETS", ""),
        metavar="N,...",
        help="opsets to cover: 10,11,12,13,17 when not given (default from TRT_PARITY_OPSETS)",
    )
    group.addoption(
        "--precision",
        default="fp32",
        metavar="NAME,...",
        help="precisions of engines: fp32 (TF32 off), tf32; INT8 has its own suite",
    )
    group.addoption(
        "--tensorrt",
        action="append",
        default=[],
        metavar="INTERPRETER",
        help="Python interpreter that has a TensorRT; repeat it for several versions. "
        "Without it: the interpreter that runs pytest, when it has one",
    )
    group.addoption(
        "--artifacts",
        type=Path,
        default=ROOT / "artifacts",
        metavar="DIR",
        help="artifact store: ONNX models, source outputs, engines",
    )
    group.addoption(
        "--refresh",
        action="store_true",
        help="make again what other versions of the installed frameworks, or other weights, have made",
    )
    group.addoption(
        "--records",
        type=Path,
        default=ROOT / "records",
        metavar="DIR",
        help="folder for records, one file a run",
    )
    group.addoption(
        "--support",
        choices=("all", "none"),
        default="all",
        help="ask the support tables about every TensorRT release, or about none",
    )
    group.addoption(
        "--require",
        default="",
        metavar="STAGE,...",
        help="fail the run when one of these stages executed nothing",
    )
    group.addoption(
        "--worker-timeout",
        type=float,
        default=900.0,
        metavar="SECONDS",
        help="how long one operation of a TensorRT worker may take",
    )
    group.addoption(
        "--expectations", type=Path, default=ROOT / "suites" / "expectations", metavar="DIR",
        help="folder of tolerances, budgets and known failures",
    )  # fmt: skip


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests of the suite itself out unless they are named: they are not about your model."""
    named = any("meta" in Path(arg.split("::")[0]).parts for arg in config.args)
    return True if collection_path.name == "meta" and not named else None
