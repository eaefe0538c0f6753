"""All outputs of a live run: each distinct encoding is made once and handed to every outlet that takes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rtdehaze.core.errors import RtdehazeError, SinkError, UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.freed import give_back_freed
from rtdehaze.core.live import Joined, OutletState, OutletStatus
from rtdehaze.core.stream import CopiedStream, Packet, VideoInfo
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.copying import plan_streams
from rtdehaze.stages.encode.encoders import EncoderPlan
from rtdehaze.stages.encode.frames import FrameAllocator
from rtdehaze.stages.encode.live.encoding import Encoding, Lane, Shot
from rtdehaze.stages.encode.live.feed import Feed, Make, Parcel, Tags, duplicate, kept_streams
from rtdehaze.stages.encode.live.group import Group
from rtdehaze.stages.encode.live.outlet import Outlet
from rtdehaze.stages.encode.planning import EncoderRequest, plan_encoder

__all__ = ["Outputs", "Way"]

_CLOSING = 1.6
"""Seconds for closing where nobody says how many are left of the 2 that stopping may take."""

_LANES_SHARE = 0.25
"""Of the time for closing: a slow encoder must not take all of it from the outlets."""

_LAST_MOMENT = 0.2
"""Seconds of closing for outlets that were told to let go of what hangs."""

_USUAL_SIZE = 640, 360
"""A size that every encoder takes: one that does not open even so is set up wrongly, or is not there."""

_VIEWED = {
    **dict.fromkeys(("yuv422p", "yuv444p", "gray"), "yuv420p"),
    **dict.fromkeys(("yuvj422p", "yuvj444p"), "yuvj420p"),
    **dict.fromkeys(("yuv422p10le", "yuv444p10le", "gray10le"), "yuv420p10le"),
}
"""What live video is encoded as: telephones and browsers decode nothing else in hardware."""


@dataclass(frozen=True, slots=True)
class Way:
    """One output: what it can hold and who writes it; neither for `null`."""

    kind: ContainerKind | None
    outlet: Outlet | None


class Outputs:
    """Implements `LiveOutputs`; `open_live_outputs` makes it.

    Args:
        ways: The outputs in the user's order.
        request: What the user asked of the encoders.
        size_of: How a frame's width and height change on the way here.
        segment: Seconds of each file that is cut by time; None cuts none.
        tags: What every container says of its content.
        lossless: Block instead of dropping.
    """

    def __init__(
        self,
        ways: Sequence[Way],
        request: EncoderRequest,
        *,
        size_of: Callable[[int, int], tuple[int, int]],
        segment: float | None,
        tags: Tags,
        lossless: bool,
    ) -> None:
        self._ways = ways
        self._request = request
        self._size_of = size_of
        self._segment_seconds = None if segment is None else Fraction(segment)
        self._tags = tags
        self._lossless = lossless
        self._make: Make | None = None
        self._groups: list[Group] = []
        self._copied: tuple[CopiedStream, ...] = ()
        self._allocator: tuple[tuple[int, int], FrameAllocator] | None = None
        self._segment = 0
        self._segment_end: Fraction | None = None
        self._written = 0
        self._closed = False

    def adapt(self, joined: Joined) -> None:
        """Prepares for frames of this make; see `LiveOutputs`."""
        make = Make.of(joined, self._size_of(joined.video.width, joined.video.height))
        if make == self._make:
            for group in self._groups:
                group.encoding.wish_keyframe()
            return
        groups = self._planned(joined, make)
        replaced = bool(self._groups)
        self._release(None if self._lossless else time.monotonic() + _CLOSING * _LANES_SHARE)
        self._groups = groups
        self._make = make
        if replaced:
            # Between two connections nobody waits for a frame.
            give_back_freed()

    def _planned(self, joined: Joined, make: Make) -> list[Group]:
        copied = kept_streams(joined.copied)
        groups: list[Group] = []
        failures: list[tuple[Outlet, RtdehazeError]] = []
        for way in self._ways:
            if way.kind is None or way.outlet is None or way.outlet.ended:
                continue
            try:
                plan = self._plan(way.kind, joined.video, make.size)
            except RtdehazeError as error:
                self._refuse(way, joined.video, error)
                failures.append((way.outlet, error))
                continue
            group = next((group for group in groups if group.encoding.plan == plan), None)
            if group is None:
                gop = None if self._lossless else self._request.gop
                group = Group(Encoding(plan, joined.video, gop=gop))
                groups.append(group)
            group.members.append((way.outlet, way.kind, plan_streams(copied, way.kind, strict=False)))
        if failures and not groups and all(way.outlet is not None for way in self._ways):
            raise failures[0][1]
        # Only now, so that a refusal is all that is said.
        for outlet, reason in failures:
            outlet.suspend(reason)
        # The first is encoded by the caller's thread, so let it be what most wait for.
        return sorted(groups, key=lambda group: -len(group.members))

    def _refuse(self, way: Way, video: VideoInfo, error: RtdehazeError) -> None:
        """Raises what the user is to put right before anything begins; what a camera sends suspends one output."""
        if self._make is not None or way.kind is None or way.outlet is None:
            return
        if self._lossless:
            raise type(error)(f"{way.outlet.location}: {error}") from error
        try:
            self._plan(way.kind, video, _USUAL_SIZE)
        except RtdehazeError:
            raise UsageError(f"{way.outlet.location}: {error}") from error

    def _plan(self, kind: ContainerKind, video: VideoInfo, size: tuple[int, int]) -> EncoderPlan:
        request = self._request
        if kind.name == "v4l2":
            rate = video.rate or Fraction(25)
            return EncoderPlan("rawvideo", "rawvideo", *size, "yuv420p", video.time_base, rate, {})
        if not self._lossless and request.pixel_format is None:
            request = replace(request, pixel_format=_VIEWED.get(video.format.name, video.format.name))
        return plan_encoder(kind, video, size, request)

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame of the outputs' size; see `LiveOutputs`."""
        size = self._size_of(like.width, like.height)
        if self._allocator is None or self._allocator[0] != size:
            self._allocator = size, FrameAllocator(*size)
        return self._allocator[1].allocate(like)

    def write(self, item: Frame | Packet) -> None:
        """Encodes a frame or copies a packet for whichever output takes it now; see `LiveOutputs`."""
        if self._make is None or self._closed:
            raise SinkError("nothing can be written before the source has joined, nor after closing")
        if isinstance(item, Packet):
            self._copy(item)
            return
        self._written += 1
        self._cut(item.pts * item.time_base)
        shot = Shot(item, self._segment)
        # The first at the end: this thread encodes it while the others are at work.
        for group in [*self._groups[1:], *self._groups[:1]]:
            if group.failed:
                group.drop()
            else:
                self._encode(group, shot)
        self._check_any_left()

    def _encode(self, group: Group, shot: Shot) -> None:
        try:
            if not group.encoding.opened:
                self._begin(group, shot.frame)
            if group.lane is not None:
                group.lane.submit(shot)
            else:
                group.deliver(group.encoding.encode(shot))
        except SinkError as error:
            group.fail(error)
            group.drop()

    def _cut(self, now: Fraction) -> None:
        if self._segment_seconds is None:
            return
        if self._segment_end is None:
            self._segment_end = now + self._segment_seconds
        if now >= self._segment_end:
            self._segment += 1
            # After a gap the next file begins with what comes.
            self._segment_end = max(self._segment_end, now - self._segment_seconds) + self._segment_seconds

    def _begin(self, group: Group, first: Frame) -> None:
        encoding = group.encoding
        encoding.open(first)
        for outlet, kind, streams in group.members:
            feed = Feed(kind, encoding.plan, encoding.stream, streams, self._tags)
            outlet.change(feed, encoding.wish_keyframe)
        if group is not self._groups[0]:
            group.lane = Lane(encoding, group.deliver, group.drop, group.fail, lossless=self._lossless)

    def _copy(self, packet: Packet) -> None:
        native: Any = packet.native
        time = native.pts if native.pts is not None else native.dts
        if not native.size or time is None:
            return
        parcel = Parcel(duplicate(native), time * native.time_base, packet.stream.index)
        for group in self._groups:
            if not group.failed:
                group.copy(parcel)

    def _check_any_left(self) -> None:
        outlets = [way.outlet for way in self._ways]
        if all(outlet is not None and outlet.ended for outlet in outlets):
            reasons = {outlet.status().error for outlet in outlets if outlet is not None}
            raise SinkError(f"no output is left: {'; '.join(sorted(filter(None, reasons)))}")

    def statuses(self) -> tuple[OutletStatus, ...]:
        """Says how each output fares, in the user's order."""
        return tuple(way.outlet.status() if way.outlet is not None else self._nothing() for way in self._ways)

    def _nothing(self) -> OutletStatus:
        state = OutletState.OPENING if self._make is None else OutletState.RUNNING
        return OutletStatus("null", OutletState.CLOSED if self._closed else state, self._written, 0, 0, None)

    def close(self, deadline: float | None = None) -> None:
        """Completes what can be completed in time, all of it where lossless; see `LiveOutputs`."""
        if self._closed:
            return
        self._closed = True
        outlets = [way.outlet for way in self._ways if way.outlet is not None]
        now = time.monotonic()
        if deadline is None:
            deadline = now + _CLOSING
        self._release(None if self._lossless else now + (deadline - now) * _LANES_SHARE)
        for outlet in outlets:
            outlet.end()
        for outlet in outlets:
            outlet.join(None if self._lossless else deadline - _LAST_MOMENT)
        # All of them before any is waited for, or each that hangs would take a moment of its own.
        for outlet in outlets:
            outlet.let_go()
        for outlet in outlets:
            outlet.join(deadline)

    def _release(self, deadline: float | None) -> None:
        """Hands over what the encoders still hold; those with a thread of their own until the deadline."""
        for group in self._groups:
            if group.lane is not None:
                group.lane.end()
        for group in self._groups:
            if group.lane is not None:
                group.lane.join(deadline)
            elif not group.failed:
                try:
                    group.deliver(group.encoding.flush())
                except SinkError as error:
                    group.fail(error)
            group.finish()
        self._groups = []
