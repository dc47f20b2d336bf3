"""What slimming and the latency of pruned networks measured, as `benchmarks.slimming` and others wrote it."""

from __future__ import annotations

import json
from typing import Any

from docs.tables.campaign import FOLDER, several
from docs.tables.markdown import table

MILLION = 1e6
NAMES = {"dense": "dense", "sparse": "sparse-trained", "pruned": "pruned", "tuned": "pruned and fine-tuned"}


def read(name: str) -> dict[str, Any]:
    """Return the figures of ``docs/measurements/NAME.json``."""
    figures: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return figures


def head(name: str) -> str:
    """Return how it was done, with what, and which time of a processor each training took."""
    figures = read(name)
    asked = figures["settings"]
    seconds = {step["step"]: step["processor"] for step in figures["steps"]}
    rows = [
        ("date", figures["date"]),
        ("packages", several(f"{package} {version}" for package, version in figures["packages"].items())),
        *((name, str(value)) for name, value in figures.get("processor", {}).items()),
        ("pruned", f"`--ratio {asked['ratio']} --round {asked['multiple']}`"),
        (
            "trained",
            f"`--strength {asked['strength']} --epochs {asked['epochs']}`, then as many epochs tuned",
        ),
        ("CPU seconds", several(f"{step} {second:.0f}" for step, second in seconds.items())),
    ]
    return table(("of", "this slimming"), rows)


def networks(name: str) -> str:
    """Return one row a network: what it costs, and both measures in points."""
    figures = read(name)
    rows = [
        (
            NAMES.get(row["name"], row["name"]), f"{row['parameters']:,}", f"{row['flops'] / MILLION:.1f}",
            f"{row['accuracy']:.2f}", f"{row['second']:.2f}",
        )
        for row in figures["rows"]
    ]  # fmt: skip
    return table(("network", "parameters", "MFLOPs", *figures["measures"]), rows)


def scratch(*names: str) -> str:
    """Return one row a model: accuracy of the dense network, of the slimmed one and of both from scratch."""
    which = ("dense", "tuned", "scratch-E", "scratch-B")
    rows = []
    for figures in map(read, names):
        points = {row["name"]: f"{row['accuracy']:.2f}" for row in figures["rows"]}
        model = figures["settings"]["name"], figures["measures"][0]
        rows.append((*model, *(points.get(each, "not run") for each in which)))
    return table(("model", "measure", "dense", "slimmed", "Scratch-E", "Scratch-B"), rows)


def solving(name: str) -> str:
    """Return one row a network of ``docs/measurements/NAME.jsonl``, as `benchmarks.pruning` wrote it."""
    rows = list(map(json.loads, (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()))
    strategies = list(rows[0]["errors"])
    return table(
        ("network", "channels", "left", "reading, s", "solving, s", *(f"`{each}`" for each in strategies)),
        [
            (
                row["name"], f"{row['channels']:,}", f"{row['left']:,}", f"{row['floor']:.3f}",
                f"{row['solve']:.3f}", *(f"{row['errors'][each]:.1e}" for each in strategies),
            )
            for row in rows
        ],
    )  # fmt: skip


def goals(name: str) -> str:
    """Return one row a goal: what it came to, and whether that is enough."""
    rows = (line.rpartition(": ") for line in read(name)["goals"])
    return table(("goal", ""), [(text, verdict) for text, _, verdict in rows])


def cliff(name: str) -> str:
    """Return the accuracy at each ratio, not fine-tuned."""
    figures = read(name)
    heads = ("`--ratio`", *(f"{row['ratio']:g}" for row in figures["cliff"]))
    return table(heads, [(figures["measures"][0], *(f"{row['accuracy']:.2f}" for row in figures["cliff"]))])


def latencies(name: str) -> str:
    """Return one row a pruned network of ``docs/measurements/NAME.jsonl``, in milliseconds, and its ratio."""
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return table(
        ("pruned", "parameters", "MFLOPs", "dense, ms", "pruned, ms", "ratio [99 %]"), map(_timed, lines)
    )


def _timed(line: str) -> tuple[str, ...]:
    row = json.loads(line)
    times, ratio = row["times"], row["times"]["ratio"]
    return (
        row["name"], f"{row['parameters']:,}", f"{row['flops'] / MILLION:.1f}", f"{times['a']:.2f}",
        f"{times['b']:.2f}", f"{ratio['value']:.3f} [{ratio['low']:.3f}, {ratio['high']:.3f}]",
    )  # fmt: skip
