"""Expectation folders to be spoiled: a small one with a sound row in each file, and rows by table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fixtures.expectations.files import FILES

SOUND: dict[str, dict[str, Any]] = {
    "tolerance": {"stage": "onnxruntime-parity", "rtol": 0, "atol": 0, "relative_l2": 0, "reason": "why"},
    "budget": {"model": "digits", "route": "qdq", "drop": 1.0, "reason": "why"},
    "threshold": {"values": "median", "growth": 0.05, "reason": "why"},
    "share": {"precision": "fp16", "share": 50, "reason": "why"},
    "payoff": {"precision": "fp16", "ratio": 0.8, "reason": "why"},
    "known_failure": {"model": "digits", "message": "opset 18", "reason": "why", "link": "where"},
    "disagreement": {"specimen": "Softmax*", "tensorrt": "rtx1.7*", "reason": "why"},
    "trap": {
        "specimen": ["index, *"], "exporter": ["dynamo"], "opset": [18], "outcome": "wrong",
        "message": "mis.*", "reason": "why", "link": "where",
    },
    "exclusion": {"model": "digits", "route": "qdq", "layers": ["/3/Conv"], "reason": "why"},
}  # fmt: skip
"""Table -> the fields of a row that fits the schema."""


def toml(value: object) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{toml(name)} = {toml(each)}' for name, each in value.items())} }}"
    return str(value)


def row(table: str, **changed: object) -> str:
    """Return the sound row of a table as TOML, with fields changed; None leaves a field out."""
    fields = {name: value for name, value in {**SOUND[table], **changed}.items() if value is not None}
    return f"[[{table}]]\n" + "".join(f"{toml(name)} = {toml(value)}\n" for name, value in fields.items())


def write(folder: Path, **files: str) -> Path:
    """Write every file of a folder, with a sound row or with the text given for its table."""
    folder.mkdir(exist_ok=True)
    for table, name in FILES.items():
        (folder / name).write_text(files.get(table, row(table)))
    return folder
