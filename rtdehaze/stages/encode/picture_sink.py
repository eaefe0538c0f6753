"""Pictures as a sink: a photograph, or one file for every frame."""

from __future__ import annotations

from rtdehaze.core.errors import RtdehazeError, SinkError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet
from rtdehaze.stages.encode.frames import FrameAllocator
from rtdehaze.stages.encode.pictures import PictureEncoder
from rtdehaze.stages.encode.places import PicturePlaces, write_atomically
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["PictureSink"]


class PictureSink:
    """Writes every frame as a picture of its own. Nothing exists before the first frame."""

    def __init__(self, location: str, places: PicturePlaces, encoder: PictureEncoder, size: tuple[int, int]) -> None:
        """Takes what was decided; `open_sink` decides."""
        self._location = location
        self._places = places
        self._encoder = encoder
        self._allocator = FrameAllocator(*size)
        self._count = 0
        self._closed = False
        self._kept = False

    @property
    def location(self) -> str:
        """What the user named."""
        return self._location

    @property
    def replaces(self) -> bool:
        """Whether finishing replaces files that were there before."""
        return self._places.replaces

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame of the output's size with the side data of `like`."""
        return self._allocator.allocate(like)

    def write(self, item: Frame | Packet) -> None:
        """Writes a picture; packets have no place and were spoken of when the sink was opened.

        Raises:
            SinkError: The picture cannot be encoded or written.
        """
        if self._closed:
            message = f"{self._location}: is closed; nothing more can be written"
            raise SinkError(message)
        if isinstance(item, Packet):
            return
        with sink_errors(f"{self._location}: cannot be written"):
            write_atomically(self._places.place(self._count), self._encoder.encode(item))
            self._count += 1

    def finish(self) -> None:
        """Puts the pictures in their places; does nothing a second time.

        Raises:
            SinkError: No frame came, or the system refuses.
        """
        if self._closed:
            return
        if not self._count:
            message = f"{self._location}: no frame came, so nothing was written"
            raise SinkError(message)
        self._places.commit()
        self._closed = self._kept = True

    def abort(self, *, keep: bool) -> bool:
        """Stops early: keeps the pictures that are complete or removes every trace; never raises."""
        if self._closed:
            return self._kept
        self._closed = True
        if keep and self._count:
            try:
                self._places.commit()
                self._kept = True
            except RtdehazeError:
                self._kept = False
        if not self._kept:
            self._places.discard()
        return self._kept
