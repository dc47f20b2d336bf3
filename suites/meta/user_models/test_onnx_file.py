"""A user's ONNX file is tested as it is: what it says, what is drawn for it, what becomes of other opsets."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.cases import Case, Selection
from fixtures.converters.errors import ConversionError
from fixtures.converters.onnx_file import convert
from fixtures.pipeline.batches import profiles_of
from fixtures.pipeline.pipeline import Pipeline
from fixtures.run.selection import select_opsets
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.stages import STAGES, stage
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import NotRun, StageError
from reference_models import registry
from reference_models.model import ReferenceModel
from suites.meta.networks import user_onnx
from suites.meta.places import ROOT


def described(
    folder: Path, words: str, inputs: Sequence[str] = (), samples: Path | None = None
) -> ReferenceModel:
    """Return the row of the first model of --model, as a run has it."""
    store = ArtifactStore(folder / "artifacts")
    return with_descriptions(registry.choose(words, inputs, samples=samples), store)[0]


def pipeline(folder: Path, model: ReferenceModel) -> Pipeline:
    """Return the pipeline of a run of one model."""
    return Pipeline(ArtifactStore(folder / "artifacts"), {model.name: model})


def cases(model: ReferenceModel, name: str, opsets: str = "") -> list[Case]:
    """Return the cases of a stage in a run of one model."""
    chosen = Selection(
        (model,), select_opsets(opsets, [model.opset]), (), ("fp32",), explicit_opsets=bool(opsets),
        predicted=("rtx1.7",),
    )  # fmt: skip
    return list(stage(name).all_cases(chosen))


CONVERTED = """
import sys
from pathlib import Path
from fixtures.converters.onnx_file import convert
convert(Path(sys.argv[1]), 13, {"image": (1, 3, 8, 8)})
print("onnxruntime" in sys.modules, "torch" in sys.modules)
"""


def test_no_framework_is_imported_to_convert_it(tmp_path: Path) -> None:
    """Helpers of ONNX Runtime lie in a package that imports torch where it is installed."""
    file = user_onnx.classifier(tmp_path / "net.onnx")
    words = [sys.executable, "-c", CONVERTED, str(file)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "True False\n", done.stderr


def test_the_file_itself_is_what_is_tested_at_its_own_opset(tmp_path: Path) -> None:
    """Nodes and weights are those of the file, and what ONNX Runtime gives of it is the source."""
    file = user_onnx.classifier(tmp_path / "net.onnx")
    model = described(tmp_path, str(file))
    way = pipeline(tmp_path, model)
    assert (model.name, model.opset, model.outputs) == ("net", 13, ("scores",))
    ours, theirs = onnx.load(way.onnx_model("net", "onnx", 13).path), onnx.load(file)
    assert ours.graph == theirs.graph
    samples = way.samples("net")
    expected = OnnxRuntime(file).run(samples.inputs)
    assert np.array_equal(samples.outputs[0]["scores"], expected[0]["scores"])


@pytest.mark.parametrize(
    ("own", "opset", "by"),
    [
        (13, 17, "onnx.version_converter"),
        (14, 13, "the rewrites of `fix`"),
        (14, 11, "the rewrites of `fix`"),
    ],
)
def test_another_opset_is_a_conversion_that_the_record_names(
    own: int, opset: int, by: str, tmp_path: Path
) -> None:
    """The model has the opset asked for, computes the same, and its note says who converted it."""
    model = described(tmp_path, str(user_onnx.classifier(tmp_path / "net.onnx", opset=own)))
    way = pipeline(tmp_path, model)
    made = way.onnx_model("net", "onnx", opset)
    assert [entry.version for entry in way.graph(made).opset_import] == [opset]
    assert f"opset {own} made {opset} by {by}" in made.about["note"]
    samples = way.samples("net")
    got = OnnxRuntime(made.path).run(samples.inputs)
    np.testing.assert_allclose(got[0]["scores"], samples.outputs[0]["scores"], rtol=1e-6)


def newer(file: Path, operator: str) -> Path:
    """Write a classifier of opset 20 with another activation."""
    model = onnx.load(user_onnx.classifier(file, opset=20))
    relu = next(node for node in model.graph.node if node.op_type == "Relu")
    relu.op_type = operator
    onnx.save(model, file)
    return file


@pytest.mark.parametrize("opset", [19, 17, 13, 11])
def test_an_operator_that_an_older_opset_lacks_is_rewritten_as_fix_does(opset: int, tmp_path: Path) -> None:
    """Gelu came with opset 20."""
    model = described(tmp_path, str(newer(tmp_path / "net.onnx", "Gelu")))
    way = pipeline(tmp_path, model)
    made = way.onnx_model("net", "onnx", opset)
    assert f"opset 20 made {opset} by the rewrites of `fix`" in made.about["note"]
    samples = way.samples("net")
    got = OnnxRuntime(made.path).run(samples.inputs)
    np.testing.assert_allclose(got[0]["scores"], samples.outputs[0]["scores"], rtol=1e-5)


def test_an_operator_without_an_older_form_is_named(tmp_path: Path) -> None:
    """Col2Im came with opset 18, and nothing older does what it does."""
    model = onnx.load(user_onnx.classifier(tmp_path / "net.onnx", opset=20))
    model.graph.node.append(onnx.helper.make_node("Col2Im", ["cols", "size", "block"], ["more"], name="fold"))
    model.graph.input.append(onnx.helper.make_tensor_value_info("cols", 1, (1, 4, 4)))
    model.graph.output.append(onnx.helper.make_tensor_value_info("more", 1, (1, 1, 4, 4)))
    for name, value in (("size", [4, 4]), ("block", [2, 2])):
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(ConversionError, match=r"`fix` do not either: no form of Col2Im 'fold' .* opset 17"):
        convert(tmp_path / "net.onnx", 17, {})


def test_an_opset_that_nobody_can_write_is_unsupported_in_the_converters_words(tmp_path: Path) -> None:
    """Never another opset in its place."""
    model = described(tmp_path, str(user_onnx.classifier(tmp_path / "net.onnx", opset=14)))
    with pytest.raises(
        ConversionError, match=r"opset 14 to 10: onnx\.version_converter .* No Adapter"
    ) as caught:
        pipeline(tmp_path, model).onnx_model("net", "onnx", 10)
    assert caught.value.verdict == "unsupported"


@pytest.mark.parametrize(
    ("opsets", "expected"), [("", [10, 11, 12, 13, 17, 15]), ("13", [13]), ("13,15", [13, 15])]
)
def test_its_own_opset_is_covered_and_comes_last(opsets: str, expected: list[int], tmp_path: Path) -> None:
    """Stages of one opset are about the file as it is; an opset that is named stands alone."""
    model = described(tmp_path, str(user_onnx.classifier(tmp_path / "net.onnx", opset=15)))
    assert [case.opset for case in cases(model, "convert", opsets)] == expected
    assert [case.opset for case in cases(model, "fp16-parity", opsets)] == expected[-1:]


def test_an_opset_that_only_the_file_has_can_be_asked_for(tmp_path: Path) -> None:
    """The rerun command of a case at opset 22 is one that is taken."""
    model = described(tmp_path, str(user_onnx.classifier(tmp_path / "net.onnx", opset=22)))
    assert [case.opset for case in cases(model, "convert", "22")] == [22]
    with pytest.raises(ValueError, match="'23' is no opset"):
        cases(model, "convert", "23")


def test_every_stage_that_makes_sense_has_cases(tmp_path: Path) -> None:
    """What compares it with itself, or is about other frameworks and specimens, has none."""
    model = described(tmp_path, str(user_onnx.classifier(tmp_path / "net.onnx")))
    run = {row.name for row in STAGES if cases(model, row.name)}
    assert run == {
        "convert", "onnxruntime-parity", "fp16-parity", "support", "tensorrt-build", "noise-floor",
        "tensorrt-parity", "repeatability", "latency",
    }  # fmt: skip
    runtimes = [case.runtime for case in cases(model, "latency")]
    assert runtimes == ["onnxruntime", "onnxruntime-gpu", "tensorrt"]


@pytest.mark.parametrize(
    ("dims", "given", "shape"),
    [
        (("N", 3, 16, 16), [], (1, 3, 16, 16)),
        (("N", 3, "H", "W"), ["1x3x24x16"], (1, 3, 24, 16)),
        ((1, 3, "S", "S"), ["image:1x3x24x24"], (1, 3, 24, 24)),
        (("?", 3, "?", "?"), ["image:1x3x24x16"], (1, 3, 24, 16)),
    ],
)
def test_free_sizes_are_fixed_at_what_was_given(
    dims: tuple[int | str, ...], given: list[str], shape: tuple[int, ...], tmp_path: Path
) -> None:
    """A first axis is one sample of itself; the converted model is static and computes what the file does."""
    model = described(tmp_path, str(user_onnx.classifier(tmp_path / "net.onnx", dims)), given)
    way = pipeline(tmp_path, model)
    made = way.onnx_model("net", "onnx", 13)
    (value,) = way.graph(made).graph.input
    assert tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim) == shape == model.inputs["image"]
    samples = way.samples("net")
    assert np.array_equal(
        OnnxRuntime(made.path).run(samples.inputs)[0]["scores"], samples.outputs[0]["scores"]
    )


def test_an_output_that_is_called_as_an_input_keeps_its_own_size(tmp_path: Path) -> None:
    """Both are Nx?xHxW by `dynamic_axes`, and the output is half as high: fixed, at ranges and at batches."""
    file = user_onnx.classifier(tmp_path / "net.onnx", ("N", 3, "H", "W"))
    model = onnx.load(file)
    pool = onnx.helper.make_node("MaxPool", ["relu"], ["half"], kernel_shape=[2, 2], strides=[2, 2])
    model.graph.node.append(pool)
    model.graph.output.append(onnx.helper.make_tensor_value_info("half", 1, ("N", 4, "H", "W")))
    onnx.save(model, file)
    way = pipeline(tmp_path, own := described(tmp_path, str(file), ["image:1x3x16-24-32x16-32"]))
    shapes = {}
    for batch in ("1", "8", "sizes"):
        made = way.graph(way.onnx_model("net", "onnx", 13, batch))
        onnx.checker.check_model(made, full_check=True)
        dims = made.graph.output[1].type.tensor_type.shape.dim
        shapes[batch] = [dim.dim_value or dim.dim_param for dim in dims]
    assert own.inputs == {"image": (1, 3, 24, 32)}
    assert shapes == {"1": [1, 4, 12, 16], "8": [8, 4, 12, 16], "sizes": [1, 4, "", ""]}


def test_whole_numbers_and_scalars_are_drawn_as_the_graph_has_them(tmp_path: Path) -> None:
    """Dtype by the file, range by the option; without one 0 and 1, which every table holds."""
    file = user_onnx.tokens(tmp_path / "net.onnx")
    samples = described(tmp_path, str(file), ["ids:1x16:int64:0..49"]).samples()
    ids = np.concatenate([sample["ids"] for sample in samples])
    assert (ids.dtype, ids.shape[1:], ids.min() >= 0, 1 < ids.max() < 50) == (np.int64, (16,), True, True)
    assert samples[0]["rate"].shape == ()
    drawn = described(tmp_path, str(file), ["ids:1x16"]).samples()
    assert {int(value) for sample in drawn for value in np.unique(sample["ids"])} == {0, 1}


def test_real_inputs_are_taken_as_they_are_and_say_what_is_free(tmp_path: Path) -> None:
    """Samples are stacked; an array of the input's own shape serves every sample; no size has to be given."""
    file, path = user_onnx.tokens(tmp_path / "net.onnx"), tmp_path / "real.npz"
    np.savez(path, ids=np.arange(24).reshape(2, 12), rate=np.float32(3))
    model = described(tmp_path, str(file), samples=path)
    assert model.inputs == {"ids": (1, 12), "rate": ()}
    samples = pipeline(tmp_path, model).samples("net")
    assert [sample["ids"].tolist() for sample in samples.inputs] == [[list(range(12))], [list(range(12, 24))]]
    assert [float(sample["rate"]) for sample in samples.inputs] == [3, 3]


