"""The parts of a fleet cover what one run covers, each case once."""

from collections import Counter
from dataclasses import replace

import pytest

from fixtures.cases import Case
from fixtures.run import make_run
from fixtures.run.options import Options
from fixtures.stages import STAGES

MODELS = "digits,lenet,gender-age,yolov5n,yolov3-tiny"


def cases(shard: str, opsets: str) -> Counter[Case]:
    """Return the cases of all stages in a run of a part, with a TensorRT."""
    run = make_run(Options(models=MODELS, opsets=opsets, shard=shard, batches="1,8", precisions="fp32,fp16"))
    selection = replace(run.selection, tensorrt=("rtx1.7.1",))
    return Counter(case for stage in STAGES for case in stage.all_cases(selection))


@pytest.mark.parametrize("parts", [1, 2, 5])
@pytest.mark.parametrize("opsets", ["", "13"])
def test_the_parts_are_the_whole(parts: int, opsets: str) -> None:
    """Also of what is of no model: specimens of versions, and of exporters."""
    whole = cases("", opsets)
    assert set(whole.values()) == {1}
    assert sum((cases(f"{n + 1}/{parts}", opsets) for n in range(parts)), Counter()) == whole
    stages = {case.stage for case in whole}
    assert stages >= {"exporter-traps", "convert", *(["prediction"] if not opsets else [])}


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "1/", "/2", "a/b", "-1/2", "1/2/3", "1.0/2"])
def test_what_is_no_part_is_one_line(shard: str) -> None:
    """It says what a part looks like."""
    with pytest.raises(ValueError, match=r"^--shard: .* is not PART/PARTS, such as 1/8 to 8/8$"):
        make_run(Options(models=MODELS, shard=shard))


def test_a_part_without_a_model_is_an_error() -> None:
    """A runner that covers nothing would be green."""
    with pytest.raises(ValueError, match="--shard: 6/6 has no model: there are 5"):
        make_run(Options(models=MODELS, shard="6/6"))
