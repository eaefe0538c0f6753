"""The two ends of a live run, as the pipeline knows them, and what can be chosen for it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import parse_choice

if TYPE_CHECKING:
    # The command line reads this module for its help, which must not load NumPy.
    from rtdehaze.core.frame import Frame
    from rtdehaze.core.stream import CopiedStream, Packet, VideoInfo

__all__ = [
    "Joined",
    "LiveItem",
    "LiveOptions",
    "LiveOutputs",
    "LiveSource",
    "LossPolicy",
    "Lost",
    "OutletState",
    "OutletStatus",
    "RtspTransport",
]


@dataclass(frozen=True, slots=True)
class Joined:
    """A live source is there, for the first time or again: the items that follow are of this make."""

    video: VideoInfo
    """Its time base is the run's and stays the same over all connections."""
    copied: tuple[CopiedStream, ...]
    reconnects: int
    """0 the first time."""
    away: float
    """Seconds since the last frame of the connection before, or since the run began."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A live source has gone; it is being tried again."""

    reason: str
    """One line, without credentials."""


LiveItem: TypeAlias = "Frame | Packet | Joined | Lost"


class LiveSource(Protocol):
    """Where live frames come from: connects by itself, again and again, once `items` is iterated.

    Timestamps of frames and packets are on one clock for the whole run: strictly increasing per stream across
    reconnects, audio and video moved alike, near to the seconds since the run began by arrival.
    """

    @property
    def location(self) -> str:
        """What the user named, credentials taken out."""

    @property
    def skipped(self) -> dict[str, int]:
        """Frames that came but were not decoded, by reason; from any thread."""

    def items(self) -> Iterator[LiveItem]:
        """Yields `Joined`, then frames (with `arrival`) and packets, `Lost`, `Joined` and so on.

        It ends when the source is closed, and where a source has an end.

        Raises:
            SourceError: The retries are used up, or trying again cannot help.
        """

    def close(self) -> None:
        """Ends the iteration within a second wherever it waits; safe to call twice and from any thread."""


class LiveOutputs(Protocol):
    """Where the frames of a live run go: one or several outputs, each isolated from the others.

    Made with names and options that were checked; nothing is opened before the first `adapt`. `allocate` may be called
    from another thread than the rest.
    """

    def adapt(self, joined: Joined) -> None:
        """Prepares for frames of this make.

        Goes on as it is where nothing has changed, otherwise begins its encoders and containers anew. The codec
        library's streams are looked at here and never again.

        Raises:
            UsageError: The first time: an encoder does not open as it was asked for, whatever the frames.
            SinkError: No encoder opens for such frames.
        """

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame of the outputs' size with the timestamp and side data of `like`."""

    def write(self, item: Frame | Packet) -> None:
        """Encodes a frame, or copies a packet, for whichever output takes it now; never waits for one.

        Raises:
            SinkError: No output is left: their encoders failed, or they were given up.
        """

    def statuses(self) -> tuple[OutletStatus, ...]:
        """Says how each output fares; from any thread."""

    def close(self, deadline: float | None = None) -> None:
        """Completes what can be completed in time; never raises; safe to call twice.

        Args:
            deadline: By `time.monotonic()`; None gives it some time of its own, less than 2 s.
        """


class OutletState(StrEnum):
    """How one output of a live run fares."""

    OPENING = "opening"
    RUNNING = "running"
    WAITING = "waiting"
    """It failed and will be tried again."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class OutletStatus:
    """One output of a live run."""

    location: str
    """Credentials taken out."""
    state: OutletState
    frames: int
    """Written."""
    dropped: int
    """Not written: it was away, or too slow."""
    restarts: int
    error: str | None
    """The last failure, one line; None where there was none."""


class RtspTransport(StrEnum):
    """How RTSP's media travel."""

    TCP = "tcp"
    UDP = "udp"


class LossPolicy(StrEnum):
    """What the outputs show while the source is away."""

    HOLD = "hold"
    """The last picture, marked as old."""
    STOP = "stop"
    """Nothing: no frames until it is back."""
    SLATE = "slate"
    """A slate that says so, with the time since when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What can be chosen for a live run, beyond `Options`.

    Raises:
        UsageError: A value is out of its range; the message names the option, the value and the range.
    """

    rtsp_transport: RtspTransport = RtspTransport.TCP
    open_timeout: float = 10.0
    """Seconds that connecting may take."""
    read_timeout: float = 5.0
    """Seconds without a frame after which the source counts as lost."""
    retries: int | None = None
    """Attempts in a row before giving up; None tries for ever."""
    retry_cap: float = 2.0
    """Seconds between attempts at most; they grow from 0.1 s by doubling, with jitter."""
    input_size: tuple[int, int] | None = None
    """A camera's or screen's width and height."""
    input_rate: float | None = None
    """A camera's or screen's frames per second."""
    input_format: str | None = None
    """A camera's pixel format or codec by FFmpeg's name, for example `mjpeg` or `yuyv422`."""
    input_options: dict[str, str] = field(default_factory=dict)
    """Further options of the demuxer in FFmpeg's words."""

    on_loss: LossPolicy = LossPolicy.SLATE
    max_latency: float | None = None
    """Seconds from arrival to output past which a frame is dropped; None drops only by the queues."""

    segment: float | None = None
    """Seconds of each file; the name is then a strftime pattern."""
    keep_seconds: float | None = None
    """Files of segments older than this are deleted."""
    keep_bytes: int | None = None
    """The oldest files of segments are deleted past this size in all."""
    gop: float = 2.0
    """Seconds between keyframes at most: how long a viewer waits who tunes in."""

    def __post_init__(self) -> None:
        """Checks the ranges and takes plain words for the choices."""
        object.__setattr__(self, "rtsp_transport", parse_choice(RtspTransport, "rtsp-transport", self.rtsp_transport))
        object.__setattr__(self, "on_loss", parse_choice(LossPolicy, "on-loss", self.on_loss))
        for name in ("open_timeout", "read_timeout", "retry_cap", "gop"):
            _positive(name, getattr(self, name))
        for name in ("max_latency", "segment", "keep_seconds", "input_rate", "keep_bytes"):
            value = getattr(self, name)
            if value is not None:
                _positive(name, value)
        if self.retries is not None and self.retries < 0:
            raise UsageError(f"retries must be 0 or more, not {self.retries}; leave it out to try for ever")
        if (self.keep_seconds is not None or self.keep_bytes is not None) and self.segment is None:
            raise UsageError("keep deletes old segments, and there are none; give segment too")


def _positive(name: str, value: float) -> None:
    if not (value > 0 and math.isfinite(value)):
        raise UsageError(f"{name.replace('_', '-')} must be more than 0, not {value:g}")
