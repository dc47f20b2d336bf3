"""The benchmark of many models: its models run, and growth that is not linear is seen."""

import re
from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import Cost


def costs(seconds: float) -> dict[str, Cost]:
    """Return what one way to run costs, on a machine that is busy with other things."""
    return {"first run": Cost(seconds + 50, seconds, 100_000_000)}


@pytest.mark.parametrize(
    ("seconds", "power", "word"), [((2.0, 2.9, 101.9), 1.0, "met"), ((2.0, 2.09, 902.0), 2.0, "MISSED")]
)
def test_growth_is_told(seconds: tuple[float, float, float], power: float, word: str) -> None:
    """Of 1, 10 and 1,000 models, beyond what starting costs: the exponent, and whether the goal is met."""
    seen = dict(zip((1, 10, 1000), map(costs, seconds), strict=True))
    (line,) = scale.growth(seen)
    (found,) = re.findall(r"exponent ([\d.]+)", line)
    assert float(found) == pytest.approx(power, abs=0.05)
    assert line.endswith(word)


@pytest.mark.parametrize(("seconds", "word"), [(9.9, "met"), (10.1, "MISSED")])
def test_a_slow_collection_is_told(seconds: float, word: str) -> None:
    """A thousand models are collected in seconds, by the clock."""
    seen = {count: {"collect": Cost(seconds, 2.0, 100_000_000)} for count in (1, 10, 100, 1000)}
    *_, line = scale.growth(seen)
    assert line.endswith(f"at most 10.0 s: {word}")


def test_collecting_few_models_is_no_measure_of_many() -> None:
    """Up to 16 are built first, which takes longer than to collect a hundred."""
    busy = {1: 2.0, 10: 3.8, 100: 2.83, 1000: 11.83}
    seen = {count: {"collect": Cost(seconds, seconds, 100_000_000)} for count, seconds in busy.items()}
    line, _ = scale.growth(seen)
    assert line.startswith("collect, 100 to 1000 models: 10.0 ms of the processor and 0.00 MB a model")
    assert line.endswith("exponent 1.00, at most 1.1: met")


def test_growth_takes_two_numbers() -> None:
    """Of one number nothing can be said, and no goal is met by that."""
    seen = {count: {"collect": Cost(2.0, 2.0, 100_000_000)} for count in (1, 10, 100)}
    (line,) = scale.growth(seen)
    assert line == "collect: how it grows takes two numbers of models above 17"


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
