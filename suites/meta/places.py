"""Where things lie: the checkout, what tests read of it, and what the processes of a run make once."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPECTATIONS = ROOT / "suites" / "expectations"
SHARED = "TRT_PARITY_META_SHARED"
"""Variable that names the folder which the processes of a run share; it goes when the run ends."""


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder of the run, which the first process that asks for it fills, and others wait for."""
    from fixtures.run.turns import turn

    folder = Path(os.environ[SHARED], name)
    with turn(folder.with_suffix(".lock"), alone=True):
        if not folder.exists():
            making = Path(tempfile.mkdtemp(dir=folder.parent))
            make(making)
            making.rename(folder)
    return folder
