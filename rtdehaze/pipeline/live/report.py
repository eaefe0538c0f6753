"""What a live run did, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rtdehaze.core.live import OutletStatus
from rtdehaze.core.watch import LiveStatus

__all__ = ["LiveReport"]


@dataclass(frozen=True, slots=True)
class LiveReport:
    """What a live run did: frames_in = frames_out + the sum of `dropped`."""

    input: str
    """Credentials taken out."""
    outputs: tuple[OutletStatus, ...]
    frames_in: int
    frames_out: int
    """Handed to the outputs, fillers left out; each output counts what it wrote."""
    fillers: int
    """Frames made up while the source was away."""
    dropped: dict[str, int]
    """By reason: `queue`, `late`, `adapt`, `order`, `stopped`, and those that the decoder left out."""
    packets_copied: int
    reconnects: int
    seconds: float
    fps: float
    age_ms: dict[str, float]
    """Arrival to encoded: `p50`, `p95`, `p99`."""
    added_ms: dict[str, float]
    """Decoded to handed to the encoder, likewise."""
    stages: dict[str, dict[str, float]]
    every: int
    """The haze of every n-th frame was estimated at the end."""
    profile: str | None
    mode: str
    """As the run began."""
    strength: float
    smoothing: float
    model: str | None
    """None where none was loaded."""
    provider: str | None
    provider_note: str | None
    mean_density: float | None
    """Mean over the frames, 0 to 1; None where nothing was estimated."""
    interrupted: bool
    """Whether the run was told to stop."""
    version: str
    notes: tuple[str, ...] = field(default=())
    """What was said during the run, the last of it."""

    def to_dict(self) -> dict[str, Any]:
        """Returns the report as plain values for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, status: LiveStatus, **facts: Any) -> LiveReport:
        """Makes a report of the last status and what it does not hold."""
        return cls(
            outputs=status.outlets,
            frames_in=status.frames_in,
            frames_out=status.frames_out,
            fillers=status.fillers,
            dropped=dict(status.dropped),
            reconnects=status.reconnects,
            seconds=round(status.seconds, 3),
            fps=round(status.frames_out / status.seconds, 2) if status.seconds else 0.0,
            age_ms=status.age_ms,
            added_ms=status.added_ms,
            stages=status.stages,
            every=status.every,
            profile=status.profile,
            **facts,
        )
