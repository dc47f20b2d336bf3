"""An opset that an exporter cannot write is unsupported in its own words; any other failure is red."""

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from fixtures.cases import Case
from fixtures.converters.errors import ConversionError
from fixtures.converters.pytorch import opset_support
from fixtures.converters.pytorch.convert import Exporter, convert
from fixtures.pipeline.pipeline import Pipeline
from fixtures.recording import RecordDraft, judge
from fixtures.store.artifacts import ArtifactStore
from fixtures.verdicts import NotRun
from reference_models.model import Source
from reference_models.pytorch import digits
from suites.meta.gates.child_runs import pipeline, plant, run
from suites.meta.gates.test_planted_errors import SOURCE_PARITY, swap_channels
from suites.meta.networks import pytorch_nets
from suites.meta.networks.pytorch_nets import image

MISSING = [name for name in ("torch", "onnxscript", "onnxslim") if find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)}; use dependency group 'convert'"
)


def refusal(module: Any, opset: int, exporter: Exporter) -> ConversionError:
    """Return the error of a conversion that must fail."""
    with pytest.raises(ConversionError) as caught:
        convert(module, image(), ["y"], opset, exporter)
    return caught.value


def test_the_ranges_are_those_of_the_installed_torch() -> None:
    """Our data say what torch's own constants say; they have no public names."""
    from torch.onnx import _constants
    from torch.onnx._internal.exporter import _constants as dynamo

    assert {
        "torchscript": range(_constants.ONNX_MIN_OPSET, _constants.ONNX_TORCHSCRIPT_EXPORTER_MAX_OPSET + 1),
        "dynamo": range(dynamo.TORCHLIB_OPSET, _constants.ONNX_MAX_OPSET + 1),
    } == opset_support.RANGES


@pytest.mark.parametrize(
    ("network", "exporter", "opset", "said"),
    [
        ("corners", "torchscript", 10, "align_corners == True.*it converts at opset 20.*opsets 7 to 20"),
        ("corners", "torchscript", 24, "Unsupported onnx_opset_version: 24.*it converts at opset 20"),
        ("corners", "dynamo", 11, "got opset 18.*opsets 18 to 23.*No Adapter From Version .* for Resize"),
    ],
)
def test_an_opset_that_the_exporter_cannot_write_is_unsupported(
    network: str, exporter: Exporter, opset: int, said: str
) -> None:
    """The message holds the exporter's own words and its range."""
    error = refusal(getattr(pytorch_nets, network)(), opset, exporter)
    assert error.verdict == "unsupported"
    with pytest.raises(ConversionError, match=said):
        raise error


@pytest.mark.parametrize(
    ("exporter", "opset", "said"),
    [
        ("torchscript", 10, "'aten::special_bessel_j0' to ONNX opset version 10 is not supported"),
        ("torchscript", 21, "'aten::special_bessel_j0' to ONNX opset version 21 is not supported"),
        ("dynamo", 11, "No ONNX function found for .*bessel_j0"),
        ("dynamo", 18, "No ONNX function found for .*bessel_j0"),
    ],
)
def test_a_failure_at_every_opset_is_no_matter_of_the_opset(
    exporter: Exporter, opset: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An operator without any form is a failure, outside the range too; nothing is printed of it."""
    error = refusal(pytorch_nets.bessel(), opset, exporter)
    assert error.verdict == "failed"
    assert capfd.readouterr() == ("", "")
    with pytest.raises(ConversionError, match=said):
        raise error


@pytest.mark.parametrize(("exporter", "opset"), [("torchscript", 13), ("dynamo", 19)])
def test_another_opset_within_the_range_is_red(
    exporter: Exporter, opset: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exporter that silently writes the next opset fails, in words that name both."""
    import torch

    export = torch.onnx.export

    def wrong(*arguments: Any, opset_version: int, **options: Any) -> Any:
        return export(*arguments, opset_version=opset_version + 1, **options)

    monkeypatch.setattr(torch.onnx, "export", wrong)
    with pytest.raises(ConversionError, match=f"asked for opset {opset}, got opset {opset + 1}") as caught:
        pipeline(tmp_path / "artifacts").onnx_model("digits", exporter, opset)
    draft = RecordDraft(Case("convert", "digits", exporter, opset), {"name": "digits"})
    assert judge(draft, caught.value, ()).verdict == "failed"


def first_of(network: Callable[[], Any], store: Path) -> Pipeline:
    """Return a pipeline of one model, `net`, whose network is given."""
    source = Source("digest", "seeded", module=network())
    model = replace(
        digits.MODEL, name="net", inputs={"x": image()["x"].shape}, outputs=("y",),
        samples=lambda: [image()], build=lambda _: source,
    )  # fmt: skip
    return Pipeline(ArtifactStore(store), {"net": model})


def test_opsets_are_held_against_the_first_one_that_is_supported(tmp_path: Path) -> None:
    """What is unsupported, as the store says too, is no anchor; without a lower opset there is none."""
    way = first_of(pytorch_nets.corners, tmp_path)
    assert "opset11" in way.first_model("net", "torchscript", range(10, 13)).title
    again = first_of(pytorch_nets.corners, tmp_path)
    with pytest.raises(ConversionError, match="it converts at opset 20") as caught:
        again.onnx_model("net", "torchscript", 10)
    assert caught.value.verdict == "unsupported"
    with pytest.raises(NotRun, match="net: torchscript supports no lower opset"):
        again.first_model("net", "torchscript", range(10, 11))
    with pytest.raises(ConversionError, match="bessel"):
        first_of(pytorch_nets.bessel, tmp_path / "other").first_model("net", "torchscript", range(10, 13))


def test_a_run_tells_unsupported_from_wrong(tmp_path: Path) -> None:
    """A planted error at opset 18 is red although opset 10, asked for blame, is unsupported like 11."""
    store = tmp_path / "artifacts"
    pipeline(store).onnx_model("digits", "dynamo", 18)
    plant(store, "onnx", swap_channels)
    ended = run(
        store, "suites/test_convert.py", SOURCE_PARITY, "--model=digits", "--opset=11,18", "-k", "dynamo"
    )
    assert ended.code == 1, ended.output
    found = {(record.stage, record.opset): record for record in ended.records}
    assert {key: record.verdict for key, record in found.items()} == {
        ("convert", 11): "unsupported",
        ("convert", 18): "passed",
        ("onnxruntime-parity", 11): "unsupported",
        ("onnxruntime-parity", 18): "failed",
    }
    assert "guilty hop: source->ONNX" in ended.the("failed").message
    assert "opsets 18 to 23" in found["convert", 11].message
