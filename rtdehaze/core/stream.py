"""What a source and a sink are: the two ends of the pipeline, as the pipeline knows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from rtdehaze.core.colour import Colour
from rtdehaze.core.frame import Frame, PixelFormat

__all__ = ["Chapter", "CopiedStream", "Packet", "Sink", "Source", "VideoInfo"]


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """The video stream of a source as its frames will come (after conversion, before anything of ours)."""

    width: int
    height: int
    format: PixelFormat
    colour: Colour
    time_base: Fraction
    codec: str
    """FFmpeg's name of the codec of the input, for example `h264`."""
    native_format: str
    """FFmpeg's name of the pixel format in the file, before any conversion."""
    rate: Fraction | None = None
    """Nominal frames per second; a hint for the encoder, never used to make timestamps where the input has any."""
    duration: float | None = None
    """Seconds that will be delivered, None if unknown."""
    frames: int | None = None
    """Expected number of frames, an estimate for progress; None if unknown."""
    sample_aspect_ratio: Fraction | None = None
    rotation: int = 0
    """Degrees, counter-clockwise, as the display matrix says; pixels are not turned."""
    bit_rate: int | None = None
    """Bits per second of the video stream, None if unknown."""
    interlaced: bool = False
    still: bool = False
    """True for a single photograph."""
    metadata: dict[str, str] = field(default_factory=dict)
    disposition: int = 0
    native: object | None = field(default=None, repr=False, compare=False)
    """The demuxer's stream; opaque to all but capture and encode."""


@dataclass(frozen=True, slots=True)
class CopiedStream:
    """A stream that passes by the frame path: audio, subtitles, data, an attachment, a second video."""

    index: int
    """Its number in the input."""
    kind: str
    """`audio`, `subtitle`, `data`, `attachment` or `video`."""
    codec: str
    language: str | None = None
    native: object | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of a copied stream, on its way from the demuxer to the muxer."""

    stream: CopiedStream
    native: object = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter mark; times in units of `time_base`, already moved when a part of the input is cut out."""

    id: int
    start: int
    end: int
    time_base: Fraction
    metadata: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Where frames come from. Opened by its constructor, used by one thread, closed once or more."""

    @property
    def location(self) -> str:
        """What the user named, credentials taken out."""

    @property
    def video(self) -> VideoInfo:
        """The video stream that is dehazed."""

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """The streams whose packets are passed on."""

    @property
    def chapters(self) -> tuple[Chapter, ...]:
        """The chapter marks of the part that is read."""

    @property
    def metadata(self) -> dict[str, str]:
        """The container's own tags."""

    def items(self) -> Iterator[Frame | Packet]:
        """Yields frames in presentation order and packets in the order of the file, until the end.

        Raises:
            SourceError: The input broke in a way that decoding cannot survive.
        """

    def close(self) -> None:
        """Releases everything; safe to call twice and from another thread once iteration has stopped."""


class Sink(Protocol):
    """Where frames go. `allocate` may be called from another thread than the rest."""

    @property
    def location(self) -> str:
        """What the user named, credentials taken out."""

    @property
    def replaces(self) -> bool:
        """Whether finishing replaces a file that was there before."""

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame of the output's size and format with the timestamp and side data of `like`."""

    def write(self, item: Frame | Packet) -> None:
        """Encodes a frame or copies a packet.

        Raises:
            SinkError: The encoder or the output failed.
        """

    def finish(self) -> None:
        """Flushes the encoder, completes the output and puts it in its place.

        Raises:
            SinkError: The output could not be completed.
        """

    def abort(self, *, keep: bool) -> bool:
        """Stops early: completes what was encoded (`keep`) or removes every trace.

        Never raises; does nothing after `finish`.

        Returns:
            Whether a playable output was left in its place.
        """
