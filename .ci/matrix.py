"""The environments of tox.ini for a fleet, as JSON for a CI matrix: ``python .ci/matrix.py [PATTERN ...]``.

Needs tox alone. PATTERN: names of environments, or globs of them such as ``rtx*-gpu``; without one, every
TensorRT-RTX that needs no GPU. A machine takes an environment that needs a GPU where it has the label ``gpu``
and that of the environment. In GitHub Actions the line goes to the file that GITHUB_OUTPUT names, too.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ENGINES = re.compile(r"(rtx|trt)\d+(x|-gpu)?")
"""Names of environments that build engines."""
USUAL = ("rtx[0-9][0-9]",)


def main(words: Sequence[str]) -> int:
    """Print the matrix; 1 where a pattern names no environment."""
    names = [name for name in environments() if ENGINES.fullmatch(name)]
    patterns = [part for word in words for part in re.split(r"[\s,]+", word) if part] or list(USUAL)
    if lost := [each for each in patterns if not any(fnmatchcase(name, each) for name in names)]:
        print(f"matrix.py: {lost[0]} names no environment; there are {', '.join(names)}", file=sys.stderr)
        return 1
    chosen = [name for name in names if any(fnmatchcase(name, each) for each in patterns)]
    line = json.dumps({"include": [row(name) for name in chosen]})
    print(line)
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write(f"matrix={line}\n")
    return 0


def environments() -> list[str]:
    """Return the names of the environments, as tox reads them."""
    command = [sys.executable, "-m", "tox", "list", "--no-desc", "-q"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [line.strip() for line in done.stdout.splitlines() if line.strip() and " " not in line.strip()]


def row(name: str) -> dict[str, object]:
    """Return one place of the matrix. NVIDIA's TensorRT, not TensorRT-RTX, builds nothing without a GPU."""
    gpu = name.startswith("trt") or name.endswith("-gpu")
    return {
        "environment": name,
        "gpu": gpu,
        "runner": ["self-hosted", "gpu", name] if gpu else ["ubuntu-24.04"],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
