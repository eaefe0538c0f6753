"""One connection's packets, decoded as they come: never far behind, and given up when no picture comes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import CopiedStream, Packet, VideoInfo
from rtdehaze.stages.capture.colour import refuse_hdr
from rtdehaze.stages.capture.convert import Converter
from rtdehaze.stages.capture.deinterlace import Deinterlacer
from rtdehaze.stages.capture.live.backlog import Arrival
from rtdehaze.stages.capture.live.connection import Connection
from rtdehaze.stages.capture.live.losses import Gone, gone
from rtdehaze.stages.capture.live.reader import Ended, Failed, Reader
from rtdehaze.stages.capture.live.timeline import VIDEO_BASE, Timeline

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from rtdehaze.core.live import LiveOptions
    from rtdehaze.stages.capture.live.plan import Plan
    from rtdehaze.stages.capture.options import CaptureOptions
    from rtdehaze.stages.capture.problems import Notices

__all__ = ["Session"]

_LATE = 0.15
"""Seconds that a packet may have waited for the decoder before frames that no other needs are left out."""

_TOO_LATE = 0.5
"""Seconds after which everything is left out up to the newest keyframe that is there."""

_ARRIVALS = 64
"""Times of arrival that are remembered: more than any codec reorders."""


class Session:
    """What comes by one connection."""

    def __init__(
        self,
        reader: Reader,
        plan: Plan,
        timeline: Timeline,
        notices: Notices,
        skipped: Counter[str],
        *,
        location: str,
        live: LiveOptions,
        capture: CaptureOptions,
        was_there: bool,
    ) -> None:
        """Reads nothing yet.

        Args:
            reader: Started; stopping it ends the session.
            plan: Of the input.
            timeline: Of the run.
            notices: Where the user is told what is odd.
            skipped: Counts the frames that were left out, by reason.
            location: Without credentials.
            live: Its timeouts are used.
            capture: How to decode.
            was_there: Whether there was a picture by an earlier connection.
        """
        self._reader = reader
        self._plan = plan
        self._timeline = timeline
        self._notices = notices
        self._skipped = skipped
        self._location = location
        self._live = live
        self._capture = capture
        self._was_there = was_there
        self._begin()

    def _begin(self) -> None:
        """Knows nothing of the pictures yet."""
        self._converter: Converter | None = None
        self._make: tuple[str, int, int] | None = None
        self._deinterlacer: Deinterlacer | None = None
        self._arrivals: dict[int, float] = {}
        self._early: list[Arrival] = []
        self._keys_only = True
        self._crowded_out = 0

    @property
    def copied(self) -> tuple[CopiedStream, ...]:
        """The streams whose packets are passed on; known with the first item."""
        return self._connection.copied

    def items(self) -> Iterator[VideoInfo | Frame | Packet]:
        """Yields what the frames to come are like, the frames and packets, and so on where they change.

        It ends when the reader is stopped, and where the input has an end.

        Raises:
            Gone: The connection was not made, or is no more.
        """
        connection = self._opened()
        if connection is None:
            return
        self._connection = connection
        self._by_index = {stream.index: stream for stream in connection.copied}
        self._timeline.connect(
            main=connection.main,
            intervals=connection.intervals,
            stamped=connection.stamped,
            paced=connection.paced,
        )
        self._base = VIDEO_BASE
        self._pictured = time.monotonic()
        while True:
            item = self._next()
            if item is None or isinstance(item, Ended):
                if item is None:
                    return
                if not connection.ends:
                    raise Gone("the stream has ended, or the connection was cut")
                yield from self._pictures(connection.decoder.decode(None), time.monotonic())
                return
            if isinstance(item, Failed):
                raise self._gone(item.error, self._live.read_timeout + self._plan.slack)
            if isinstance(item, Arrival):
                try:
                    yield from self._video(item) if item.video else self._other(item)
                except SourceError as error:
                    raise self._gone(error, 0.0) from None
                self._watch(item.time)

    def _opened(self) -> Connection | None:
        item = self._reader.backlog.take(self._live.open_timeout)
        if isinstance(item, Failed):
            raise self._gone(item.error, self._live.open_timeout)
        if isinstance(item, Connection):
            return item
        if not self._reader.backlog.closed:
            raise Gone(f"no stream within {self._live.open_timeout:g} s")
        return None

    def _next(self) -> object | None:
        """Returns the next item of the reader; None once it is stopped."""
        backlog = self._reader.backlog
        while True:
            item = backlog.take(max(0.0, self._pictured + self._patience - time.monotonic()))
            if item is not None or backlog.closed:
                return item
            self._watch(time.monotonic())

    @property
    def _patience(self) -> float:
        """Seconds without a picture; the first has to wait for a keyframe."""
        live = self._live
        patience = live.read_timeout if self._make is not None else max(live.read_timeout, live.open_timeout)
        return patience + self._plan.slack

    def _watch(self, now: float) -> None:
        if now - self._pictured >= self._patience:
            raise Gone(f"no picture for {self._patience:g} s")

    def _gone(self, error: Exception, timeout: float) -> Gone:
        was_there = self._was_there or self._make is not None
        return gone(error, self._plan, self._location, timeout, was_there=was_there)

    def _other(self, arrival: Arrival) -> Iterator[Packet]:
        if self._make is None:
            # Its time can be told when that of the first frame is known.
            self._early.append(arrival)
            return
        packet = arrival.packet
        stream = self._by_index[packet.stream_index]
        self._timeline.place(packet, arrival.time, leads=stream.kind == "audio")
        if self._timeline.stamp_packet(packet):
            yield Packet(stream, packet)

    def _video(self, arrival: Arrival) -> Iterator[VideoInfo | Frame | Packet]:
        packet, backlog = arrival.packet, self._reader.backlog
        self._keys_only &= arrival.key
        self._skipped["crowded out"] += backlog.dropped - self._crowded_out
        self._crowded_out = backlog.dropped
        waited = time.monotonic() - arrival.time
        if waited > (_LATE if self._keys_only else _TOO_LATE):
            passed_over = backlog.skip_to_newest_keyframe()
            if passed_over is not None:
                self._skipped["before a keyframe"] += passed_over + 1
                return
        late = waited > _LATE
        self._connection.decoder.skip_unreferenced(late)
        self._timeline.place(packet, arrival.time, leads=True)
        self._base = packet.time_base
        if packet.pts is not None:
            self._arrivals[packet.pts] = arrival.time
            if len(self._arrivals) > _ARRIVALS:
                del self._arrivals[next(iter(self._arrivals))]
        decoded = self._connection.decoder.decode(packet)
        if late and not decoded and self._make is not None:
            self._skipped["unreferenced"] += 1
        yield from self._pictures(decoded, arrival.time)

    def _pictures(self, decoded: list[VideoFrame], arrived: float) -> Iterator[VideoInfo | Frame | Packet]:
        for picture in self._progressive(decoded):
            if self._make is None and picture.is_corrupt:
                continue
            yield from self._framed(picture, arrived)
            self._pictured = arrived

    def _progressive(self, decoded: list[VideoFrame]) -> list[VideoFrame]:
        if not self._capture.deinterlace:
            if any(picture.interlaced_frame for picture in decoded):
                self._notices.say(
                    "interlaced",
                    "the video is interlaced and will be dehazed as it is; --deinterlace makes it progressive",
                )
            return decoded
        ready: list[VideoFrame] = []
        for picture in decoded:
            if self._deinterlacer is None:
                self._deinterlacer = Deinterlacer(self._notices, self._base, flagged=picture.interlaced_frame)
            ready.extend(self._deinterlacer.feed(picture))
        return ready

    def _framed(self, picture: VideoFrame, arrived: float) -> Iterator[VideoInfo | Frame | Packet]:
        arrival = arrived if picture.pts is None else self._arrivals.pop(picture.pts, arrived)
        pts = self._timeline.stamp_frame(picture.pts, self._base, arrival)
        make = (picture.format.name, picture.width, picture.height)
        if make == self._make and self._converter is not None:
            yield self._converter.frame(picture, pts, VIDEO_BASE, arrival)
            return
        refuse_hdr(self._location, picture.color_trc, self._capture)
        converter = Converter(self._notices, codec=self._connection.facts.codec, picture=False)
        frame = converter.frame(picture, pts, VIDEO_BASE, arrival)
        self._converter, self._make = converter, make
        yield self._described(picture, converter)
        early, self._early = self._early, []
        for one in early:
            for packet in self._other(one):
                if _ends(packet.native) >= frame.time:
                    yield packet
        yield frame

    def _described(self, picture: VideoFrame, converter: Converter) -> VideoInfo:
        facts, shape = self._connection.facts, converter.shape
        return VideoInfo(
            width=shape.width,
            height=shape.height,
            format=shape.format,
            colour=shape.colour,
            time_base=VIDEO_BASE,
            codec=facts.codec,
            native_format=converter.native_format,
            rate=facts.rate,
            sample_aspect_ratio=facts.sample_aspect_ratio,
            rotation=picture.rotation,
            bit_rate=facts.bit_rate,
            interlaced=picture.interlaced_frame,
            metadata=facts.metadata,
        )


def _ends(packet: Any) -> float:
    """Returns the seconds until which a packet lasts; sound that ended before the first picture goes with nothing."""
    return float((packet.dts + (packet.duration or 0)) * packet.time_base)
