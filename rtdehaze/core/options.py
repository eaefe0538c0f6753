"""What a user can choose for a run: one flat set of options, checked when it is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from rtdehaze.core.errors import UsageError

__all__ = ["Box", "Compare", "Hdr", "Mode", "Options", "Provider", "parse_choice"]

Choice = TypeVar("Choice", bound=StrEnum)

Box = tuple[int, int, int, int]
"""x, y, width, height in pixels of the picture."""


class Mode(StrEnum):
    """When haze is removed, in the words that cameras use."""

    OFF = "off"
    """Never: the frames pass as they are."""
    AUTO = "auto"
    """While there is haze; a clear frame comes out as it went in."""
    MANUAL = "manual"
    """Always, at the given strength."""


class Provider(StrEnum):
    """Where the model runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"


class Compare(StrEnum):
    """How the input and the output share one picture."""

    SPLIT = "split"
    """The left half of the input, the right half of the output."""
    SIDE = "side"
    """Both in full, side by side."""


class Hdr(StrEnum):
    """What happens to PQ and HLG video."""

    REFUSE = "refuse"
    PASSTHROUGH = "passthrough"
    """It is re-encoded without dehazing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that can be chosen for a run.

    Raises:
        UsageError: A value is out of its range; the message names the option, the value and the range.
    """

    model: str | None = None
    """Name of a shipped model or path of an .onnx file; None takes the default model."""
    provider: Provider = Provider.AUTO
    mode: Mode = Mode.AUTO
    strength: float = 100.0
    """0 to 100: the share of the haze's optical depth that is removed, in percent."""
    smoothing: float = 0.5
    """0 to 1: time constant of the haze map in seconds; 0 takes every frame by itself."""
    every: int = 1
    """The haze of every n-th frame is estimated; with the others its map is moved along."""
    exposure: bool = True
    """Brighten what comes out dim: the camera had exposed for the haze."""
    mask: Path | None = None
    """A picture of the video's size; what is not black there is left untouched."""
    keep_boxes: tuple[Box, ...] = ()
    """Rectangles that are left untouched."""
    compare: Compare | None = None

    start: float | None = None
    """Seconds into the input at which to begin."""
    duration: float | None = None
    """Seconds to read."""
    hwaccel: str | None = None
    """FFmpeg's name of a hardware decoder device, for example `cuda`."""
    hdr: Hdr = Hdr.REFUSE
    deinterlace: bool = False
    rate: float = 25.0
    """Pictures per second of an image sequence or folder."""

    codec: str | None = None
    """`h264`, `hevc`, `av1`, `vp9`, `ffv1`, ... or `like-input`; None suits the container and the input."""
    encoder: str | None = None
    """FFmpeg's name of an encoder, for example `h264_nvenc`; it goes before `codec`."""
    crf: float | None = None
    preset: str | None = None
    bitrate: int | None = None
    """Bits per second."""
    pixel_format: str | None = None
    """FFmpeg's name; None follows the input."""
    overwrite: bool = False
    strict: bool = False
    """Refuse to start where a stream of the input cannot be kept."""
    tag: bool = True
    """Note program, version and model in the output's metadata."""

    threads: int | None = None
    """Cores to plan for; None takes those that the process may use."""

    def __post_init__(self) -> None:
        """Checks the ranges and takes plain words for the choices."""
        for name, choices in (("provider", Provider), ("mode", Mode), ("hdr", Hdr), ("compare", Compare)):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, parse_choice(choices, name, value))
        _within("strength", self.strength, 0.0, 100.0)
        _within("smoothing", self.smoothing, 0.0, 1.0)
        if self.every < 1:
            raise UsageError(f"every must be 1 or more frames, not {self.every}")
        if self.start is not None:
            _within("start", self.start, 0.0, math.inf)
        if self.duration is not None and not (self.duration > 0 and math.isfinite(self.duration)):
            raise UsageError(f"duration must be more than 0 seconds, not {self.duration:g}")
        if not 0 < self.rate <= 1000:
            raise UsageError(f"rate must be more than 0 and at most 1000 pictures per second, not {self.rate:g}")
        if self.bitrate is not None and self.bitrate <= 0:
            raise UsageError(f"bitrate must be more than 0 bits per second, not {self.bitrate}")
        if self.bitrate is not None and self.crf is not None:
            raise UsageError("crf and bitrate exclude each other; give one of them")
        if self.threads is not None and self.threads < 1:
            raise UsageError(f"threads must be at least 1, not {self.threads}")


def _within(name: str, value: float, low: float, high: float) -> None:
    if not (low <= value <= high and math.isfinite(value)):
        upper = f" to {high:g}" if math.isfinite(high) else " or more"
        raise UsageError(f"{name} must be {low:g}{upper}, not {value:g}")


def parse_choice(choices: type[Choice], name: str, value: str) -> Choice:
    """Returns the member of an enumeration that a user's word names.

    Raises:
        UsageError: There is none; the message lists those that there are.
    """
    try:
        return choices(value)
    except ValueError:
        raise UsageError(f"{name} must be one of {', '.join(choices)}, not {value!r}") from None
