"""What a training run is told: a TOML file, read into typed tables, unknown keys refused by name."""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from rtdehaze.core.errors import UsageError

__all__ = ["Config", "DataConfig", "HazeConfig", "LossConfig", "OptimConfig", "Range", "StageConfig", "load_config"]

Range = tuple[float, float]
"""Least and greatest value of something drawn at random."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where pictures come from; at least one of the lists must name a folder."""

    packs: tuple[str, ...] = ()
    """Training packs: folders with `rgb`, `disp` and `index.csv`."""
    sets: tuple[str, ...] = ()
    """Only the rows of a pack's index whose `set` is one of these; empty takes all."""
    pictures: tuple[str, ...] = ()
    """Folders of clear pictures, with `NAME.png|npy` in a sub-folder `disp` or `depth` where known."""
    pairs: tuple[str, ...] = ()
    """Folders with `hazy` and `clear` (or `gt`) in the RESIDE naming."""
    validation: str | None = None
    """A folder with `hazy`, `clear`, `t` and `meta.json`; scored while training, never trained on."""
    workers: int = 0
    """Processes that make samples; 0 makes them in the training process."""


@dataclass(frozen=True, slots=True)
class HazeConfig:
    """How pictures are varied and how haze is laid over them."""

    scale: Range = (0.45, 1.0)
    """Share of the picture's side that a crop keeps."""
    rotation: float = 6.0
    """Degrees, at most; a fifth of the samples is turned."""
    gain: Range = (0.8, 1.2)
    gamma: Range = (0.75, 1.3)
    saturation: Range = (0.7, 1.3)
    balance: float = 0.04
    """Largest relative change of a channel."""
    clear_share: float = 0.07
    """Share of samples without haze."""
    far_to_near: Range = (5.0, 60.0)
    """Depth of the farthest point over the nearest, drawn on a logarithmic scale."""
    away_share: float = 0.25
    """Share of hazy samples whose nearest point is itself far, as when fog hangs over a whole square or valley."""
    away: Range = (0.1, 1.5)
    """How far: added to all depths, in units of the sample's median depth."""
    median: Range = (0.08, 0.95)
    """Median transmission of a sample."""
    floor: float = 0.03
    """Least transmission anywhere."""
    uneven_share: float = 0.25
    uneven_spread: float = 0.35
    """Largest relative deviation of beta within a picture."""
    airlight: Range = (0.5, 1.0)
    tint: float = 0.06
    """Largest cast of the airlight; a tenth of the samples has three times as much."""
    noise_share: float = 0.5
    noise: Range = (0.002, 0.02)
    """Standard deviation, in units of the picture's range."""
    jpeg_share: float = 0.35
    jpeg: Range = (40.0, 95.0)


@dataclass(frozen=True, slots=True)
class LossConfig:
    """Weights of the terms of the loss."""

    transmission: float = 1.0
    airlight: float = 1.0
    picture: float = 2.0
    """Charbonnier distance of the recomposed picture."""
    decibel: float = 0.15
    """Natural logarithm of a picture's mean squared error: what the mean PSNR counts."""
    structure: float = 0.3
    """1 - SSIM of luma."""
    gate: float = 0.1
    """Cross-entropy of hazy or clear."""


@dataclass(frozen=True, slots=True)
class OptimConfig:
    """The optimiser and its schedule."""

    rate: float = 2e-3
    """Peak learning rate, reached after `warmup` of the run and lowered to `last` by a half cosine."""
    last: float = 1e-5
    weight_decay: float = 1e-2
    warmup: float = 0.03
    """Share of the run."""
    average: float = 0.998
    """Decay per step of the moving average of the weights, which is what is exported."""
    clip: float = 1.0
    """Largest norm of the gradient."""


@dataclass(frozen=True, slots=True)
class StageConfig:
    """A part of the run with its own picture sizes."""

    share: float
    """Share of the run's steps."""
    batch: int
    sizes: tuple[tuple[int, int], ...]
    """(height, width) of the samples, drawn per step; even numbers."""


