"""What a run did, in numbers: while it goes on and when it is over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rtdehaze.core.timing import Durations

__all__ = ["Progress", "Report", "StageTimes"]


@dataclass(frozen=True, slots=True)
class StageTimes:
    """How long one stage works on one frame, in milliseconds, waiting for its neighbours left out."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    total_s: float
    """Seconds of work in all."""

    @classmethod
    def of(cls, durations: Durations) -> StageTimes:
        """Sums durations up."""
        p50, p95, p99 = (round(durations.percentile(percent) * 1e3, 3) for percent in (50, 95, 99))
        return cls(p50, p95, p99, round(durations.total, 3))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come."""

    frames: int
    """Frames written."""
    expected: int | None
    """Frames expected in all, an estimate; None if unknown."""
    seconds: float
    """Since the run began."""
    density: float | None
    """Haze density of the last frame estimated; None where nothing is estimated."""

    @property
    def fps(self) -> float:
        """Frames written per second so far."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0

    @property
    def remaining(self) -> float | None:
        """Seconds still to go, None if unknown."""
        if not self.expected or not self.frames:
            return None
        return max(self.expected - self.frames, 0) / self.fps


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did."""

    input: str
    output: str
    frames_in: int
    frames_out: int
    dropped: int
    """Frames that came in and did not go out; 0 unless the run was interrupted."""
    packets_copied: int
    seconds: float
    fps: float
    stages: dict[str, StageTimes]
    mode: str
    strength: float
    smoothing: float
    model: str | None
    """None in mode `off`, where no model is loaded."""
    provider: str | None
    provider_note: str | None
    mean_density: float | None
    """Mean over the frames, 0 to 1; None where nothing was estimated."""
    interrupted: bool
    """True where the run was stopped before the input's end; the output then holds what was encoded so far."""
    version: str
    notes: tuple[str, ...] = field(default=())
    """What was said during the run: conversions, streams left out, repairs."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as plain values for JSON."""
        return asdict(self)
