"""What the command `prune darknet` says of a small network, and the strategies and modes that there are."""

from __future__ import annotations

import tempfile
from pathlib import Path

from docs.tables import markdown
from docs.tables.commands import run
from fixtures.pruning.plan import MODES
from fixtures.pruning.strategies import STRATEGIES


def strategies() -> str:
    """Return one row a strategy."""
    return markdown.table(
        ("`--strategy`", "which channels"), _rows({n: s.about for n, s in STRATEGIES.items()})
    )


def modes() -> str:
    """Return one row a mode."""
    return markdown.table(("`--mode`", "the constant that a removed channel would still emit"), _rows(MODES))


def _rows(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(f"`{name}`", about) for name, about in texts.items()]


def dry_run() -> str:
    """Return what a dry run says of a detector with two residual blocks and seeded weights."""
    with tempfile.TemporaryDirectory() as folder:
        write_detector(Path(folder))
        options = ("--ratio", "0.6", "--round", "8", "--dry-run", "--no-check")
        return markdown.code(run("prune", "darknet", "net.cfg", "net.weights", *options, cwd=folder))


def write_detector(folder: Path) -> None:
    """Write cfg and weights of a small detector."""
    from reference_models.darknet import weights
    from reference_models.darknet.blocks import residual_stage
    from reference_models.darknet.builder import Cfg

    cfg = Cfg(96, 96)
    cfg.conv(16, 3)
    residual_stage(cfg, 32, 2)
    cfg.conv(64, 3, stride=2)
    cfg.yolo((0, 1), ((10, 14), (23, 27)), classes=10)
    (folder / "net.cfg").write_text(cfg.text())
    weights.write_seeded(folder / "net.weights", cfg, seed=2)
