"""What a campaign measured, a table a stage. Errors are relative L2 of the worst raw output.

"of allowed" is the worst element or norm as a part of its tolerance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from docs.tables.campaign import executed, read, several
from docs.tables.markdown import short, table
from fixtures.records import Record
from fixtures.report.tables import accuracy_table
from reference_models import registry

MILLION = 1e6
TRIAGED = ("guilty layer", "wrong though all that it reads is right", "smallest failing model", "runs")
TRIAGE_LINE = re.compile(r"^triage: ([\w ]+): (.*?)(?:, \S+/model\.onnx)?$", re.MULTILINE)
TRTCHECK = "trtcheck for 10.3, blocked: "


def engines(name: str) -> str:
    """Return one row an engine that ran: its build, its layers, those at its precision, its error."""
    heads = (
        "model",
        "opset",
        "TensorRT",
        "batch",
        "precision",
        "build, s",
        "MB",
        "layers",
        "at precision",
        "error",
        "of allowed",
    )
    return table(heads, map(_engine, executed(name, "tensorrt-parity")))


def builds(name: str) -> str:
    """Return one row a model, TensorRT and precision: at which opsets it was built, and the verdicts."""
    groups = _grouped(
        executed(name, "tensorrt-build"), lambda r: (r.model["name"], r.tensorrt["version"], _kind(r))
    )
    rows = (
        (
            *key, _opsets(records), several(r.verdict for r in records),
            short(max(r.metrics["build"].value for r in records if "build" in r.metrics)),
        )
        for key, records in groups
    )  # fmt: skip
    return table(("model", "TensorRT", "precision", "opsets", "verdict", "longest build, s"), rows)


def parity(name: str, stage: str) -> str:
    """Return one row a model and converter of a stage without TensorRT: opsets, worst error, verdicts."""
    groups = _grouped(executed(name, stage), lambda r: (r.model["name"], r.converter, r.precision, r.batch))
    rows = (
        (
            *key,
            _opsets(records),
            _worst(records, error),
            _worst(records, part),
            several(r.verdict for r in records),
        )
        for key, records in sorted(groups, key=lambda group: group[0])
    )
    head = ("model", "converter", "precision", "batch", "opsets", "error", "of allowed", "verdict")
    return table(head, rows)


def noise(name: str) -> str:
    """Return what three builds of one model, each run twice, differ by in relative L2, with its limit."""
    names = ("repeated_spread", "rebuilt_spread")
    rows = (
        (
            *_model(r),
            *(short(r.metrics[n].value) for n in names),
            short(r.metrics["rebuilt_spread"].limit or 0),
        )
        for r in executed(name, "noise-floor")
    )
    return table(("model", "opset", "precision", "run again", "built again", "allowed"), rows)


def latency(name: str) -> str:
    """Return each engine's latency in milliseconds: by enqueue, and as a CUDA graph where there is one."""
    names = ("median", "p95", "iqr", "cuda_graph_median")
    rows = (
        (
            r.model["name"], r.opset or "-", r.tensorrt.get("version", r.runtime), r.batch, _kind(r),
            len(r.samples), *(f"{r.metrics[n].value:.3f}" if n in r.metrics else "-" for n in names),
        )
        for r in executed(name, "latency")
        if r.metrics
    )  # fmt: skip
    head = (
        "model",
        "opset",
        "TensorRT",
        "batch",
        "precision",
        "runs",
        "median",
        "p95",
        "IQR",
        "CUDA graph, median",
    )
    return table(head, rows)


def migrations(name: str) -> str:
    """Return one row a model that went from one TensorRT to another: what became of it, and how far it moved.

    Errors are relative L2 of the raw outputs, from ONNX Runtime's and from those of the TensorRT before.
    """
    rows = (
        (
            r.model["name"], _kind(r), f"{r.baseline['version']} to {r.tensorrt['version']}",
            f"{r.baseline['before']}, {r.baseline['after']}",
            *(_metric(r, f"onnxruntime_l2_{when}") for when in ("before", "after")), _metric(r, "worst"),
            *(_metric(r, f"cuda_graph_median_{when}") for when in ("before", "after")), r.verdict,
        )
        for r in executed(name, "migration")
    )  # fmt: skip
    errors, times = (
        [f"{what}, {when}" for when in ("before", "after")] for what in ("error", "CUDA graph, ms")
    )
    heads = ("model", "precision", "TensorRT", "before, after", *errors, "of allowed", *times, "verdict")
    return table(heads, rows)


