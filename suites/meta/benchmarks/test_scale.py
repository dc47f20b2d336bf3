"""The benchmark of many models: its models run, and growth that is not linear is seen."""

import re
from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import Cost


def costs(seconds: float) -> dict[str, Cost]:
    """Return what one way to run costs."""
    return {"collect": Cost(seconds, 100_000_000)}


@pytest.mark.parametrize(
    ("seconds", "power", "word"), [((2.0, 2.9, 101.9), 1.0, "met"), ((2.0, 2.09, 902.0), 2.0, "MISSED")]
)
def test_growth_is_told(seconds: tuple[float, float, float], power: float, word: str) -> None:
    """Of 1, 10 and 1,000 models, beyond what starting costs: the exponent, and whether the goal is met."""
    seen = dict(zip((1, 10, 1000), map(costs, seconds), strict=True))
    line, _ = scale.growth(seen)
    (found,) = re.findall(r"exponent ([\d.]+)", line)
    assert float(found) == pytest.approx(power, abs=0.05)
    assert line.endswith(word)


@pytest.mark.parametrize(("seconds", "word"), [(9.9, "met"), (10.1, "MISSED")])
def test_a_slow_collection_is_told(seconds: float, word: str) -> None:
    """A thousand models are collected in seconds."""
    *_, line = scale.growth({1: costs(2.0), 10: costs(2.1), 1000: costs(seconds)})
    assert line.endswith(f"at most 10.0 s: {word}")


@pytest.mark.slow
def test_many_models_are_collected_and_run_and_a_wrong_one_fails_alone(tmp_path: Path) -> None:
    """Of more models than are built at the start none is built to be collected; the guilty one is named."""
    pytest.importorskip("torch")
    models = scale.write_models(tmp_path / "models", 17)
    models.write_text(models.read_text().replace('scale_nets.py:net_3"', 'scale_nets.py:nat_3"'))
    assert scale.run(models, "--collect-only").seconds > 0
    assert not (models.parent / "artifacts").exists()
    with pytest.raises(RuntimeError, match="exit code 1") as caught:
        scale.run(models, "-k", "(net-3- or net-16) and test_converts")
    assert "guilty hop: source\n" in str(caught.value)
    assert "has no 'nat_3'" in str(caught.value)
    assert "1 failed, 1 passed" in str(caught.value)
    lines = [line for file in models.parent.glob("records/*.jsonl") for line in file.read_text().splitlines()]
    assert [('"net-16"' in line, '"verdict": "passed"' in line) for line in sorted(lines)].count(
        (True, True)
    ) == 1
