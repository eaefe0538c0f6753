"""What is seen of a live run: its haze frame by frame, its state, and the profiles that it can change to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from rtdehaze.core.live import OutletStatus
from rtdehaze.core.options import Mode

__all__ = ["LiveStatus", "Observation", "Observer", "Profile"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of one frame: haze as a sensor's reading."""

    time: float
    """When the frame arrived, seconds since the epoch."""
    pts: float
    """Seconds on the run's clock."""
    frame: int
    """Number of the frame among those that came in, from 0."""
    density: float
    """0 (clear) to 1, smoothed over time."""
    transmission: float
    """Median over the picture, 0 to 1."""
    airlight: tuple[float, float, float]
    """R, G, B in 0 to 1."""
    brightness: float
    """Mean of the picture's RGB in 0 to 1, before dehazing."""
    weight: float
    """0 to 1: how far the gate takes it to be hazy; what is removed scales with it."""


class Observer(Protocol):
    """Someone who follows a run. Called from one of its threads: it must not block and must not raise."""

    def see(self, observation: Observation) -> None:
        """A frame's haze is known."""

    def close(self) -> None:
        """The run is over."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A set of choices that a live run can change to: day, night."""

    name: str
    mode: Mode = Mode.AUTO
    strength: float = 100.0
    smoothing: float = 0.5


@dataclass(frozen=True, slots=True)
class LiveStatus:
    """A live run at one moment, for reports and metrics."""

    seconds: float
    """Since the run began."""
    connected: bool
    reconnects: int
    frames_in: int
    """Frames that arrived."""
    frames_out: int
    """Frames handed to the outputs, without those that fill a gap."""
    fillers: int
    """Frames made up while the source was away."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Frames that came in and did not go out, by reason: frames_in = frames_out + their sum + those under way."""
    under_way: int = 0
    """Frames between the two ends now."""
    every: int = 1
    """The haze of every n-th frame is estimated at present."""
    profile: str | None = None
    density: float | None = None
    silent: float = 0.0
    """Seconds since the last frame went out, fillers left out."""
    age_ms: dict[str, float] = field(default_factory=dict)
    """Arrival to encoded (the first of several encoders) over the whole run, in milliseconds: `p50`, `p95`, `p99`."""
    added_ms: dict[str, float] = field(default_factory=dict)
    """Frame decoded to frame handed to the encoder, likewise."""
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    """For each stage `p50_ms`, `p95_ms`, `p99_ms`, `total_s` and `count`."""
    outlets: tuple[OutletStatus, ...] = ()