def test_values_that_the_network_does_not_take_are_said_with_what_to_give(tmp_path: Path) -> None:
    """ONNX Runtime's own words, the sample, and the options."""
    model = described(tmp_path, str(user_onnx.tokens(tmp_path / "net.onnx")), ["ids:1x4:int64:90..99"])
    with pytest.raises(
        StageError, match=r"fails on sample 0 \(ids int64 \(1, 4\).*out of.*--inputs FILE\.npz"
    ):
        pipeline(tmp_path, model).samples("net")


@pytest.mark.parametrize("domain", ["", "TRT_Plugins"])
def test_what_onnxruntime_lacks_is_not_run_and_the_rest_goes_on(domain: str, tmp_path: Path) -> None:
    """A plugin of TensorRT: no outputs to compare with, but a model for tables and builders; said why."""
    model = described(tmp_path, str(user_onnx.plugin(tmp_path / "net.onnx", domain)))
    way = pipeline(tmp_path, model)
    with pytest.raises(NotRun, match=r"GridAnchor_TRT.*support tables and builds do without") as caught:
        way.samples("net")
    assert caught.value.hop == "source"
    assert way.onnx_model("net", "onnx", 13).path.exists()


def test_a_plugin_at_another_opset_is_unsupported(tmp_path: Path) -> None:
    """The version converter does not know it, and says so."""
    model = described(tmp_path, str(user_onnx.plugin(tmp_path / "net.onnx")))
    with pytest.raises(ConversionError, match="GridAnchor_TRT") as caught:
        pipeline(tmp_path, model).onnx_model("net", "onnx", 17)
    assert caught.value.verdict == "unsupported"


