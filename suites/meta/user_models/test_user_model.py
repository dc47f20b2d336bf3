"""A model of one's own runs through the whole suite, from one's own folder, and is found in the store."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from fixtures.converters.errors import ConversionError
from fixtures.expectations import load
from fixtures.pipeline.pipeline import Pipeline
from fixtures.store.artifacts import ArtifactStore
from fixtures.user_models.description import with_descriptions
from fixtures.verdicts import NotRun
from reference_models import registry
from reference_models.darknet import weights
from reference_models.darknet.builder import Cfg
from reference_models.model import ReferenceModel
from reference_models.user import model_file, model_keys
from reference_models.user.samples import Samples
from suites.meta.gates import forks
from suites.meta.gates.child_runs import TIMEOUT, Run, read_records
from suites.meta.networks import user_models
from suites.meta.networks.mxnet_files import one, write
from suites.meta.places import ROOT

if find_spec("torch") is None:
    pytest.skip("torch is not installed; run `tox run -e meta`", allow_module_level=True)

PAGE = (ROOT / "docs" / "your-own-model.md").read_text("utf-8")
SUITES = str(ROOT / "suites")
PARITY = f"{SUITES}/test_parity.py::test_onnxruntime_gives_the_source_outputs"
BUILD = f"{SUITES}/test_build.py::test_engine_builds"
CONVERT = f"{SUITES}/test_convert.py"
SMALL = ("--model", "nets:small", "--input", "image:1x3x16x16", "--output", "scores")
HIDE = "import sys; sys.modules.update(dict.fromkeys({absent})); import pytest; sys.exit(pytest.main())"


NOT_INHERITED = ("TRT_PARITY_MODELS", "TOX_ENV_NAME")
"""A user's run is in no tox environment of ours, and of no models of ours."""


