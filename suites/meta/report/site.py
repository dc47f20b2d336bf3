"""A small site for the tests of its pages: every verdict, hostile names, runs that follow each other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.records import Metric, Record
from fixtures.verdicts import VERDICTS, Verdict
from suites.meta.places import ROOT
from suites.meta.report.planted import H100, record, written

OPSETS: dict[Verdict, int] = {verdict: opset for opset, verdict in enumerate(VERDICTS, 10)}
HOSTILE = '"><img src=x onerror="document.title=1">../\x1b[2J\u202e'
"""A name and a message that would be markup, leave a folder, clear a terminal and turn text around."""
TRT = {"flavour": "tensorrt", "version": "8.6.0"}
SLIMMING = ROOT / "suites" / "meta" / "report" / "slimming.json"
"""What `benchmarks.slimming --epochs 1 --scenes 32 --held-out 8 --cliff 0.3 0.6` wrote: too few scenes."""
NODES = "Conv 3, Mish 2, Resize 1"


def records() -> list[Record]:
    """Return the records of two runs: `digits` has every verdict, `slim` is its pruned twin."""
    trt = {"tensorrt": TRT, "precision": "fp16"}
    small = {"model": {"name": "slim", "framework": "pytorch"}}
    mx = {"model": {"name": "gender-age", "framework": "mxnet"}}
    drop = {"drop": Metric(0.2), "drop_low": Metric(0.1, limit=1.0), "drop_high": Metric(0.4)}
    score = {"top1_fp32": Metric(98.0, "%"), "top1_int8": Metric(97.8, "%")}
    noise = {"conv own_sqnr": Metric(38.0, "dB"), "conv sqnr": Metric(31.0, "dB")}
    made = [parity(verdict, 2, opset=opset) for verdict, opset in OPSETS.items()]
    made += [
        parity("passed", 1, opset=17),
        parity("passed", 1, opset=OPSETS["failed"]),
        parity("passed", 2, **trt),
        parity("passed", 2, **mx),
    ]
    made += [
        record("passed", 2, stage="convert", tensorrt={},
               model={"name": "digits", "framework": "pytorch", "operators": NODES}),
        record("passed", 2, stage="int8-accuracy", route="qdq", calibrator="mse", precision="int8",
               metrics=drop | score | noise),
        record("failed", 2, model={"name": HOSTILE, "framework": HOSTILE}, message=HOSTILE, rerun=HOSTILE),
        record("passed", 2, stage="pruning", tensorrt={}, metrics={"channels left": Metric(0.5)}, **small),
    ]  # fmt: skip
    for day, factor in ((1, 1.0), (2, 1.5)):
        for about in ({}, small):
            samples = tuple(factor * (1 + n / 100) for n in range(20))
            made.append(record("passed", day, stage="latency", runtime="tensorrt", samples=samples, **about))
    for version in ("7.0", "7.1", "7.2", "10.0"):
        verdict: Verdict = "unsupported" if version == "7.0" else "passed"
        made.append(record(verdict, 2, stage="support", tensorrt={"flavour": "tensorrt", "version": version},
                           message="node up (Resize) is refused" * (version == "7.0")))  # fmt: skip
    moved = {"flavour": "tensorrt-rtx", "version": "1.6", "before": "builds", "after": "builds"}
    return [*made, record("passed", 2, stage="migration", baseline=moved, opset=13)]


def parity(verdict: Verdict, day: int, /, **fields: object) -> Record:
    """Return a comparison with a message that names a file and a command."""
    metrics = {"worst": Metric(0.25 * day, "of allowed", limit=1.0), "max_abs": Metric(1e-5),
               "logits relative_l2": Metric(1e-6, limit=1e-4)}  # fmt: skip
    message = f"<b>{verdict}</b>: guilty hop: builder\nlogits differ\nONNX model: artifacts/a.onnx\nrerun: x"
    return record(verdict, day, stage="tensorrt-parity", device=H100, metrics=metrics, message=message,
                  rerun="pytest -k digits", **fields)  # fmt: skip


def build(folder: Path) -> Path:
    """Build the site with everything that may stand beside records; return its folder."""
    report = pytest.importorskip("fixtures.commands.report", reason="pip install --group report")
    written(folder / "records", *records())
    gammas = [{"epoch": n, "gammas": {"0": [9 - n, n], "1": [3, 5]}} for n in (0, 1)]
    (folder / "gammas.jsonl").write_text("".join(json.dumps(line) + "\n" for line in gammas))
    tried = [{"model": "digits", "calibrator": name, "images": count, "weights": "per channel", "drop": 0.1,
              "relative_l2": 0.1 / count} for name in ("mse", "entropy") for count in (1, 4)]  # fmt: skip
    (folder / "sweep.jsonl").write_text("".join(json.dumps(line) + "\n" for line in tried))
    words = [folder / "records", "--output", folder / "report", "--sweep", folder / "sweep.jsonl",
             "--gammas", f"digits={folder / 'gammas.jsonl'}", "--pruned", "slim=digits",
             "--slimming", f"digits={SLIMMING}", "--slimming", f"gender-age={SLIMMING}"]  # fmt: skip
    assert report.main(list(map(str, words))) == 1
    return folder / "report"