def test_weights_beside_the_file_are_part_of_the_model(tmp_path: Path) -> None:
    """They are read, they are in the converted file, and another byte of them makes another model."""
    whole = onnx.load(user_onnx.classifier(tmp_path / "whole.onnx"))
    onnx.save(whole, tmp_path / "net.onnx", save_as_external_data=True, size_threshold=0, location="net.data")
    model = described(tmp_path, str(tmp_path / "net.onnx"))
    way = pipeline(tmp_path, model)
    made = way.onnx_model("net", "onnx", 13)
    assert onnx.load(made.path, load_external_data=False).graph.initializer[0].raw_data
    first = way.samples("net").outputs[0]["scores"]
    data = np.fromfile(tmp_path / "net.data", np.float32)
    (data[::-1] * np.float32(3)).tofile(tmp_path / "net.data")
    changed = described(tmp_path, str(tmp_path / "net.onnx"))
    assert changed.own != model.own
    again = pipeline(tmp_path, changed).samples("net").outputs[0]["scores"]
    assert not np.allclose(first, again)


def test_a_batch_needs_a_first_axis_that_is_free(tmp_path: Path) -> None:
    """Of a free one batches are made; of a fixed one they are unsupported, with its size."""
    free = described(tmp_path, str(user_onnx.classifier(tmp_path / "free.onnx", ("N", 3, 16, 16))))
    way = pipeline(tmp_path, free)
    for batch, first in (("8", "8"), ("dynamic", "N")):
        dim = (
            way.graph(way.onnx_model("free", "onnx", 13, batch)).graph.input[0].type.tensor_type.shape.dim[0]
        )
        assert str(dim.dim_value or dim.dim_param) == first
    fixed = described(tmp_path, str(user_onnx.classifier(tmp_path / "fixed.onnx")))
    with pytest.raises(
        ConversionError, match="first axis of input 'image' is fixed at 1, asked for 8"
    ) as caught:
        pipeline(tmp_path, fixed).onnx_model("fixed", "onnx", 13, "8")
    assert caught.value.verdict == "unsupported"


