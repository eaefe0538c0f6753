"""Frames for the encoder: allocated with the input's side data, wrapped without a copy, converted where it must be."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import VideoReformatter

from rtdehaze.core.colour import Colour, Matrix
from rtdehaze.core.frame import Frame, Layout, PixelFormat, Plane
from rtdehaze.stages.encode.side_data import carries

__all__ = ["FrameAllocator", "FrameConverter", "wrap"]

_SWS_MATRIX = {Matrix.BT709: 1, Matrix.BT601: 5, Matrix.BT2020: 9}


def wrap(native: VideoFrame, pixel_format: PixelFormat, colour: Colour, pts: int, time_base: Fraction) -> Frame:
    """Returns a frame whose planes are views of a codec library's frame."""
    planes = []
    for index, plane in enumerate(native.planes):
        lines = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]
        lines = lines[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
        interleaved = index > 0 and pixel_format.layout is Layout.SEMIPLANAR
        width = plane.width * 2 if interleaved else plane.width
        planes.append(Plane(lines.view(pixel_format.dtype), width))
    return Frame(tuple(planes), pixel_format, native.width, native.height, colour, pts, time_base, native)


class FrameAllocator:
    """Makes the frames that recomposition writes into."""

    def __init__(self, width: int, height: int) -> None:
        """Sets the size of every frame."""
        self._size = width, height
        self._lock = threading.Lock()
        self._copier: _Copier | None = None

    def allocate(self, like: Frame) -> Frame:
        """Returns a frame of its own memory with the timestamp, duration, colour and side data of `like`."""
        source = like.native
        native = self._native(like)
        native.pts, native.time_base = like.pts, like.time_base
        if isinstance(source, VideoFrame):
            native.duration = source.duration
        native.pict_type = PictureType.NONE
        return wrap(native, like.format, like.colour, like.pts, like.time_base)

    def _native(self, like: Frame) -> VideoFrame:
        source = like.native
        if isinstance(source, VideoFrame) and source.format.name == like.format.name and carries(source):
            return self._copy(source)
        return VideoFrame(*self._size, like.format.name)

    def _copy(self, source: VideoFrame) -> VideoFrame:
        # PyAV cannot attach side data to a frame; FFmpeg's filters carry it from frame to frame.
        with self._lock:
            if self._copier is None or not self._copier.fits(source):
                self._copier = _Copier(source, self._size)
            return self._copier.copy(source)


class _Copier:
    """A filter graph that hands out frames of their own memory with the properties of the frames it is given."""

    def __init__(self, source: VideoFrame, size: tuple[int, int]) -> None:
        self._of = source.width, source.height, source.format.name
        self._graph = Graph()
        start = self._graph.add_buffer(
            width=source.width, height=source.height, format=source.format, time_base=Fraction(1, 1000)
        )
        if size == (source.width, source.height):
            made = self._graph.add("copy")
        else:
            made = self._graph.add("scale", f"{size[0]}:{size[1]}:flags=neighbor")
        end = self._graph.add("buffersink")
        start.link_to(made)
        made.link_to(end)
        self._graph.configure()

    def fits(self, source: VideoFrame) -> bool:
        return self._of == (source.width, source.height, source.format.name)

    def copy(self, source: VideoFrame) -> VideoFrame:
        self._graph.push(source)
        return cast(VideoFrame, self._graph.pull())


class FrameConverter:
    """Brings frames to the encoder's pixel format, size and colour."""

    def __init__(
        self,
        width: int,
        height: int,
        pixel_format: str,
        *,
        matrix: Matrix | None = None,
        full_range: bool | None = None,
    ) -> None:
        """Sets what comes out; matrix and range stay the frame's if None. One reformatter is kept: it has tables."""
        self._target = width, height, pixel_format
        self._matrix = matrix
        # The old JPEG formats and RGB are full range whatever the input was.
        always_full = pixel_format.startswith("yuvj") or VideoFormat(pixel_format).is_rgb
        self._full_range = True if always_full else full_range
        self._reformatter = VideoReformatter()

    def native(self, frame: Frame) -> VideoFrame:
        """Returns the encoder's frame for one of ours, with its timestamp and no wish for a picture type."""
        native = frame.native if isinstance(frame.native, VideoFrame) else _materialised(frame)
        duration = native.duration
        colour = frame.colour
        matrix = self._matrix or colour.matrix
        full_range = colour.full_range if self._full_range is None else self._full_range
        same = (native.width, native.height, native.format.name) == self._target
        if not same or matrix is not colour.matrix or full_range != colour.full_range:
            native = self._reformatted(native, colour, matrix, full_range)
        native.pts, native.time_base, native.duration = frame.pts, frame.time_base, duration
        native.pict_type = PictureType.NONE
        return native

    def _reformatted(self, native: VideoFrame, colour: Colour, matrix: Matrix, full_range: bool) -> VideoFrame:
        width, height, name = self._target
        return self._reformatter.reformat(
            native,
            width,
            height,
            name,
            _SWS_MATRIX[colour.matrix],
            _SWS_MATRIX[matrix],
            "BICUBIC",
            2 if colour.full_range else 1,
            2 if full_range else 1,
            threads=1,
        )


def _materialised(frame: Frame) -> VideoFrame:
    native = av.VideoFrame(frame.width, frame.height, frame.format.name)
    for ours, theirs in zip(
        frame.planes, wrap(native, frame.format, frame.colour, 0, frame.time_base).planes, strict=True
    ):
        theirs.samples[:] = ours.samples
    return native
