"""Where things lie: the checkout, and what the tests of the suite itself read of it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPECTATIONS = ROOT / "suites" / "expectations"
