"""Decoded frames as the frame path wants them: one format, one size, one colour for the whole stream."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from rtdehaze.core.colour import Colour, Matrix
from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame, PixelFormat
from rtdehaze.stages.capture.colour import frame_tags, resolve, rgb_target
from rtdehaze.stages.capture.formats import is_rgb, nearest_format, says_alpha
from rtdehaze.stages.capture.letterbox import fitted_size, letterboxed
from rtdehaze.stages.capture.options import MAX_PIXELS
from rtdehaze.stages.capture.planes import plane_views
from rtdehaze.stages.capture.problems import Notices
from rtdehaze.stages.capture.rgb import rgb_to_yuv

__all__ = ["Converter", "Shape"]

_SWS_SPACES = {Matrix.BT601: 5, Matrix.BT709: 1, Matrix.BT2020: 9}
"""libswscale's numbers for the matrices (SWS_CS_*)."""

_RGB_TARGETS = frozenset({"yuv444p", "yuv444p10le"})

_SCALING = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What all frames of a source have in common."""

    format: PixelFormat
    width: int
    height: int
    colour: Colour


_Key = tuple[str, int, int, int, int]


class Converter:
    """Wraps frames whose format the frame path has, converts the others; the first frame decides the shape."""

    def __init__(self, notices: Notices, *, codec: str, picture: bool) -> None:
        self._notices = notices
        self._codec = codec
        self._picture = picture
        self._reformatter = VideoReformatter()
        self._shape: Shape | None = None
        self._as_is: _Key | None = None
        self._native_format = ""

    @property
    def native_format(self) -> str:
        """The pixel format of the first frame before any conversion."""
        return self._native_format

    @property
    def shape(self) -> Shape:
        """The shape of all frames; known once the first has been wrapped."""
        if self._shape is None:
            raise SourceError("no frame was decoded yet")
        return self._shape

    def frame(self, decoded: VideoFrame, pts: int, time_base: Fraction, arrival: float | None = None) -> Frame:
        """Returns the frame with that timestamp and time of arrival, converted if it must be.

        Raises:
            SourceError: The picture is too large, or of a format that cannot be converted.
        """
        key = (decoded.format.name, decoded.width, decoded.height, decoded.color_range, decoded.colorspace)
        if key != self._as_is:
            decoded = self._fitted(decoded, key)
        decoded.pts = pts
        decoded.time_base = time_base
        shape = self.shape
        planes = plane_views(decoded, shape.format)
        return Frame(planes, shape.format, shape.width, shape.height, shape.colour, pts, time_base, decoded, arrival)

    def _fitted(self, decoded: VideoFrame, key: _Key) -> VideoFrame:
        name, width, height = key[:3]
        if width * height > MAX_PIXELS:
            raise SourceError(f"a picture of {width}x{height} is too large: at most {MAX_PIXELS} pixels are decoded")
        tags = frame_tags(decoded)
        rgb = is_rgb(name)
        colour = rgb_target(tags, picture=self._picture) if rgb else resolve(tags, name, self._codec, width, height)
        if self._shape is None:
            self._shape = Shape(nearest_format(name), width, height, colour)
            self._native_format = name
        shape = self._shape
        same = (shape.colour.matrix, shape.colour.full_range) == (colour.matrix, colour.full_range)
        if name == shape.format.name and (width, height) == (shape.width, shape.height) and same:
            self._as_is = key
            return decoded
        self._tell(name, width, height, shape)
        return self._converted(decoded, colour, shape, rgb=rgb)

    def _tell(self, name: str, width: int, height: int, shape: Shape) -> None:
        if nearest_format(name) != shape.format:
            self._notices.say("format change", f"the pixel format changes to {name}: converted to {shape.format.name}")
        elif name != shape.format.name:
            dropped = ", transparency is dropped" if says_alpha(name) else ""
            self._notices.say("format", f"pixel format {name} is converted to {shape.format.name}{dropped}")
        if (width, height) != (shape.width, shape.height):
            self._notices.say(
                "size",
                f"the size changes to {width}x{height}: fitted into the first frame's {shape.width}x{shape.height}",
            )

    def _converted(self, decoded: VideoFrame, colour: Colour, shape: Shape, *, rgb: bool) -> VideoFrame:
        width, height = fitted_size(decoded.width, decoded.height, shape.width, shape.height)
        try:
            if rgb and shape.format.name in _RGB_TARGETS:
                scaled = rgb_to_yuv(decoded, width, height, shape.format, shape.colour, self._reformatter)
            else:
                scaled = self._reformatter.reformat(
                    decoded,
                    width=width,
                    height=height,
                    format=shape.format.name,
                    src_colorspace=None if rgb else _SWS_SPACES[colour.matrix],
                    dst_colorspace=_SWS_SPACES[shape.colour.matrix],
                    src_color_range=2 if rgb or colour.full_range else 1,
                    dst_color_range=2 if shape.colour.full_range else 1,
                    interpolation=_SCALING,
                    threads=1,
                )
        except (av.FFmpegError, ValueError) as error:
            raise SourceError(
                f"pictures of format {decoded.format.name}, {decoded.width}x{decoded.height}, cannot be converted to "
                f"{shape.format.name}: {error}"
            ) from error
        if (width, height) == (shape.width, shape.height):
            return scaled
        return letterboxed(scaled, shape.width, shape.height, shape.format, full_range=shape.colour.full_range)