@dataclass(frozen=True, slots=True)
class Config:
    """A whole training run."""

    network: str = "base"
    steps: int = 10_000
    seed: int = 1
    threads: int = 0
    """Threads of PyTorch on a CPU; 0 takes all cores."""
    amp: str = "auto"
    """`auto` computes in bfloat16 on CUDA, `bf16` everywhere, `off` nowhere."""
    checkpoint_minutes: float = 5.0
    validate_steps: int = 1000
    """Steps between two scorings on the validation set; 0 never scores."""
    data: DataConfig = field(default_factory=DataConfig)
    haze: HazeConfig = field(default_factory=HazeConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    stages: tuple[StageConfig, ...] = (StageConfig(1.0, 16, ((128, 192),)),)


def load_config(path: Path) -> Config:
    """Reads a configuration file.

    Raises:
        UsageError: The file cannot be read, is not TOML, has an unknown key or an impossible value; the message
            names the key.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"configuration {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"configuration {path} is not TOML: {error}") from error
    config = _table(Config, table, "")
    _check(config)
    return config


def _table(kind: type[_T], table: object, where: str) -> _T:
    """Builds a dataclass from a table, key by key."""
    if not isinstance(table, dict):
        raise UsageError(f"{where or 'the configuration'} must be a table of keys, not {table!r}")
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            known = ", ".join(sorted(hints))
            raise UsageError(f"unknown key {_join(where, key)} in the configuration; known here: {known}")
    try:
        return kind(**{key: _value(hints[key], value, _join(where, key)) for key, value in table.items()})
    except TypeError as error:
        raise UsageError(f"{where or 'the configuration'} is incomplete: {error}") from error


def _value(kind: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _table(kind, value, where)  # type: ignore[arg-type]
    if isinstance(kind, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if not isinstance(value, list) or (inner[-1] is not Ellipsis and len(value) != len(inner)):
            raise UsageError(f"{where} is {value!r}, but must be a list{_count(inner)}")
        return tuple(_value(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{where} is {value!r}, but must be of type {kind.__name__}")
    return value


def _count(inner: tuple[Any, ...]) -> str:
    return "" if inner[-1] is Ellipsis else f" of {len(inner)}"


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _require(good: bool, key: str, value: object, expected: str) -> None:
    if not good:
        raise UsageError(f"{key} is {value!r}, but must be {expected}")


def _check(config: Config) -> None:
    """Refuses values that cannot be meant."""
    _require(config.steps > 0, "steps", config.steps, "above 0")
    _require(config.amp in ("auto", "bf16", "off"), "amp", config.amp, "auto, bf16 or off")
    _require(config.data.workers >= 0, "data.workers", config.data.workers, "0 or more")
    _require(len(config.stages) > 0, "stages", config.stages, "at least one [[stages]] table")
    for i, stage in enumerate(config.stages):
        _require(stage.share > 0, f"stages[{i}].share", stage.share, "above 0")
        _require(stage.batch > 0, f"stages[{i}].batch", stage.batch, "above 0")
        _require(len(stage.sizes) > 0, f"stages[{i}].sizes", stage.sizes, "at least one [height, width]")
        for size in stage.sizes:
            good = all(side >= 32 and side % 2 == 0 for side in size)
            _require(good, f"stages[{i}].sizes", size, "even numbers of 32 or more")
    for key in ("clear_share", "away_share", "uneven_share", "noise_share", "jpeg_share", "uneven_spread", "floor"):
        share = getattr(config.haze, key)
        _require(0.0 <= share <= 1.0, f"haze.{key}", share, "from 0 to 1")
    for key in ("scale", "away", "median", "airlight", "far_to_near", "noise", "jpeg", "gain", "gamma", "saturation"):
        low, high = getattr(config.haze, key)
        _require(0.0 < low <= high, f"haze.{key}", (low, high), "two rising numbers above 0")
    for key in ("scale", "median", "airlight"):
        _require(getattr(config.haze, key)[1] <= 1.0, f"haze.{key}", getattr(config.haze, key), "at most 1")
    _require(config.haze.far_to_near[0] >= 1.0, "haze.far_to_near", config.haze.far_to_near, "at least 1")
