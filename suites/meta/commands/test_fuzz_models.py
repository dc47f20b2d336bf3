"""Many bad ONNX files for each command: one line each, never a traceback, never a silent success."""

import contextlib
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from fixtures.commands import fix, support
from suites.meta.gates.mutations import COUNT
from suites.meta.networks.bad_onnx import bad_files

pytestmark = pytest.mark.slow
FAULT = "a fault of this program"
REPAIRED = ("ONNX does not allow inputs of mixed types", "it does not broadcast to")
"""How `fix` says that it mended what makes a file invalid."""


def checker_takes(path: Path) -> bool:
    """Return what onnx.checker itself says of a file."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception:  # whatever its C++ throws
        return False
    return True


def outcome(main: Callable[[list[str]], int], arguments: list[str], path: Path) -> str:
    """Run a command on a file, and say how it ended."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(arguments)
    except Exception as error:  # what a user would see as a traceback
        return f"traceback: {type(error).__name__}"
    said = err.getvalue().splitlines()
    if any(FAULT in line for line in said):
        return f"fault: {said}"
    if hidden := {c for c in out.getvalue() + err.getvalue() if not c.isprintable() and c != "\n"}:
        return f"control characters {hidden}"
    if any(len(line) > 1100 for line in said) or any(path.name not in line for line in said):
        return f"unclear: {said}"
    if said:
        return "refused" if code == 1 and len(said) == 1 and not out.getvalue() else "answered, and said"
    valid = checker_takes(path) or any(text in out.getvalue() for text in REPAIRED)
    return "answered" if valid else "silent"


def assert_clear(counts: Counter[str], total: int) -> None:
    """Only the three ways in which a command may end, each often enough that the files were worth it."""
    assert counts.keys() <= {"refused", "answered", "answered, and said"}
    assert counts.total() == total
    assert counts["refused"] >= 0.4 * total
    assert min(counts["answered"], counts["answered, and said"]) >= 0.01 * total


def test_many_bad_models_are_answered_or_refused(tmp_path: Path) -> None:
    """The command support says of each file what is wrong with it, or answers."""
    (tmp_path / "in").mkdir()
    counts = Counter(outcome(support.main, [str(path)], path) for path in bad_files(tmp_path / "in", COUNT))
    assert_clear(counts, COUNT)


def test_many_bad_models_are_fixed_or_refused(tmp_path: Path) -> None:
    """The command fix writes nothing for a file that it refuses, and a valid model for a valid one."""
    (tmp_path / "in").mkdir()
    counts: Counter[str] = Counter()
    output = tmp_path / "fixed.onnx"
    for n, path in enumerate(bad_files(tmp_path / "in", COUNT)):
        version = ("7.0", "8.6", "10.3", "rtx1.7")[n // 2 % 4]
        ended = outcome(fix.main, [str(path), "--tensorrt", version, "-o", str(output)], path)
        counts[ended if output.exists() == ended.startswith("answered") else f"{ended}, but wrote"] += 1
        if output.exists() and checker_takes(path):
            counts["made invalid"] += not checker_takes(output)
        output.unlink(missing_ok=True)
    del counts["made invalid"]
    assert_clear(counts, COUNT)
