"""A video file as a sink: complete when finished, playable when stopped, not there when nothing came."""

from __future__ import annotations

from contextlib import suppress

import av

from rtdehaze.core.errors import SinkError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet
from rtdehaze.stages.encode.destination import Destination
from rtdehaze.stages.encode.frames import FrameAllocator
from rtdehaze.stages.encode.muxer import FilePlan, Muxer
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["FileSink", "plays"]


class FileSink:
    """Writes a video file. Nothing exists before the first frame."""

    def __init__(self, location: str, destination: Destination, plan: FilePlan) -> None:
        """Takes what was decided; `open_sink` decides."""
        self._location = location
        self._destination = destination
        self._allocator = FrameAllocator(plan.encoder.width, plan.encoder.height)
        with sink_errors(f"{location}: cannot be set up"):
            self._muxer = Muxer(plan, destination.working)
        self._closed = False
        self._kept = False

    @property
    def location(self) -> str:
        """What the user named."""
        return self._location

    @property
    def replaces(self) -> bool:
        """Whether finishing replaces a file that was there before."""
        return self._destination.replaces

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame of the output's size with the timestamp and side data of `like`."""
        return self._allocator.allocate(like)

    def write(self, item: Frame | Packet) -> None:
        """Encodes a frame or copies a packet.

        Raises:
            SinkError: The encoder or the output failed, or the sink is closed.
        """
        if self._closed:
            message = f"{self._location}: is closed; nothing more can be written"
            raise SinkError(message)
        with sink_errors(f"{self._location}: cannot be written"):
            if isinstance(item, Packet):
                self._muxer.copy(item)
                return
            if not self._muxer.started:
                self._muxer.start(item)
            self._muxer.encode(item)

    def finish(self) -> None:
        """Flushes the encoder and puts the complete file in its place; does nothing a second time.

        Raises:
            SinkError: It could not be completed, or no frame ever came.
        """
        if self._closed:
            return
        if not self._muxer.started:
            message = f"{self._location}: no frame came, so nothing was written"
            raise SinkError(message)
        with sink_errors(f"{self._location}: cannot be completed"):
            self._complete()

    def _complete(self) -> None:
        self._muxer.flush()
        self._muxer.close()
        self._destination.commit()
        self._closed = self._kept = True

    def abort(self, *, keep: bool) -> bool:
        """Stops early: completes what was encoded (`keep`) or removes every trace.

        Never raises; does nothing after `finish`. Where completing fails too (a full disk), a new file that plays
        as it is stays, since it grows in a form that survives.
        """
        if self._closed:
            return self._kept
        self._closed = True
        if not self._muxer.started:
            return False
        if keep:
            try:
                self._complete()
            except Exception:  # noqa: BLE001 - this is the last resort, whatever broke before
                self._kept = not self._destination.replaces and plays(str(self._destination.path))
        with suppress(Exception):
            self._muxer.close()
        if not self._kept:
            self._destination.discard()
        return self._kept


def plays(path: str) -> bool:
    """Whether a file has a frame that can be decoded."""
    try:
        with av.open(path) as container:
            return next(container.decode(video=0), None) is not None
    except (av.FFmpegError, OSError, ValueError, IndexError):
        return False