def test_sizes_that_are_ranges_become_a_profile_and_samples_of_each(tmp_path: Path) -> None:
    """The engine is built for smallest, usual and largest; samples are of each, and a mixed one."""
    file = user_onnx.classifier(tmp_path / "net.onnx", ("N", 3, "H", "W"))
    model = described(tmp_path, str(file), ["image:1x3x16-24-32x16-32"])
    assert [case.batch for case in cases(model, "tensorrt-parity")][-2:] == ["1", "sizes"]
    way = pipeline(tmp_path, model)
    made = way.onnx_model("net", "onnx", 13, "sizes")
    assert profiles_of(way.graph(made)) == {"image": [(1, 3, 16, 16), (1, 3, 24, 32), (1, 3, 32, 32)]}
    samples = way.samples("net", "sizes")
    shapes = [sample["image"].shape[2:] for sample in samples.inputs]
    assert shapes == [(16, 16), (24, 32), (32, 32), (16, 32)]
    got = OnnxRuntime(made.path).run(samples.inputs)
    for ours, theirs in zip(got, samples.outputs, strict=True):
        np.testing.assert_allclose(ours["scores"], theirs["scores"], rtol=1e-6)
    assert samples.timed["image"].shape == (1, 3, 32, 32)
    (static,) = way.graph(way.onnx_model("net", "onnx", 13)).graph.input
    assert [dim.dim_value for dim in static.type.tensor_type.shape.dim] == [1, 3, 24, 32]


