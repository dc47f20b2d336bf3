"""What the stand-in's classes do from the network to the plan: builder, configuration. Python 3.7.

A plan is a JSON line and the ONNX model. What a release does differently follows from its names: int64
is narrowed where `DataType` has no INT64, a network is explicit by flag where batches may be implicit.
"""

from __future__ import annotations

import json
import os
from typing import Any

from suites.meta.stand_ins.tensorrt_bindings import cuda
from suites.meta.stand_ins.tensorrt_bindings.playing import MAGIC, Played, behaviours, fail


class IOptimizationProfile(Played):
    """The range of shapes of each input."""

    def __init__(self) -> None:
        self._shapes: dict[str, list[tuple[int, ...]]] = {}

    def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:  # noqa: A002
        """Set the range of an input."""
        self._shapes[input] = [tuple(min), tuple(opt), tuple(max)]


class ITimingCache(Played):
    """A timing cache: nothing but bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def serialize(self) -> Any:
        """Return its bytes."""
        return self._api.make("IHostMemory", self._data or b"timing")


class IBuilderConfig(Played):
    """What the builder is asked for. Knobs that no behaviour needs are stored by the module."""

    def __init__(self) -> None:
        self._flags = {"TF32"} & {
            word.split("=")[0] for word in self._api.release.of("BuilderFlag", "member")
        }
        self._profiles: list[Any] = []
        self._cache: Any = None

    def set_flag(self, flag: Any) -> None:
        """Set a flag."""
        self._api.check(flag, "BuilderFlag")
        self._flags.add(flag.name)

    def clear_flag(self, flag: Any) -> None:
        """Clear a flag."""
        self._api.check(flag, "BuilderFlag")
        self._flags.discard(flag.name)

    def get_flag(self, flag: Any) -> bool:
        """Say whether a flag is set."""
        self._api.check(flag, "BuilderFlag")
        return flag.name in self._flags

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        """Limit a pool of memory."""
        self._api.check(pool, "MemoryPoolType")

    def add_optimization_profile(self, profile: Any) -> int:
        """Add a profile; gives its number."""
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def create_timing_cache(self, serialized_timing_cache: bytes) -> Any:
        """Make a timing cache."""
        return self._api.make("ITimingCache", bytes(serialized_timing_cache))

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
        """Use a timing cache."""
        self._cache = cache
        return True

    def get_timing_cache(self) -> Any:
        """Return the timing cache in use."""
        return self._cache

    num_optimization_profiles = property(lambda self: len(self._profiles))


class IInt8EntropyCalibrator2(Played):
    """What a user derives a calibrator from."""

    def __init__(self) -> None:
        pass


class IInt8MinMaxCalibrator(IInt8EntropyCalibrator2):
    """Another one."""


class IInt8LegacyCalibrator(IInt8EntropyCalibrator2):
    """One that asks for more."""


def calibrate(calibrator: Any, inputs: Any, shapes: Any) -> Any:
    """Ask a calibrator for all its steps; gives the sum of each and leaves it a cache, if it has none.

    A step fills the network's whole input, of a free size the profile's usual one, whatever the calibrator
    says of its batch.
    """
    names, sums = [tensor.name for tensor in inputs], []
    if cache := calibrator.read_calibration_cache():
        return bytes(cache).decode()
    if "IInt8LegacyCalibrator" in [base.__name__ for base in type(calibrator).__mro__]:
        assert 0 < calibrator.get_quantile() <= 1
        assert 0 <= calibrator.get_regression_cutoff() <= 1
        assert calibrator.read_histogram_cache(0) is None
    addresses = calibrator.get_batch(names)
    while addresses:
        arrays = [
            cuda.view(at, shapes[tensor.name][1] if -1 in tensor.shape else tensor.shape, "float32")
            for at, tensor in zip(addresses, inputs)
        ]
        sums.append([float(array.sum()) for array in arrays])
        addresses = calibrator.get_batch(names)
    lines = ["TRT-8503-EntropyCalibration2", *(f"{name}: 3c010a14" for name in names)]
    calibrator.write_calibration_cache("".join(f"{line}\n" for line in lines).encode())
    return sums


class Builder(Played):
    """Makes networks, and plans of them."""

    def __init__(self, logger: Any) -> None:
        if os.environ.get("STAND_IN_CUDA"):
            raise TypeError("pybind11::init(): factory function returned nullptr")
        self._logger = logger

    def create_network(self, flags: int = 0) -> Any:
        """Make a network; TypeError for a flag that the release does not have."""
        words = self._api.release.of("NetworkDefinitionCreationFlag", "member")
        if flags & ~sum({1 << int(word.split("=")[1]) for word in words}):
            raise TypeError(f"create_network: flags {flags:#b} beyond {words}")
        return self._api.make("INetworkDefinition", flags, self._logger)

    def create_builder_config(self) -> Any:
        """Make a configuration."""
        return self._api.make("IBuilderConfig")

    def create_optimization_profile(self) -> Any:
        """Make a profile."""
        return self._api.make("IOptimizationProfile")

    def build_serialized_network(self, network: Any, config: Any) -> Any:
        """Build a plan, None on refusal."""
        plan = self._plan(network, config)
        return None if plan is None else self._api.make("IHostMemory", plan)

    def build_engine(self, network: Any, config: Any) -> Any:
        """Build an engine, None on refusal."""
        plan = self._plan(network, config)
        return None if plan is None else self._api.make("ICudaEngine", plan, self._logger)

    build_engine_with_config = build_engine

    def _plan(self, network: Any, config: Any) -> Any:
        shapes = config._profiles[0]._shapes if config._profiles else {}
        inputs = [network.get_input(i) for i in range(network.num_inputs)]
        open_ = [t.name for t in inputs if -1 in t.shape and t.name not in shapes]
        if open_:
            fail(self, f"no optimization profile has shapes of {open_}")
            return None
        if (
            self._api.release.version.startswith("8.5")
            and b"NonZero" in network._data
            and not config._profiles
        ):
            fail(self, "Error Code 4: Internal Error (Assertion profile != nullptr failed. )")
            return None
        typed, weak = network._is("STRONGLY_TYPED"), {"FP16", "INT8"} & config._flags
        if typed and weak:
            fail(self, f"a strongly typed network takes none of {sorted(weak)}")
            return None
        about = {"version": self._api.release.version, "flags": sorted(config._flags), "shapes": shapes}
        if {"PREFER_PRECISION_CONSTRAINTS", "STRICT_TYPES"} & config._flags:
            about["held"], about["typed"] = network._held, network._typed
        knobs = ("profiling_verbosity", "hardware_compatibility_level", "builder_optimization_level")
        about.update({knob: str(vars(config)["_" + knob]) for knob in knobs if "_" + knob in vars(config)})
        if calibrator := vars(config).get("_int8_calibrator"):
            about["calibrated"] = calibrate(calibrator, inputs, shapes)
        return MAGIC + json.dumps(about).encode() + b"\n" + network._data


BEHAVIOURS = behaviours(globals())
