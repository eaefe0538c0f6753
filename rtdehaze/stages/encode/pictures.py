"""Pictures as files hold them: which encoder, which samples, turned the right way up."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from pathlib import PurePath
from typing import Any, cast

import av
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame

from rtdehaze.core.colour import Matrix
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.encode.encoders import nearest_format
from rtdehaze.stages.encode.frames import FrameConverter
from rtdehaze.stages.encode.settings import quantiser
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["PICTURES", "PictureEncoder", "PictureKind", "is_picture"]


@dataclass(frozen=True, slots=True)
class PictureKind:
    """How one file format is made."""

    encoder: str
    formats: tuple[str, str, str, str] | None = None
    """Pixel formats for 8-bit colour, deeper colour, 8-bit gray, deeper gray; None: as the video's."""
    full_range: bool = True
    quality: int | None = None
    """Quantiser scale, lower is better; None where nothing is lost or the options say it."""
    options: dict[str, str] = field(default_factory=dict)


_JPEG = PictureKind("mjpeg", quality=2)
_TIFF = PictureKind("tiff", ("rgb24", "rgb48le", "gray", "gray16le"), options={"compression_algo": "deflate"})

PICTURES: dict[str, PictureKind] = {
    "png": PictureKind("png", ("rgb24", "rgb48be", "gray", "gray16be")),
    "jpg": _JPEG,
    "jpeg": _JPEG,
    "tif": _TIFF,
    "tiff": _TIFF,
    "bmp": PictureKind("bmp", ("bgr24", "bgr24", "gray", "gray")),
    # WebP is limited range, BT.601, 4:2:0 by its definition; 95 of 100 is visually lossless.
    "webp": PictureKind("libwebp", ("yuv420p",) * 4, full_range=False, options={"quality": "95"}),
}
"""The picture formats by extension."""


def is_picture(location: str) -> bool:
    """Whether an output's extension names a picture."""
    return PurePath(location).suffix.lower().removeprefix(".") in PICTURES


class PictureEncoder:
    """Turns frames into the bytes of picture files."""

    def __init__(
        self,
        extension: str,
        video: VideoInfo,
        size: tuple[int, int],
        *,
        pixel_format: str | None = None,
        quality: float | None = None,
        options: dict[str, str] | None = None,
    ) -> None:
        """Chooses the samples and opens the encoder once, so that what it refuses is known before work begins.

        Raises:
            UsageError: The format does not take the pixel format, or has no such quality.
            SinkError: The encoder does not open, for example at that size.
        """
        self._kind = PICTURES[extension]
        self._turns = round(video.rotation / 90) % 4
        self._size = size
        self._format = self._choose(extension, video, pixel_format)
        self._options = {**self._kind.options, **self._quantiser(extension, quality), **(options or {})}
        matrix = None if VideoFormat(self._format).is_rgb else Matrix.BT601
        self._converter = FrameConverter(*size, self._format, matrix=matrix, full_range=self._kind.full_range)
        self._context = self._open()

    def encode(self, frame: Frame) -> bytes:
        """Returns a complete file."""
        native = _turned(self._converter.native(frame), self._turns)
        return b"".join(bytes(packet) for packet in self._context.encode(native))

    def _choose(self, extension: str, video: VideoInfo, asked: str | None) -> str:
        if asked is not None:
            if nearest_format(self._kind.encoder, asked) != asked:
                formats = ", ".join(made.name for made in av.Codec(self._kind.encoder, "w").video_formats or [])
                message = f"{extension} does not take pixel format {asked!r}; it takes {formats}"
                raise UsageError(message)
            return asked
        gray = video.format.name.startswith("gray")
        if self._kind.formats is not None:
            return self._kind.formats[2 * gray + (video.format.bits > 8)]
        nearest = nearest_format(self._kind.encoder, video.format.name)
        # Turned by a quarter, 4:2:2 would be subsampled in the other direction.
        return "yuvj444p" if self._turns % 2 and nearest == "yuvj422p" else nearest

    def _quantiser(self, extension: str, asked: float | None) -> dict[str, str]:
        if asked is not None and self._kind.quality is None:
            message = f"{extension} has no quality setting (crf = {asked:g}); leave --crf out"
            raise UsageError(message)
        quality = self._kind.quality if asked is None else asked
        return {} if quality is None else quantiser(quality)

    def _open(self) -> Any:
        context: Any = av.CodecContext.create(self._kind.encoder, "w")
        width, height = self._size
        context.width, context.height = (height, width) if self._turns % 2 else (width, height)
        context.pix_fmt, context.time_base = self._format, Fraction(1, 25)
        context.options, context.thread_count = self._options, 1
        if self._kind.full_range:
            context.color_range = 2
        with sink_errors(f"encoder {self._kind.encoder} does not open at {width}x{height} {self._format}"):
            context.open()
        return context


_TURNS: dict[int, tuple[tuple[str, str | None], ...]] = {
    1: (("transpose", "cclock"),),
    2: (("hflip", None), ("vflip", None)),
    3: (("transpose", "clock"),),
}
"""Quarter turns, counter-clockwise, as FFmpeg's filters."""


def _turned(native: VideoFrame, turns: int) -> VideoFrame:
    """Returns the picture turned; files of pictures carry no display matrix that all viewers follow."""
    if not turns:
        return native
    graph = Graph()
    steps: list[Any] = [
        graph.add_buffer(width=native.width, height=native.height, format=native.format, time_base=Fraction(1, 25))
    ]
    steps += [graph.add(name, value) for name, value in _TURNS[turns]]
    # The turn has been made: encoders that write EXIF must not ask for it again.
    steps.append(graph.add("sidedata", "mode=delete:type=DISPLAYMATRIX"))
    steps.append(graph.add("buffersink"))
    for before, after in pairwise(steps):
        before.link_to(after)
    graph.configure()
    graph.push(native)
    return cast(VideoFrame, graph.pull())
