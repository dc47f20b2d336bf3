"""Tests that interrupt something do so wherever the run itself may have been started from."""

import signal
import subprocess
import sys

from suites.meta.places import ROOT

INTERRUPTED = "suites/meta/commands/test_quantization.py::test_a_second_signal_ends_at_once"


def test_a_run_behind_a_shell_hears_signals() -> None:
    """A shell that runs a script lets its background jobs ignore SIGINT, and a child has that from it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", INTERRUPTED],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