def corrupt(file: Path) -> None:
    """Make the file something else."""
    file.write_bytes(b"this is no model")


def without_data(file: Path) -> None:
    """Put its weights beside it, and take them away."""
    onnx.save(onnx.load(file), file, save_as_external_data=True, size_threshold=0, location="net.data")
    file.with_name("net.data").unlink()


def of_texts(file: Path) -> None:
    """Make its input one of texts."""
    model = onnx.load(file)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.STRING
    onnx.save(model, file)


def of_maps(file: Path) -> None:
    """Make its output a sequence, as ZipMap of sklearn-onnx does."""
    model = onnx.load(file)
    made = onnx.helper.make_tensor_sequence_value_info("scores", onnx.TensorProto.FLOAT, None)
    model.graph.output[0].CopyFrom(made)
    onnx.save(model, file)


FREE = ("N", 3, "H", "W")


@pytest.mark.parametrize(
    ("dims", "given", "change", "said"),
    [
        (
            FREE,
            [],
            None,
            r"net: input 'image' is Nx3xHxW, .*W free; give --input image:1x3x224x224, .*112-224-448",
        ),
        (FREE, ["1x4x8x8"], None, r"--input 1x4x8x8: the file has 'image' as Nx3xHxW"),
        (FREE, ["1x3x8"], None, r"--input 1x3x8: the file has 'image' as Nx3xHxW"),
        (FREE, ["imag:1x3x8x8", "1x3x8x8"], None, r"no input 'imag'; did you mean image\?"),
        (FREE, ["image:1x3x8x8", "image:1x3x8x8"], None, r"'image' is given twice"),
        (FREE, ["1x3x8x8:int64"], None, r"the file has 'image' as float32, not int64"),
        (FREE, ["1x3x8x8:float"], None, r"'float' is none of float32"),
        (FREE, ["1x3x8xW"], None, r"'1x3x8xW' is not \[NAME:\]SIZExSIZE"),
        (FREE, ["1x3x32-16x8"], None, r"32-16 does not rise from the smallest to the largest"),
        (FREE, ["1x3x8x8:2..1"], None, r"its values go from 2 down to 1"),
        (FREE, ["1x3x99999x99999"], None, r"more values than"),
        ((1, 3, 16, 16), ["1x3x8-16x16"], None, r"--input 1x3x8-16x16: the file has 'image' as 1x3x16x16"),
        ((1, 3, 16, 16), [], corrupt, r"net\.onnx is no ONNX model: it seems to be a text"),
        ((1, 3, 16, 16), [], without_data, r"weights of 'weight' are in 'net\.data', which is not there"),
        ((1, 3, 16, 16), [], of_texts, r"input 'image' is STRING, expected a tensor of float32"),
        ((1, 3, 16, 16), [], of_maps, r"output 'scores' is a sequence, expected a tensor; .*zipmap"),
    ],
)
def test_what_does_not_fit_ends_the_run_at_its_start(
    dims: tuple[int | str, ...],
    given: list[str],
    change: Callable[[Path], None] | None,
    said: str,
    tmp_path: Path,
) -> None:
    """Which input of which file, what it is, what to give."""
    file = user_onnx.classifier(tmp_path / "net.onnx", dims)
    if change:
        change(file)
    with pytest.raises((ValueError, StageError)) as caught:
        described(tmp_path, str(file), given)
    assert re.search(said, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


def write_words(folder: Path) -> None:
    """Write files that --model may name."""
    user_onnx.classifier(folder / "net.onnx")
    (folder / "other").mkdir()
    shutil.copy(folder / "net.onnx", folder / "other" / "net.onnx")
    for name in ("net.pt", "net.cfg", "net.weights", "net-symbol.json", "net-0000.params", "net.txt"):
        (folder / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("words", "options", "said"),
    [
        ("none.onnx", {}, r"there is no file .*none\.onnx; there are net\.onnx|did you mean net\.onnx"),
        ("no/net.onnx", {}, r"there is no folder .*no$"),
        ("net.onnx,other/net.onnx", {}, r"another model named 'net'; .*--model OTHER=other/net\.onnx"),
        ("net.pt", {}, r"\.pt is no model that can be tested; give the function that makes the module"),
        ("net.weights", {}, r"give the \.cfg to --model and this file to --weights"),
        ("net.txt", {}, r"net\.txt is of no kind of model; expected \.onnx"),
        ("nett.txt", {}, r"there is no file nett\.txt; did you mean net\.txt\?"),
        ("net.cfg", {}, r"1 darknet cfg files \(net\.cfg\), and --weights is given 0 times; give"),
        ("net.onnx", {"weights": [Path("a.weights")]}, r"0 darknet .* given 1 times; give its cfg to"),
        ("net.cfg", {"weights": [Path("a.weights")]}, r"--weights .*a\.weights: there is no file"),
        ("net-symbol.json", {"inputs": ["1x3x8x8"]}, r"1 mxnet symbol files .*--params is given 0"),
        ("net-symbol.json", {"params": [Path("net-0000.params")]}, r"give --input for each, such as"),
        ("net.onnx", {"outputs": ["a"]}, r"--input and --output describe one model"),
        ("net.onnx,a=other/net.onnx", {"samples": Path("a.npz")}, r"a\.npz is of one model .*names 2"),
        ("digits=net.onnx", {}, r"another model named 'digits'"),
    ],
)  # fmt: skip
def test_a_word_that_names_no_model_is_refused_with_what_to_write(
    words: str, options: dict[str, list[str]], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong path, suffix, name, and files that do not belong together."""
    write_words(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"(?s).") as caught:
        registry.choose(words, **options)  # type: ignore[arg-type]
    assert re.search(said, str(caught.value)), str(caught.value)


def test_several_files_are_told_apart_by_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NAME=FILE names one; what chooses each again is absolute, so that it holds in any folder."""
    write_words(tmp_path)
    monkeypatch.chdir(tmp_path)
    first, other = registry.choose("net.onnx,b=other/net.onnx")
    assert (first.name, other.name) == ("net", "b")
    assert first.own is not None
    assert other.own is not None
    assert first.own.asked == ("--model", str(tmp_path / "net.onnx"))
    assert other.own.asked == ("--model", f"b={tmp_path / 'other' / 'net.onnx'}")
