"""The ten commonest causes of a red cell: each is planted, and the page says what is then read."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.cases import Case
from fixtures.checks.parity import Comparison, Parity
from fixtures.compatibility import by_label, inspect
from fixtures.compatibility.answers import ask
from fixtures.expectations import load
from fixtures.quantization import cache, fp16
from fixtures.quantization.errors import QuantizationError
from fixtures.recording import RecordDraft, judge
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.model import ReferenceModel, Source
from reference_models.user.samples import Samples
from suites.meta.docs.pages import text
from suites.meta.networks import common_errors, user_onnx
from suites.meta.networks.common_errors import Pair
from suites.meta.places import ROOT

HEADING = "The ten commonest causes"
CASE = Case("onnxruntime-parity", "net", "onnx", 13)


def red(pair: Pair, folder: Path) -> str:
    """Return what a run says of a converted model that is not its source."""
    files = [folder / "source.onnx", folder / "converted.onnx"]
    for model, file in zip(pair, files, strict=True):
        onnx.save(model, file)
    shape = tuple(dim.dim_value for dim in pair[0].graph.input[0].type.tensor_type.shape.dim)
    samples = Samples({"image": shape})
    right, wrong = (OnnxRuntime(file).run(samples()) for file in files)
    row = ReferenceModel(
        "net", "onnx", {"image": shape}, ("scores",), lambda _: Source("", "own"), samples, ("onnx",)
    )
    draft = RecordDraft(CASE, {"name": "net"})
    parity = Parity(Comparison(draft, row, load(ROOT / "suites" / "expectations")), lambda: "source->ONNX")
    with pytest.raises(StageError) as caught:
        parity(right, wrong)
    return judge(draft, caught.value, []).message


def padding(folder: Path) -> str:
    """Return what is said of either kind."""
    return red(common_errors.one_sided_padding(), folder) + red(common_errors.rounding_of_sizes(), folder)


def overflow(folder: Path) -> str:
    """Ask for the fp16 form of a model with a weight beyond fp16."""
    onnx.save(common_errors.huge_weight(), folder / "net.onnx")
    with pytest.raises(StageError) as caught:
        fp16.convert(folder / "net.onnx", folder / "fp16.onnx")
    return f"guilty hop: {caught.value.hop} {caught.value}"


def stale_cache(folder: Path) -> str:
    """Hold a calibration cache of an older export against a model."""
    names = [name for node in common_errors.calibrated().graph.node for name in (*node.input, *node.output)]
    old = cache.Cache(8601, cache.ALGORITHMS[0], {"images": np.float32(0.1)})
    with pytest.raises(QuantizationError) as caught:
        cache.hold(old, folder / "calibration.cache", names[:1], names)
    return str(caught.value)


def free_axis(folder: Path) -> str:
    """Give a model whose height and width are free, without a size."""
    file = user_onnx.classifier(folder / "net.onnx", ("N", 3, "H", "W"))
    with pytest.raises(StageError) as caught:
        with_descriptions(registry.choose(str(file)), ArtifactStore(folder / "artifacts"))
    return str(caught.value)


def plugin(folder: Path) -> str:
    """Ask the support table about an operator that only a plugin has."""
    release = by_label("rtx1.7")
    assert release is not None
    (answer,) = ask(inspect(onnx.load(user_onnx.plugin(folder / "net.onnx"))), [release], gpu=True)
    return " ".join(f"{reason.operator} {reason.why} {reason.remedy}" for reason in answer.reasons)


def of_pair(make: Callable[[], Pair]) -> Callable[[Path], str]:
    """Return what is said of a pair."""
    return lambda folder: red(make(), folder)


CAUSES: dict[str, Callable[[Path], str]] = {
    "RGB and BGR": of_pair(common_errors.channel_order),
    "Epsilon of BatchNorm": of_pair(common_errors.epsilon),
    "Coordinates of Resize": of_pair(common_errors.resize),
    "Padding": padding,
    "Transposed weights": of_pair(common_errors.transposed),
    "An operator that depends on the opset": of_pair(common_errors.softmax),
    "Beyond fp16": overflow,
    "A stale calibration cache": stale_cache,
    "A free axis": free_axis,
    "NMS and other plugins": plugin,
}


def rows() -> dict[str, str]:
    """Return the second cell of each row of the page's table, by the first."""
    section = text("failures.md").partition(f"\n## {HEADING}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \| [^|]+ \|$", section, re.MULTILINE)
    return dict(found[1:])  # the first is the head


def test_the_page_has_a_row_for_each() -> None:
    """Ten, under their names, and each quotes something."""
    assert list(rows()) == list(CAUSES)
    assert all("`" in said for said in rows().values())


@pytest.mark.parametrize("cause", CAUSES)
def test_a_planted_cause_is_said_as_the_page_says(cause: str, tmp_path: Path) -> None:
    """Each text that the row quotes stands in what is said."""
    message = CAUSES[cause](tmp_path)
    for quoted in re.findall(r"`([^`]+)`", rows()[cause]):
        assert quoted in message, message
