"""The command line of the suite: its options, its plugin, and which tests are collected. No fixtures here."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from fixtures.run import names_meta

ROOT = Path(__file__).parent
pytest_plugins = [f"fixtures.plugin.{part}" for part in ("run_control", "fixtures", "recording", "terminal")]
OPTIONS: dict[str, dict[str, Any]] = {
    "--model": {
        "default": os.environ.get("TRT_PARITY_MODELS", ""),
        "metavar": "NAME,...",
        "help": "models to cover: reference models by name or tier (default, when not given; zoo; all), your "
        "own as package.module:factory, or in models.toml or models.py (default from TRT_PARITY_MODELS)",
    },
    "--input": {
        "action": "append",
        "default": [],
        "metavar": "[NAME:]1x3x224x224",
        "help": "shape of an input of the model given as package.module:factory; repeat it for several",
    },
    "--output": {
        "action": "append",
        "default": [],
        "metavar": "NAME",
        "help": "name of an output of that model; repeat it for several (output0, output1 ... without it)",
    },
    "--opset": {
        "default": os.environ.get("TRT_PARITY_OPSETS", ""),
        "metavar": "N,...",
        "help": "opsets to cover: 10,11,12,13,17 when not given (default from TRT_PARITY_OPSETS)",
    },
    "--precision": {
        "default": "fp32",
        "metavar": "NAME,...",
        "help": "precisions of engines: fp32 (TF32 off), tf32, fp16; INT8 has its own suite",
    },
    "--batch": {
        "default": "1",
        "metavar": "SIZE,...",
        "help": "batches of ONNX models and engines: 1 at every opset; 8 and dynamic at the last one",
    },
    "--tensorrt": {
        "action": "append",
        "default": [],
        "metavar": "INTERPRETER",
        "help": "Python interpreter that has a TensorRT, or a folder of its wheels; repeat it for several "
        "versions. Without it: the interpreter that runs pytest, when it has one",
    },
    "--missing": {
        "action": "append",
        "default": [],
        "metavar": "VERSION=REASON",
        "help": "a TensorRT that should be here and is not: its stages are recorded as not-run",
    },
    "--migrate": {
        "nargs": 2,
        "default": [],
        "metavar": ("FROM", "TO"),
        "help": "two interpreters with a TensorRT each, in place of --tensorrt: run both, and hold the "
        "second version against the first (stage migration)",
    },
    "--artifacts": {
        "type": Path,
        "default": ROOT / "artifacts",
        "metavar": "DIR",
        "help": "artifact store: ONNX models, source outputs, engines",
    },
    "--refresh": {
        "action": "store_true",
        "help": "make again what other versions of the installed frameworks, or other weights, have made",
    },
    "--records": {
        "type": Path,
        "default": ROOT / "records",
        "metavar": "DIR",
        "help": "folder for records, one file a run",
    },
    "--support": {
        "choices": ("all", "none"),
        "default": "all",
        "help": "ask the support tables about every TensorRT release, or about none",
    },
    "--require": {
        "default": "",
        "metavar": "STAGE,...",
        "help": "fail the run when one of these stages executed nothing",
    },
    "--worker-timeout": {
        "type": float,
        "default": 900.0,
        "metavar": "SECONDS",
        "help": "how long one operation of a TensorRT worker may take",
    },
    "--expectations": {
        "type": Path,
        "default": ROOT / "suites" / "expectations",
        "metavar": "DIR",
        "help": "folder of tolerances, budgets and known failures",
    },
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("trt-parity")
    for name, about in OPTIONS.items():
        group.addoption(name, **about)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the tests of the suite itself out unless they are named: they are not about your model."""
    named = any(names_meta(config.invocation_params.dir, arg) for arg in config.args)
    return True if names_meta(ROOT, str(collection_path)) and not named else None
