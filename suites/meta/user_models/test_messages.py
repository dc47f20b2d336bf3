"""A model of one's own that cannot be had is refused at the start, with cause and remedy."""

import re
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import pytest

from fixtures.commands.convert_pytorch import main
from fixtures.converters.errors import ConversionError
from fixtures.converters.pytorch.convert import Exporter, convert
from fixtures.converters.pytorch.data_dependence import value_reads
from fixtures.runtimes.onnxruntime import OnnxRuntime
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import StageError
from reference_models import registry
from reference_models.user import factory, module_check
from suites.meta.networks import user_models

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

INPUT = ("image:1x3x8x8",)
TABLE = '[model.a]\nframework = "pytorch"\nfactory = "nets.py:small"\ninputs = { image = [1, 3, 8, 8] }\n'


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a user's modules."""
    folder = tmp_path_factory.mktemp("package")
    user_models.write(folder)
    return folder


@pytest.fixture
def at_home(package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder, in which one works."""
    monkeypatch.chdir(package)
    return package


def refused(store: Path, word: str, inputs: Sequence[str] = INPUT, outputs: Sequence[str] = ()) -> str:
    """Choose a model and build it, as a run does at its start; give what it says."""
    with pytest.raises((ValueError, StageError)) as caught:
        with_descriptions(registry.choose(word, inputs, outputs), ArtifactStore(store))
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("net:small", r"there is no module 'net' in .*; did you mean nets\?"),
        ("nets:smal", r"nets\.py has no 'smal'; did you mean small\?"),
        ("nets:other", r"has no 'other'; there are Net, Two, small, two, decode"),
        ("no_such.py:small", r"there is no file .*no_such\.py; there are "),
        ("nets:not-a-name", "is neither package.module:function nor path/to/file.py:function"),
        (
            "lacking:small",
            r"lacking failed: .*No module named 'no_such_package' \(.*lacking\.py:2\)",
        ),
        ("broken:small", r"importing broken failed: RuntimeError: last line \(.*broken\.py:3\)"),
        ("broken.py:small", r"importing broken\.py failed: RuntimeError: last line \(.*broken\.py:3\)"),
        ("typo:small", r"importing typo failed: SyntaxError: .*\(.*typo\.py:1\)"),
        ("wrong:breaks", r"wrong:breaks failed: KeyError: 'no such key' \(.*wrong\.py:\d+\)"),
        ("wrong:needs", r"wrong:needs needs arguments \(width\); name a function that takes none"),
        ("wrong:number", r"wrong:number gives an int, expected a torch\.nn\.Module"),
        ("wrong:plain", "wrong:plain is an int, expected a function without arguments"),
        ("wrong:half", r"conv\.weight is torch\.float16, expected torch\.float32; return it after \.float"),
        ("wrong:elsewhere", r"conv\.weight is on the device meta, expected cpu"),
        ("wrong:Dict", r"gives a dict, expected .*; wrap .* for key in \['scores', 'image'\]"),
        ("wrong:Nested", r"gives as result 1 a list, expected .*; wrap .* flat tuple"),
        ("wrong:Number", r"gives as result 1 an int, expected .*; return a tensor"),
        ("wrong:Wide", r"gives torch\.bfloat16, expected a tensor of float32; return it after \.float"),
        ("nets:two", r"forward\(image, offset\) does not take 1 input \(image 1x3x8x8\): missing .*'offset'"),
    ],
)
def test_a_factory_that_does_not_fit_is_named(word: str, said: str, at_home: Path, tmp_path: Path) -> None:
    """Module, attribute, error or result: which one, where, and what to do."""
    assert re.search(said, refused(tmp_path, word)), refused(tmp_path, word)


@pytest.mark.parametrize(
    ("inputs", "outputs", "said"),
    [
        ((), (), r"its inputs are not known; give --input, such as 1x3x224x224"),
        (("1x3xA",), (), r"'1x3xA' is not \[NAME:\]SIZExSIZEx"),
        (("2x3x8x8",), (), "2 comes first, expected a batch of 1; see --batch"),
        (("a:1x3x8x8", "1x10"), (), "several inputs need a name each, all different"),
        (("a:1x3x8x8", "a:1x10"), (), "several inputs need a name each, all different"),
        (("a:1x3x8x8",), ("a",), "'a' is given twice"),
        (
            ("1x4x8x8",),
            (),
            r"take input 1x4x8x8: RuntimeError: .*channels.*nets\.py:\d+\); give the",
        ),
        (("1x3x8x8",), ("a", "b"), r"gives 1 output \(1x10\), but 2 names \(a, b\)"),
    ],
)
def test_an_input_or_output_that_does_not_fit_is_named(
    inputs: tuple[str, ...], outputs: tuple[str, ...], said: str, at_home: Path, tmp_path: Path
) -> None:
    """What was given, what the network says of it."""
    text = refused(tmp_path, "nets:small", inputs, outputs)
    assert re.search(said, text), text


@pytest.mark.parametrize("word", ["digits", "nets:small,nets:two", "models.toml"])
def test_inputs_are_of_one_factory(word: str, at_home: Path, tmp_path: Path) -> None:
    """--input beside no factory, or several, is refused and the model file is named."""
    assert "A model file (models.toml) describes several" in refused(tmp_path, word)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[model.a\n", r"models\.toml: Expected .* line 1"),
        ("", "there is no model; write a table"),
        ("[model]\na = 3\n", r"models\.toml:2: a stands outside a table"),
        (TABLE + "\n[tolerances]\n", r"models\.toml:6: unknown table 'tolerances'; did you mean tolerance\?"),
        (
            '[model.a]\nframework = "keras"\n',
            r":2: framework is 'keras', expected one of pytorch",
        ),
        (
            TABLE + 'fatcory = "x"\n',
            r":5: unknown key 'fatcory' of a pytorch .*did you mean factory",
        ),
        ('[model.a]\nframework = "darknet"\ncfg = "a.cfg"\n', r"models\.toml:1: a lacks weights"),
        ('[model.a]\nframework = "mxnet"\noutputs = []\n', r"models\.toml:3: unknown key 'outputs'"),
        (TABLE + "decode = 3\n", r"models\.toml:5: decode must be a text"),
        (TABLE + 'outputs = "a"\n', r"models\.toml:5: outputs must be a list of texts"),
        (TABLE + 'mean = ["a"]\n', r"models\.toml:5: mean must be a number"),
        (
            TABLE + 'converters = ["dinamo"]\n',
            r":5: unknown converter 'dinamo'; did you mean dynamo",
        ),
        (TABLE.replace("[1,", "[2,"), r"models\.toml:4: input image has 2 first, expected a batch of 1"),
        (TABLE.replace("8]", '"8"]'), r"models\.toml:4: input image is .*expected sizes such as"),
        (TABLE.replace("{ image = [1, 3, 8, 8] }", "[]"), r"models\.toml:4: inputs must be a table"),
        (TABLE.replace("model.a", 'model."a b"'), "a name has letters, digits"),
        (TABLE.replace("model.a", "model.digits"), "there is another model named 'digits'; rename it"),
        (TABLE + 'samples = "none.npz"\n', r"samples: there is no .*none\.npz"),
        (TABLE + 'samples = "nets.py"\n', r"samples: .*nets\.py cannot be read"),
        (
            TABLE + 'samples = "double.npz"\n',
            r"image in .* is float64 \(2, 3, 8, 8\), expected float32 \(N, 3",
        ),
        (TABLE + 'samples = "."\n', r"holds no image"),
        (
            '[model.a]\nframework = "darknet"\ncfg = "no.cfg"\nweights = "nets.py"\n',
            r"cfg: .*no\.cfg cannot be read: No such file",
        ),
        (
            '[model.a]\nframework = "darknet"\ncfg = "a.cfg"\nweights = "nets.py"\n',
            r"a\.cfg:1: .*",
        ),
    ],
)
def test_a_model_file_that_does_not_fit_is_named_with_its_line(
    text: str, said: str, package: Path, tmp_path: Path
) -> None:
    """File, line, key and what was expected there."""
    for file in package.glob("*.py"):
        shutil.copy(file, tmp_path)
    (tmp_path / "a.cfg").write_text("[nett]\nwidth=8\n")
    np.savez(tmp_path / "double.npz", image=np.zeros((2, 3, 8, 8)))
    (tmp_path / "models.toml").write_text(text)
    answer = refused(tmp_path / "store", str(tmp_path / "models.toml"), ())
    assert re.search(said, answer), answer


def test_a_model_file_without_the_model_asked_for_names_near_ones(tmp_path: Path) -> None:
    """models.toml:NAME selects one; another name is refused."""
    (tmp_path / "models.toml").write_text(TABLE.replace("model.a", "model.small"))
    assert "no model 'smal'; did you mean small?" in refused(tmp_path, f"{tmp_path / 'models.toml'}:smal", ())


@pytest.mark.parametrize("text", ["MODEL = 3\n", "x = 1\n"])
def test_a_python_file_without_rows_is_refused(text: str, tmp_path: Path) -> None:
    """MODEL or MODELS must be rows."""
    (tmp_path / "rows_of_mine.py").write_text(text)
    assert "expected MODEL, or MODELS" in refused(tmp_path, str(tmp_path / "rows_of_mine.py"), ())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("build=lambda _: 1 / 0", r"mine cannot be built: ZeroDivisionError: division by zero \(.*:3\)"),
        (
            "outputs=('a', 'b')",
            r"^mine: forward\(\) gives 1 output \(1x10\), but 2 names",
        ),
    ],
)
def test_a_row_that_does_not_fit_is_named(change: str, said: str, tmp_path: Path) -> None:
    """What a row's own functions raise, and outputs that are not the network's, end the run at its start."""
    file = tmp_path / f"rows_{change[:5]}.py"
    file.write_text(
        "from dataclasses import replace\nfrom reference_models.pytorch import digits\n"
        f"MODEL = replace(digits.MODEL, name='mine', {change})\n"
    )
    answer = refused(tmp_path / "store", str(file), ())
    assert re.search(said, answer), answer


@pytest.mark.parametrize(
    ("name", "exporter", "said"),
    [
        (
            "Branch",
            "torchscript",
            r"reads a value that .* at .*wrong\.py:\d+; .*torch\.where",
        ),
        ("Listed", "torchscript", r"reads a value that depends on its input at .*wrong\.py:\d+"),
        ("Count", "torchscript", r"reads a value that depends on its input at .*wrong\.py:\d+"),
        (
            "Branch",
            "dynamo",
            r"decides by values .* at .*wrong\.py:\d+\. .*torch\.where",
        ),
    ],
)
def test_control_flow_that_depends_on_data_is_refused(
    name: str, exporter: Exporter, said: str, package: Path
) -> None:
    """Neither exporter writes the one branch that the sample took; the message names the line."""
    module = factory.load(f"{package / 'wrong.py'}:{name}", package)()
    with pytest.raises(ConversionError, match=said):
        convert(module, {"image": np.ones((1, 3, 8, 8), np.float32)}, ["y"], 18, exporter)


def test_a_module_that_cannot_be_traced_is_never_taken_for_the_same(package: Path) -> None:
    """Its fingerprint is another one every time; that of a module that can be is not."""
    image = {"image": np.ones((1, 3, 8, 8), np.float32)}
    for name, same in (("Untraceable", False), ("Question", True)):
        module = factory.load(f"{package / 'wrong.py'}:{name}", package)().eval()
        first, second = (module_check.fingerprint(module, image) for _ in range(2))
        assert (first == second) is same


def test_questions_about_shapes_and_buffers_are_let_be(package: Path) -> None:
    """What the tracer warns of too, but depends on no value of an input, converts."""
    import torch

    module = factory.load(f"{package / 'wrong.py'}:Question", package)().eval()
    assert value_reads(module, (torch.ones(1, 3, 8, 8),)) == []
    assert convert(module, {"image": np.ones((1, 3, 8, 8), np.float32)}, ["y"], 13, "torchscript")


@pytest.mark.parametrize("exporter", ["torchscript", "dynamo"])
def test_the_command_writes_what_the_module_computes(
    exporter: str, at_home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Names, opset and a dynamic batch are as asked for; ONNX Runtime gives the module's own outputs."""
    import torch

    call = ["nets:two", "--input", "image:1x3x8x8", "--input", "offset:1x10", "--opset", "18"]
    call += ["--output-name", "scores", "--output-name", "peaks", "--batch", "dynamic"]
    assert main([*call, "--exporter", exporter, "-o", str(tmp_path / "a.onnx")]) == 0
    said = capfd.readouterr().out
    assert "opset 18" in said
    assert "outputs scores, peaks" in said
    assert "TensorRT-RTX" in said
    torch.manual_seed(0)
    module = factory.load("nets:two", at_home)().eval()
    random = np.random.default_rng(0)
    inputs = {"image": random.random((3, 3, 8, 8), np.float32), "offset": random.random((3, 10), np.float32)}
    with torch.no_grad():
        expected = module(*map(torch.from_numpy, inputs.values()))
    got = OnnxRuntime(tmp_path / "a.onnx").run([inputs])[0]
    for name, tensor in zip(("scores", "peaks"), expected, strict=True):
        np.testing.assert_allclose(got[name], tensor.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "code", "said"),
    [
        (["nets:smal", "--input", "1x3x8x8"], 1, "did you mean small?"),
        (["wrong:Branch", "--input", "1x3x8x8"], 1, "reads a value"),
        (["nets:small", "--input", "1x3x8x8", "--opset", "11", "--exporter", "dynamo"], 1, "got opset 18"),
        (["nets:small", "--input", "x"], 2, "is not [NAME:]SIZE"),
        (["nets:small"], 2, "--input"),
    ],
)
def test_the_command_refuses_in_one_line(
    call: list[str], code: int, said: str, at_home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """1 for a network that cannot be converted, 2 for a wrong call; nothing is written."""
    try:
        ended: object = main([*call, "-o", str(tmp_path / "a.onnx")])
    except SystemExit as error:
        ended = error.code
    told = capfd.readouterr().err
    assert (ended, said in told) == (code, True), told
    assert code == 2 or told.count("\n") == 1
    assert not (tmp_path / "a.onnx").exists()


def test_the_command_keeps_the_batch_of_its_input(at_home: Path, tmp_path: Path) -> None:
    """Without --batch the first axis is that of --input."""
    assert main(["nets:small", "--input", "2x3x8x8", "-q", "-o", str(tmp_path / "a.onnx")]) == 0
    graph = onnx.load(tmp_path / "a.onnx").graph
    assert [v.type.tensor_type.shape.dim[0].dim_value for v in (*graph.input, *graph.output)] == [2, 2]
