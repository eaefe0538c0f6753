"""One encoder whose packets several outlets share."""

from __future__ import annotations

import io
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
from av.codec.context import Flags
from av.video.frame import PictureType

from rtdehaze.core.errors import SinkError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import VideoInfo
from rtdehaze.core.timing import remaining
from rtdehaze.stages.encode.clock import OutputClock
from rtdehaze.stages.encode.encoders import EncoderPlan
from rtdehaze.stages.encode.frames import FrameConverter
from rtdehaze.stages.encode.live.feed import Parcel
from rtdehaze.stages.encode.side_data import hdr_options, lost_side_data
from rtdehaze.stages.encode.translate import sink_errors
from rtdehaze.stages.encode.video_stream import add_video

__all__ = ["Encoding", "Lane", "Shot"]

_log = logging.getLogger("rtdehaze.encode")

_REQUEST_INTERVAL = Fraction(1, 2)
"""Seconds between keyframes that outlets ask for: they cost bits, and one bad outlet must not spend those of all."""

_LANE_FRAMES = 2
"""Frames that may wait for an encoder with a thread of its own, as everywhere in a live run."""


@dataclass(frozen=True, slots=True)
class Shot:
    """A frame and where it belongs."""

    frame: Frame
    segment: int = 0
    """Which of the files that are cut by time it belongs to."""


class Encoding:
    """An encoder, its clock, and the keyframes that it is asked for.

    Args:
        plan: How it is set up.
        video: The input's video, whose native stream is alive now.
        gop: Seconds between keyframes at most; None leaves it to the encoder.
    """

    def __init__(self, plan: EncoderPlan, video: VideoInfo, *, gop: float | None) -> None:
        self.plan = plan
        self._converter = FrameConverter(plan.width, plan.height, plan.pixel_format)
        self._clock = OutputClock(plan, from_zero=False)
        self._gop = None if gop is None else Fraction(gop)
        self._wish = threading.Event()
        self._last_key: Fraction | None = None
        self._segment = 0
        self._cuts: deque[tuple[Fraction, int]] = deque()
        self._told: set[str] = set()
        self._keeper: Any = av.open(io.BytesIO(), "w", format="null")
        self.stream = add_video(self._keeper, plan, video)
        """The stream that containers take as their template, once it is open."""
        # Parameter sets beside the packets; muxers that want them within repeat them by themselves.
        self.stream.codec_context.flags |= Flags.global_header
        self.opened = False

    def open(self, first: Frame) -> None:
        """Opens the encoder with what only the first frame can tell.

        Raises:
            SinkError: It does not open.
        """
        with sink_errors(f"encoder {self.plan.encoder} does not open"):
            self.stream.codec_context.options = hdr_options(self.plan.encoder, self.plan.options, first)
            self._keeper.start_encoding()
        self.opened = True

    def wish_keyframe(self) -> None:
        """Asks for a keyframe soon; from any thread."""
        self._wish.set()

    def encode(self, shot: Shot) -> list[Parcel]:
        """Encodes a frame and returns what has come out.

        Raises:
            SinkError: The encoder failed.
        """
        frame = shot.frame
        self._tell_losses(frame)
        with sink_errors(f"encoder {self.plan.encoder} failed"):
            native: Any = self._converter.native(frame)
            self._clock.stamp(native, frame)
            if self.plan.prompt:
                # How long a live frame lasts is known when the next one comes.
                native.duration = 0
            time = native.pts * native.time_base
            if shot.segment > self._segment_asked:
                self._cuts.append((time, shot.segment))
            if self._key_is_due(time):
                native.pict_type = PictureType.I
            return self._parcels(self.stream.encode(native))

    @property
    def _segment_asked(self) -> int:
        return self._cuts[-1][1] if self._cuts else self._segment

    def _key_is_due(self, time: Fraction) -> bool:
        if any(cut == time for cut, _ in self._cuts):
            return True
        if self._last_key is None:
            return False  # encoders begin with one
        if self._gop is not None and time >= self._last_key + self._gop:
            return True
        return self._wish.is_set() and time >= self._last_key + _REQUEST_INTERVAL

    def flush(self) -> list[Parcel]:
        """Returns what the encoder still holds.

        Raises:
            SinkError: The encoder failed.
        """
        if not self.opened:
            return []
        with sink_errors(f"encoder {self.plan.encoder} failed"):
            return self._parcels(self.stream.encode(None))

    def _parcels(self, packets: Sequence[Any]) -> list[Parcel]:
        return [self._parcel(packet) for packet in packets]

    def _parcel(self, packet: Any) -> Parcel:
        time = packet.pts * packet.time_base
        if packet.is_keyframe:
            self._last_key = time
            self._wish.clear()
            # A keyframe that was forced may be late where an encoder has a mind of its own: then so is the cut.
            while self._cuts and time >= self._cuts[0][0]:
                self._segment = self._cuts.popleft()[1]
        return Parcel(packet, time, key=packet.is_keyframe, segment=self._segment)

    def _tell_losses(self, frame: Frame) -> None:
        for words in lost_side_data(self.plan.encoder, frame):
            if words not in self._told:
                self._told.add(words)
                _log.warning("%s cannot write %s: left out", self.plan.encoder, words)


class Lane:
    """A thread for an encoder beside the first, so that a slow one holds up its own outlets only.

    Args:
        encoding: What it runs.
        deliver: Takes what comes out, and nothing where a frame was dropped.
        fail: Told why the encoder can go on no more.
        lossless: A frame waits for its place instead of pushing the oldest out.
    """

    def __init__(
        self,
        encoding: Encoding,
        deliver: Callable[[list[Parcel]], None],
        drop: Callable[[], None],
        fail: Callable[[SinkError], None],
        *,
        lossless: bool,
    ) -> None:
        self._encoding = encoding
        self._deliver, self._drop, self._fail = deliver, drop, fail
        self._lossless = lossless
        self._shots: deque[Shot] = deque()
        self._changed = threading.Condition()
        self._over = False
        self._thread = threading.Thread(target=self._work, name=f"rtdehaze-{encoding.plan.codec}", daemon=True)
        self._thread.start()

    def submit(self, shot: Shot) -> None:
        """Hands a frame over."""
        # Two encoders must not stamp one frame of the codec library.
        shot = replace(shot, frame=replace(shot.frame, native=None))
        with self._changed:
            while self._lossless and len(self._shots) >= _LANE_FRAMES and not self._over:
                self._changed.wait()
            if self._over:
                return
            if len(self._shots) >= _LANE_FRAMES:
                self._shots.popleft()
                self._drop()
            self._shots.append(shot)
            self._changed.notify_all()

    def end(self) -> None:
        """Encodes what waits, flushes, and ends the thread; returns at once."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def join(self, deadline: float | None) -> None:
        """Waits for the thread to end, until then by `time.monotonic()` at most."""
        self._thread.join(remaining(deadline))

    def _next(self) -> Shot | None:
        with self._changed:
            while not self._shots and not self._over:
                self._changed.wait()
            shot = self._shots.popleft() if self._shots else None
            self._changed.notify_all()
            return shot

    def _work(self) -> None:
        shot: Shot | None = None
        try:
            while (shot := self._next()) is not None:
                self._deliver(self._encoding.encode(shot))
            self._deliver(self._encoding.flush())
        except SinkError as error:
            self._fail(error)
            self.end()
            if shot is not None:
                self._drop()
            while self._next() is not None:
                self._drop()
