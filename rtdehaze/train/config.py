"""What a training run is told: a TOML file, read into typed tables, unknown keys refused by name."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from rtdehaze.core.errors import UsageError
from rtdehaze.synth.library import KINDS
from rtdehaze.train.clip_config import ClipConfig
from rtdehaze.train.haze_config import FogConfig, HazeConfig, Range
from rtdehaze.train.tables import read_table

__all__ = [
    "Config",
    "DataConfig",
    "FogConfig",
    "GeneratedConfig",
    "HazeConfig",
    "LossConfig",
    "OptimConfig",
    "Range",
    "StageConfig",
    "load_config",
]

LARGEST_SIDE = 4096
"""Samples of a side that may be asked for: thumbnails are small on purpose."""


@dataclass(frozen=True, slots=True)
class GeneratedConfig:
    """Generated scenes: places made from seeds, each seen from several points, with exact depth."""

    kind: str = "drive"
    """One of `rtdehaze.synth.library.KINDS`."""
    seed: int = 0
    """Of the first place; the following ones count up."""
    places: int = 20
    pictures: int = 12
    """Views of each place."""
    size: tuple[int, int] = (288, 448)
    """(height, width) in samples."""


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Where pictures come from; at least one of the lists must name something."""

    packs: tuple[str, ...] = ()
    """Training packs: folders with `rgb`, `disp` and `index.csv`."""
    sets: tuple[str, ...] = ()
    """Only the rows of a pack's index whose `set` is one of these; empty takes all."""
    pictures: tuple[str, ...] = ()
    """Folders of clear pictures, with `NAME.png|npy` in a sub-folder `disp` or `depth` where known."""
    pairs: tuple[str, ...] = ()
    """Folders with `hazy` and `clear` (or `gt`) in the RESIDE naming."""
    videos: tuple[str, ...] = ()
    """Videos without haze, or folders of them; depth is invented as for pictures without."""
    video_seconds: float = 1.0
    """Time between two frames that are taken."""
    generated: tuple[GeneratedConfig, ...] = ()
    cache: str = "~/.cache/rtdehaze/generated"
    """Where generated scenes are kept once they are rendered."""
    cache_mb: float = 1000.0
    """Megabytes of decoded pictures kept in memory, all workers together; what does not fit is decoded again."""
    validation: str | None = None
    """A folder with `hazy`, `clear`, `t` and `meta.json`; scored while training, never trained on."""
    workers: int = 0
    """Processes that make samples; 0 makes them in the training process."""


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
    steady: float = 0.0
    """Change of the maps' errors from frame to frame along the motion; for clips."""


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
    fog: FogConfig = field(default_factory=FogConfig)
    fog_share: float = 0.1
    """Share of samples that are drawn from `fog` instead of `haze`."""
    clips: ClipConfig = field(default_factory=ClipConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    optim: OptimConfig = field(default_factory=OptimConfig)
    stages: tuple[StageConfig, ...] = (StageConfig(1.0, 16, ((128, 192),)),)

    def weather(self, rng: np.random.Generator) -> HazeConfig:
        """The ranges of one sample: `fog` or `haze`."""
        # Drawn only where it is asked for: without fog, samples are those of configurations that knew none.
        return self.fog if self.fog_share > 0.0 and rng.random() < self.fog_share else self.haze


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
    config = read_table(Config, table, "")
    _check(config)
    return config


def _require(good: bool, key: str, value: object, expected: str) -> None:
    if not good:
        raise UsageError(f"{key} is {value!r}, but must be {expected}")


def _check(config: Config) -> None:
    """Refuses values that cannot be meant."""
    _require(config.steps > 0, "steps", config.steps, "above 0")
    _require(config.seed >= 0, "seed", config.seed, "0 or more")
    _require(config.threads >= 0, "threads", config.threads, "0 or more")
    _require(config.amp in ("auto", "bf16", "off"), "amp", config.amp, "auto, bf16 or off")
    _require(config.checkpoint_minutes > 0, "checkpoint_minutes", config.checkpoint_minutes, "above 0")
    _require(config.validate_steps >= 0, "validate_steps", config.validate_steps, "0 or more")
    _require(len(config.stages) > 0, "stages", config.stages, "at least one [[stages]] table")
    for i, stage in enumerate(config.stages):
        _require(stage.share > 0, f"stages[{i}].share", stage.share, "above 0")
        _require(stage.batch > 0, f"stages[{i}].batch", stage.batch, "above 0")
        _require(len(stage.sizes) > 0, f"stages[{i}].sizes", stage.sizes, "at least one [height, width]")
        for size in stage.sizes:
            _check_size(f"stages[{i}].sizes", size)
    _check_data(config.data)
    _require(0.0 <= config.fog_share <= 1.0, "fog_share", config.fog_share, "from 0 to 1")
    _check_haze("haze", config.haze)
    _check_haze("fog", config.fog)
    _check_clips(config.clips)
    _check_learning(config.loss, config.optim)


def _check_data(data: DataConfig) -> None:
    _require(data.workers >= 0, "data.workers", data.workers, "0 or more")
    _require(data.cache_mb >= 0, "data.cache_mb", data.cache_mb, "0 or more")
    _require(data.video_seconds > 0, "data.video_seconds", data.video_seconds, "above 0")
    for i, made in enumerate(data.generated):
        where = f"data.generated[{i}]"
        _require(made.kind in KINDS, f"{where}.kind", made.kind, f"one of {', '.join(KINDS)}")
        _require(made.seed >= 0, f"{where}.seed", made.seed, "0 or more")
        _require(made.places > 0, f"{where}.places", made.places, "above 0")
        _require(made.pictures > 0, f"{where}.pictures", made.pictures, "above 0")
        _check_size(f"{where}.size", made.size)


def _check_haze(table: str, haze: HazeConfig) -> None:
    # Not its slots: a class that inherits all of its fields has none of its own.
    shares = [one.name for one in fields(haze) if one.name.endswith("_share")]
    for key in (*shares, "uneven_spread", "floor", "tint", "balance"):
        share = getattr(haze, key)
        _require(0.0 <= share <= 1.0, f"{table}.{key}", share, "from 0 to 1")
    largest = {"scale": 1.0, "median": 1.0, "airlight": 1.0, "noise": 1.0, "jpeg": 100.0, "h264": 51.0}
    for key in (*largest, "away", "steep", "exposed", "far_to_near", "gain", "gamma", "saturation"):
        low, high = getattr(haze, key)
        most = largest.get(key, 1000.0)
        _require(
            0.0 < low <= high <= most, f"{table}.{key}", (low, high), f"two rising numbers above 0, at most {most:g}"
        )
    _require(haze.far_to_near[0] >= 1.0, f"{table}.far_to_near", haze.far_to_near, "at least 1")
    _require(0.0 <= haze.rotation <= 180.0, f"{table}.rotation", haze.rotation, "from 0 to 180 degrees")


def _check_clips(clips: ClipConfig) -> None:
    _require(clips.frames > 0, "clips.frames", clips.frames, "above 0")
    _require(clips.drives >= 0, "clips.drives", clips.drives, "0 or more")
    _require(0.1 <= clips.drive_seconds <= 60.0, "clips.drive_seconds", clips.drive_seconds, "from 0.1 to 60")
    _require(0 <= clips.frozen <= 4, "clips.frozen", clips.frozen, "0 to 4 levels, those before the memory")
    for key in ("pan", "zoom", "parallax", "shake", "density_drift", "airlight_drift", "exposure_drift"):
        _require(0.0 <= getattr(clips, key) <= 0.5, f"clips.{key}", getattr(clips, key), "from 0 to 0.5")
    for key in ("cut_share", "missed_cuts", "drive_share", "video_share"):
        _require(0.0 <= getattr(clips, key) <= 1.0, f"clips.{key}", getattr(clips, key), "from 0 to 1")
    _require(
        clips.drives > 0 or not clips.drive_share, "clips.drive_share", clips.drive_share, "0 without clips.drives"
    )
    left = 1.0 - clips.drive_share
    _require(clips.video_share <= left, "clips.video_share", clips.video_share, f"what drives leave: {left:g} at most")


def _check_learning(loss: LossConfig, optim: OptimConfig) -> None:
    for name in loss.__slots__:
        weight = getattr(loss, name)
        _require(0.0 <= weight < 1e6, f"loss.{name}", weight, "0 or more")
    _require(0.0 < optim.rate <= 1.0, "optim.rate", optim.rate, "above 0, at most 1")
    _require(0.0 <= optim.last <= optim.rate, "optim.last", optim.last, "from 0 to optim.rate")
    _require(0.0 <= optim.weight_decay <= 1.0, "optim.weight_decay", optim.weight_decay, "from 0 to 1")
    for key in ("warmup", "average"):
        share = getattr(optim, key)
        _require(0.0 <= share < 1.0, f"optim.{key}", share, "from 0 to below 1")
    _require(optim.clip > 0, "optim.clip", optim.clip, "above 0")


def _check_size(key: str, size: tuple[int, int]) -> None:
    good = all(32 <= side <= LARGEST_SIDE and side % 2 == 0 for side in size)
    _require(good, key, size, f"even numbers from 32 to {LARGEST_SIDE}")