def run(folder: Path, store: Path, *arguments: str, absent: tuple[str, ...] = ()) -> Run:
    """Run pytest in a folder. absent: modules that cannot be imported there."""
    store.parent.mkdir(exist_ok=True)
    kept = tempfile.mkdtemp(dir=store.parent)
    words = [*arguments, f"--artifacts={store}", f"--records={kept}/records", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
    if absent:
        code, output = run_without(absent, words, folder, environment)
    else:
        code, output = forks.run_pytest(words, folder, TIMEOUT, environment)
    return Run(code, output, read_records(Path(kept, "artifacts")))


def run_without(
    absent: tuple[str, ...], words: list[str], folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    """Run pytest in a process of its own, in which modules cannot be imported."""
    done = subprocess.run(
        [sys.executable, "-c", HIDE.format(absent=list(absent)), *words],
        cwd=folder, capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a user's modules."""
    folder = tmp_path_factory.mktemp("package")
    user_models.write(folder)
    return folder


@pytest.fixture(scope="module")
def made(package: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A store with what a run of the convert environment leaves of `small`, and that run."""
    store = tmp_path_factory.mktemp("made") / "artifacts"
    ended = run(package, store, PARITY, *SMALL, "--opset", "11,17", "--refresh", "-m", "not tensorrt")
    assert ended.code == 0, ended.output
    assert [(r.opset, r.verdict, r.model["name"], r.model["weights"]) for r in ended.records] == [
        (11, "passed", "nets.small", "own"),
        (17, "passed", "nets.small", "own"),
    ]
    return store, ended


def test_the_page_runs_as_written(tmp_path: Path) -> None:
    """The file, the command and the lines of its outcome are those of the page on a model of one's own."""
    blocks = re.search(
        r"`my_nets\.py`[^\n]*\n\n```python\n(.*?)```\n\n    (\S[^\n]*)\n.*?\n```\n(.*?)```", PAGE, re.DOTALL
    )
    assert blocks is not None
    (tmp_path / "my_nets.py").write_text(blocks[1])
    command = shlex.split(blocks[2].replace("TRT_PARITY", str(ROOT)))
    assert command[:3] == ["python", "-m", "pytest"]
    ended = run(tmp_path, tmp_path / "store" / "artifacts", *command[3:])
    assert ended.code == 0, ended.output
    for line in blocks[3].strip().splitlines():
        assert line in ended.output
    builds = [r for r in ended.records if r.stage == "tensorrt-build" and r.verdict == "passed"]
    assert {(r.opset, r.precision) for r in builds} == {(11, "fp32"), (17, "fp32")}


def test_the_model_file_of_the_page_is_read(tmp_path: Path) -> None:
    """Every key that it shows is one, and every kind of model is in it."""
    block = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert block is not None
    (tmp_path / "models.toml").write_text(block[1])
    declared = model_file.read(tmp_path / "models.toml")
    assert {each.framework for each in declared} == set(model_keys.FRAMEWORKS)
    shown = set(re.findall(r"^(\w+) =", block[1], re.MULTILINE))
    assert shown >= {*model_keys.OPTIONAL, *(key for keys in model_keys.FRAMEWORKS.values() for key in keys)}
    assert load(ROOT / "suites" / "expectations", [tmp_path / "models.toml"]).tolerances[-1].texts["reason"]


def test_a_machine_without_torch_and_the_package_takes_the_store(
    made: tuple[Path, Run], tmp_path: Path
) -> None:
    """Builds and parity come from the store; the factory is not imported; its inputs are the options."""
    hidden = ("torch", "PIL", "skimage", "sklearn", "nets")
    tests = [CONVERT, PARITY, BUILD, "--require", "tensorrt-build"]
    ended = run(tmp_path, made[0], *tests, *SMALL, "--opset", "11", absent=hidden)
    assert ended.code == 0, ended.output
    stages = ("convert", "onnxruntime-parity", "tensorrt-build")
    assert [(r.stage, r.verdict) for r in ended.records] == [(stage, "passed") for stage in stages]
    other = run(tmp_path, made[0], CONVERT, *SMALL[:-2], "--opset", "11", absent=hidden)
    assert f"run `tox run -e convert -- suites {shlex.join(SMALL[:-2])}`" in other.output


def test_the_rerun_command_runs_that_case_from_the_same_folder(made: tuple[Path, Run], package: Path) -> None:
    """The printed command has --model, --input and --output as given, and selects one case."""
    record = next(r for r in made[1].records if r.opset == 17)
    words = shlex.split(record.rerun)
    assert record.rerun.endswith(shlex.join([*SMALL, "--opset", "17"]))
    ended = run(package, made[0], *words[3:])
    assert [(r.opset, r.verdict) for r in ended.records] == [(17, "passed")], ended.output


def test_a_mistake_in_an_option_ends_the_run_at_its_start(package: Path, tmp_path: Path) -> None:
    """It is pytest's usage error, one line, and nothing is collected."""
    ended = run(package, tmp_path / "artifacts", CONVERT, "--model", "nets:smal", "--input", "1x3x8x8")
    assert ended.code == pytest.ExitCode.USAGE_ERROR
    assert "did you mean small?" in ended.output
    assert "Traceback" not in ended.output


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A file with a model of each framework, tolerances and a known failure, beside its files."""
    user_models.write(tmp_path)
    cfg = Cfg(32, 32)
    cfg.conv(8, 3, stride=2)
    cfg.conv(8, 3, activation="leaky")
    cfg.yolo((0, 1), ((8, 8), (16, 16)), classes=1)
    (tmp_path / "a.cfg").write_text(cfg.text())
    weights.write_seeded(tmp_path / "a.weights", cfg, seed=1)
    net = one("n", "FullyConnected", {"num_hidden": "4"}, x=(1, 7), weight=(4, 7), bias=(4,))
    symbol, params = write(tmp_path, [net])
    np.savez(
        tmp_path / "two.npz", image=np.ones((2, 3, 8, 8), np.float32), offset=np.ones((2, 10), np.float32)
    )
    (tmp_path / "models.toml").write_text(f"""
[model.two]
framework = "pytorch"
factory = "nets.py:two"
inputs = {{ image = [1, 3, 8, 8], offset = [1, 10] }}
outputs = ["scores", "peaks"]
samples = "two.npz"
converters = ["torchscript", "dynamo"]
decode = "nets.py:decode"
exact = ["scores/label"]

[model.detector]
framework = "darknet"
cfg = "a.cfg"
weights = "a.weights"

[model.dense]
framework = "mxnet"
symbol = "{symbol.name}"
params = "{params.name}"
inputs = {{ n_x = [1, 7] }}

[model.branch]
framework = "pytorch"
factory = "wrong.py:Branch"
inputs = {{ image = [1, 3, 8, 8] }}

[[known_failure]]
model = "branch"
message = "reads a value"
reason = "it branches on its input"
link = "README.md"
""")
    return tmp_path / "models.toml"


def test_a_model_file_covers_every_framework(written: Path) -> None:
    """Each model is converted and agrees with its own framework; the file's known failure stands."""
    store = written.parent / "store" / "artifacts"
    ended = run(ROOT, store, CONVERT, PARITY, f"--model={written}", "--opset", "11")
    assert ended.code == 0, ended.output
    found = {(r.stage, r.model["name"], r.converter): r for r in ended.records}
    verdicts = {key: record.verdict for key, record in found.items()}
    names = [("two", "torchscript"), ("detector", "darknet"), ("dense", "mxnet")]
    stages = ("convert", "onnxruntime-parity")
    assert verdicts == {(stage, *name): "passed" for stage in stages for name in names} | {
        (stage, *key): verdict
        for stage in stages
        for key, verdict in {("two", "dynamo"): "unsupported", ("branch", "torchscript"): "xfailed"}.items()
    }
    assert "models.toml:two" in found["convert", "two", "torchscript"].rerun
    metrics = found["onnxruntime-parity", "detector", "darknet"].metrics
    assert {"yolo_3 relative_l2", "yolo_3/boxes relative_l2", "yolo_3/classes relative_l2"} <= set(metrics)
    assert "scores/label relative_l2" in found["onnxruntime-parity", "two", "torchscript"].metrics


def test_rows_of_a_model_file_stand_beside_the_suites_own(written: Path) -> None:
    """Each is named with the file and its line."""
    with written.open("a") as file:
        file.write('[[tolerance]]\nmodel = "two"\nrtol = 1\natol = 1\nrelative_l2 = 1\nreason = "mine"\n')
    rows = load(ROOT / "suites" / "expectations", [written])
    assert rows.tolerances[-1].where.startswith("models.toml tolerance 1, line ")
    assert rows.known_failures[-1].where.startswith("models.toml known_failure 1, line ")


def settled(folder: Path, store: ArtifactStore) -> ReferenceModel:
    """Return the row of `small` in a folder as it is built there."""
    spec = f"{folder / 'nets.py'}:small"
    return with_descriptions(registry.choose(spec, ["image:1x3x8x8"]), store)[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [("torch.relu", "torch.tanh"), ("stride=2", "stride=1"), (".mean((2, 3))", ".mean((2, 3)) * 2")],
)
def test_a_changed_forward_with_the_same_weights_is_converted_anew(
    old: str, new: str, tmp_path: Path
) -> None:
    """What the store has of the former network is not taken, though name, options and weights are equal."""
    store, outputs, models, prints = ArtifactStore(tmp_path / "artifacts"), [], [], []
    for folder, text in (("a", user_models.SOUND), ("b", user_models.SOUND.replace(old, new)), ("c", "")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nets.py").write_text(text or user_models.SOUND)
        model = settled(tmp_path / folder, store)
        pipeline = Pipeline(store, {model.name: model})
        models.append(pipeline.onnx_model(model.name, "torchscript", 13).digest)
        outputs.append(pipeline.samples(model.name).digest)
        prints.append(model.own and model.own.fingerprint)
    assert models[0] == models[2] != models[1]
    assert outputs[0] == outputs[2] != outputs[1]
    assert prints[0] == prints[2] != prints[1]


def test_models_of_a_former_network_are_not_taken_without_its_framework(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fleet takes what was made of the network that was converted last, and no mixture."""
    store = ArtifactStore(tmp_path / "artifacts")
    for folder, text, opset in (
        ("a", user_models.SOUND, 11),
        ("b", user_models.SOUND.replace("relu", "tanh"), 13),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nets.py").write_text(text)
        model = settled(tmp_path / folder, store)
        Pipeline(store, {model.name: model}).onnx_model(model.name, "torchscript", opset)
    for module in ("fixtures.user_models.description", "fixtures.pipeline.stored"):
        monkeypatch.setattr(f"{module}.missing", lambda _: ["torch"])
    model = settled(tmp_path / "elsewhere", store)
    pipeline = Pipeline(store, {model.name: model})
    assert pipeline.onnx_model(model.name, "torchscript", 13).path.exists()
    with pytest.raises(NotRun, match="tox run -e convert -- suites --model"):
        pipeline.onnx_model(model.name, "torchscript", 11)


def test_a_python_file_gives_rows(tmp_path: Path) -> None:
    """MODELS are taken as they are, with their own metric; names must be free."""
    (tmp_path / "rows_of_mine.py").write_text(
        "from dataclasses import replace\nfrom reference_models.pytorch import digits\n"
        "MODELS = [replace(digits.MODEL, name='mine')]\n"
    )
    (row,) = with_descriptions(
        registry.choose(str(tmp_path / "rows_of_mine.py")), ArtifactStore(tmp_path / "artifacts")
    )
    assert (row.name, row.metric, row.outputs) == ("mine", "top1", ("logits",))
    assert row.own is not None
    assert len(row.own.fingerprint) == 64


def test_reference_models_and_own_ones_mix() -> None:
    """Words by commas may be names, tiers and one's own."""
    chosen = registry.choose("digits,nets:small", ["1x3x8x8"])
    assert [row.name for row in chosen] == ["digits", "nets.small"]
    assert chosen[1].inputs == {"input": (1, 3, 8, 8)}


def test_samples_are_noise_unless_given(tmp_path: Path) -> None:
    """Without a source, 3 samples in 0..1; an .npy is split; images become (value - mean) * scale."""
    shapes = {"x": (1, 3, 4, 4)}
    first, again = Samples(shapes)(), Samples(shapes)()
    assert [float(sample["x"].max()) < 1 for sample in first] == [True] * 3
    assert all(np.array_equal(a["x"], b["x"]) for a, b in zip(first, again, strict=True))
    stored = np.arange(12 * 48, dtype=np.float32).reshape(12, 3, 4, 4)
    np.save(tmp_path / "x.npy", stored)
    given = Samples(shapes, tmp_path / "x.npy")()
    assert np.array_equal(np.concatenate([sample["x"] for sample in given]), stored[:8])
    from PIL import Image

    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8), (255, 100, 0)).save(tmp_path / "photos" / "a.png")
    (image,) = Samples(shapes, tmp_path / "photos", (5.0, 0.0, 10.0), (2.0,))()
    np.testing.assert_allclose(image["x"][0, :, 0, 0], [500, 200, -20], rtol=1e-6)


def test_an_opset_that_a_converter_refuses_is_a_verdict(tmp_path: Path) -> None:
    """What is wrong with a conversion is no mistake of the command line: it is raised where it is asked."""
    user_models.write(tmp_path)
    (model,) = with_descriptions(
        registry.choose(f"{tmp_path / 'wrong.py'}:Branch", ["image:1x3x8x8"]),
        ArtifactStore(tmp_path / "store"),
    )
    with pytest.raises(ConversionError, match="reads a value that depends on its input"):
        Pipeline(ArtifactStore(tmp_path / "store"), {model.name: model}).onnx_model(
            model.name, "torchscript", 13
        )
