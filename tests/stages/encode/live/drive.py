"""A live source in miniature: frames and sound made up, in real time or as fast as they are taken."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

from rtdehaze.core.colour import Colour
from rtdehaze.core.frame import PIXEL_FORMATS, Frame
from rtdehaze.core.live import Joined, LiveOutputs
from rtdehaze.core.stream import CopiedStream, Packet, VideoInfo
from rtdehaze.stages.encode.frames import wrap

TIME_BASE = Fraction(1, 90_000)
RATE = 25
SAMPLE_RATE = 48_000


@dataclass
class Drive:
    """Frames of a size, numbered by their brightness, and a sound that beeps at every second.

    The picture is white in the first frame of each second, and the sound is loud then.
    """

    width: int = 160
    height: int = 96
    sound: str | None = None
    """The codec of the sound, None for silence."""
    noise: bool = False
    """Fill the picture with noise, so that its packets are large."""
    start: float = 0.0
    """Seconds on the run's clock at which it joins."""

    lag: int = 0
    """Frames by which the sound comes later than the picture."""
    seconds: float = 12.0
    """How long there is sound for."""
    sound_format: str = "nut"
    """The container that the sound was in."""

    def __post_init__(self) -> None:
        self.index = 0
        self._stream: Any = None
        self._packets: deque[Any] = deque()
        if self.sound:
            self._container = av.open(_beeps(self.sound, self.seconds, self.sound_format))
            self._stream = self._container.streams.audio[0]
            self._packets.extend(packet for packet in self._container.demux() if packet.size)

    @property
    def joined(self) -> Joined:
        return Joined(self.video, self.copied, 0, 0.0)

    @property
    def video(self) -> VideoInfo:
        return VideoInfo(
            self.width,
            self.height,
            PIXEL_FORMATS["yuv420p"],
            Colour(),
            TIME_BASE,
            "h264",
            "yuv420p",
            rate=Fraction(RATE),
        )

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        if self._stream is None:
            return ()
        return (CopiedStream(1, "audio", self._stream.codec_context.codec.canonical_name, native=self._stream),)

    def frame(self) -> Frame:
        """The next frame; its grey says its number within 8, white begins a second."""
        native = av.VideoFrame(self.width, self.height, "yuv420p")
        grey = 235 if self.index % RATE == 0 else 40 + 12 * (self.index % 8)
        for plane, value in zip(native.planes, (grey, 128, 128), strict=True):
            np.frombuffer(plane, np.uint8)[:] = value
        if self.noise:
            luma = np.frombuffer(native.planes[0], np.uint8)
            luma[:] = np.random.default_rng(self.index).integers(16, 235, luma.size, np.uint8)
        pts = round((Fraction(self.start).limit_denominator(1000) + Fraction(self.index, RATE)) / TIME_BASE)
        native.pts, native.time_base = pts, TIME_BASE
        self.index += 1
        return wrap(native, PIXEL_FORMATS["yuv420p"], Colour(), pts, TIME_BASE)

    def sounds(self) -> Iterator[Packet]:
        """The sound up to the end of the frame that came last."""
        if self._stream is None:
            return
        while self._packets and self._packets[0].pts * self._packets[0].time_base < Fraction(
            self.index - self.lag, RATE
        ):
            packet = self._packets.popleft()
            shift = round(Fraction(self.start).limit_denominator(1000) / packet.time_base)
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            yield Packet(self.copied[0], packet)

    def leave(self) -> None:
        """The source is gone, with all that belonged to it."""
        if self._stream is not None:
            self._container.close()


def _beeps(codec: str, seconds: float, container_format: str) -> io.BytesIO:
    rate = 8000 if codec in {"pcm_alaw", "pcm_mulaw"} else SAMPLE_RATE
    place = np.arange(round(seconds * rate))
    wave = np.where((place % rate) < rate // RATE, 12_000 * np.sin(2 * np.pi * 440 * place / rate), 0)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream: Any = container.add_stream(codec, rate=rate, layout="mono")
        step = rate // 50
        for first in range(0, len(wave), step):
            piece = wave[first : first + step].astype(np.int16)[None]
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), first
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    buffer.seek(0)
    return buffer


def run(
    outputs: LiveOutputs,
    drive: Drive,
    frames: int,
    *,
    pace: float = 0.0,
    until: Callable[[], bool] | None = None,
) -> None:
    """Joins and writes frames with their sound.

    Args:
        outputs: Where to.
        drive: Where from.
        frames: How many, at most.
        pace: How many times real speed; 0 does not wait.
        until: Ends it early.
    """
    outputs.adapt(drive.joined)
    due = time.monotonic()
    for _ in range(frames):
        if until is not None and until():
            return
        frame = drive.frame()
        made = outputs.allocate(frame)
        for target, origin in zip(made.planes, frame.planes, strict=True):
            target.samples[:] = origin.samples
        outputs.write(made)
        for packet in drive.sounds():
            outputs.write(packet)
        if pace:
            # A camera does not send at once what it did not see while the machine stood still.
            now = time.monotonic()
            due = max(due + 1 / RATE / pace, now)
            time.sleep(due - now)