def pruned(name: str) -> str:
    """Return what each pruned network takes of its dense one's time, both in turn, with the 99 % interval."""
    rows = (
        (
            r.model["name"], r.baseline["model"], r.tensorrt.get("version", "ONNX Runtime"), r.precision,
            *(f"{r.metrics[kind + n].value:.3f}" for n in ("median_a", "median_b")),
            "{:.3f} [{:.3f}, {:.3f}]".format(
                *(r.metrics[f"{kind}ratio{end}"].value for end in ("", "_low", "_high"))
            ),
            r.verdict,
        )
        for r in executed(name, "pruned-latency")
        for kind in ("cuda_graph_" if "cuda_graph_ratio" in r.metrics else "",)
    )  # fmt: skip
    heads = ("pruned", "dense", "runtime", "precision", "dense, ms", "pruned, ms", "ratio", "verdict")
    return table(heads, rows)


def triaged(name: str) -> str:
    """Return what `--triage` said of each red cell that it looked into."""
    rows = (
        (r.model["name"], r.tensorrt.get("version", "-"), r.precision, *map(said.get, TRIAGED))
        for r in read(name)
        if TRIAGED[0] in (said := dict(TRIAGE_LINE.findall(r.message)))
    )
    return table(("model", "TensorRT", "precision", *TRIAGED), rows)


def _metric(record: Record, name: str) -> str:
    return short(record.metrics[name].value) if name in record.metrics else "-"


def accuracy(name: str) -> str:
    """Return the judged metric on held-out data before and after INT8, the drop in points, and the budget."""
    rows = (
        (
            r.model["name"], r.opset, r.tensorrt.get("version", "ONNX Runtime"), r.route,
            *(f"{metric.value:.2f}" for metric in (row.fp32, row.int8, row.drop) if metric), row.budget,
        )
        for row in accuracy_table(executed(name, "int8-accuracy")) for r in (row.record,) if row.drop
    )  # fmt: skip
    return table(("model", "opset", "runtime", "route", "fp32", "INT8", "drop", "budget"), rows)


def prediction(name: str) -> str:
    """Return how good the predicted refusals were on each set of specimens, and trtcheck's on the same."""
    counts, rates = ("refused", "taken", "missed", "overpredicted"), ("precision", "recall")
    rows = (
        (
            r.model["name"], r.tensorrt["version"], *(f"{r.metrics[n].value:.0f}" for n in counts),
            " / ".join(f"{r.metrics[n].value:.3f}" for n in rates),
            " / ".join(f"{r.metrics[TRTCHECK + n].value:.3f}" for n in rates),
        )
        for r in executed(name, "prediction")
    )  # fmt: skip
    return table(("set", "TensorRT-RTX", *counts, "precision / recall", "trtcheck, blocked"), rows)


def error(record: Record) -> float:
    """Return the greatest relative L2 of a model's raw outputs; of a user's model, of all its values."""
    every = {name for name in record.metrics if name.endswith(" relative_l2")}
    model = registry.models().get(record.model["name"])
    raw = {f"{output} relative_l2" for output in model.outputs} & every if model else every
    return max(record.metrics[name].value for name in raw)


def part(record: Record) -> float:
    """Return the worst element or norm as a part of what is allowed."""
    return record.metrics["worst"].value


def _engine(record: Record) -> Sequence[object]:
    value = {name: metric.value for name, metric in record.metrics.items()}
    # Of a TF32 layer the inspector says FP32, of a dynamic engine that of TensorRT 8 says nothing.
    told = value.get(f"{record.precision}_layers")
    share = "-" if told is None else f"{told:.0f} %"
    return (
        *_model(record)[:2], record.tensorrt["version"], record.batch, record.precision,
        short(value["build"]),
        f"{value['engine_size'] / MILLION:.2f}", f"{value['layers']:.0f} -> {value['engine_layers']:.0f}",
        share, short(error(record)), short(part(record)),
    )  # fmt: skip


def _model(record: Record) -> tuple[object, ...]:
    return record.model["name"], record.opset, record.precision


def _kind(record: Record) -> str:
    return " ".join(filter(None, (record.precision, record.route)))


def _opsets(records: Sequence[Record]) -> str:
    return several(str(record.opset) for record in records)


def _worst(records: Sequence[Record], measure: Callable[[Record], float]) -> str:
    measured = [measure(record) for record in records if "worst" in record.metrics]
    return short(max(measured)) if measured else "-"


def _grouped(
    records: Sequence[Record], key: Callable[[Record], tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[Record]]]:
    """Yield each key with its records, in the order in which keys come first."""
    for each in dict.fromkeys(map(key, records)):
        yield each, [record for record in records if key(record) == each]
