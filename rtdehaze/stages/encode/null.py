"""A sink that encodes nothing: for measuring the pipeline without codecs."""

from __future__ import annotations

from collections import deque

import numpy as np

from rtdehaze.core.frame import Frame, Layout, Plane
from rtdehaze.core.stream import Packet, VideoInfo

__all__ = ["NullSink"]

_LINE_ALIGNMENT = 64
"""Bytes; what codecs align lines to, so that kernels are measured on the memory layout that they meet."""


class NullSink:
    """Takes frames and counts them; frames that were written are handed out again by `allocate`.

    Args:
        video: Size and format of the frames to hand out.
    """

    def __init__(self, video: VideoInfo, *, width: int | None = None, height: int | None = None) -> None:
        self._video = video
        self._width = width or video.width
        self._height = height or video.height
        self._spare: deque[tuple[Plane, ...]] = deque()
        self.location = "null"
        self.replaces = False
        self.frames = 0
        self.packets = 0
        self.finished = False

    def allocate(self, like: Frame) -> Frame:
        """Returns a writable frame with the timestamp of `like`."""
        try:
            planes = self._spare.popleft()
        except IndexError:
            planes = self._planes()
        return Frame(planes, self._video.format, self._width, self._height, like.colour, like.pts, like.time_base)

    def write(self, item: Frame | Packet) -> None:
        """Counts a frame or a packet."""
        if isinstance(item, Packet):
            self.packets += 1
            return
        self.frames += 1
        self._spare.append(item.planes)

    def finish(self) -> None:
        """Nothing is left to do."""
        self.finished = True

    def abort(self, *, keep: bool) -> bool:  # noqa: ARG002 - the contract of a sink
        """Returns False: there never is an output."""
        return False

    def _planes(self) -> tuple[Plane, ...]:
        form = self._video.format
        chroma_width, chroma_height = form.chroma_size(self._width, self._height)
        sizes = {
            Layout.GRAY: [(self._height, self._width)],
            Layout.SEMIPLANAR: [(self._height, self._width), (chroma_height, 2 * chroma_width)],
            Layout.PLANAR: [(self._height, self._width), *[(chroma_height, chroma_width)] * 2],
        }[form.layout]
        step = _LINE_ALIGNMENT // form.dtype.itemsize
        return tuple(Plane(np.empty((rows, -(-width // step) * step), form.dtype), width) for rows, width in sizes)
