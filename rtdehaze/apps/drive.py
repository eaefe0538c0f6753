"""The generated drive as frames of the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.colour import Colour, ColourTags, Matrix
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Plane
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, VideoInfo
from rtdehaze.synth.drive import FoggyDrive

__all__ = ["DRIVE_COLOUR", "DRIVE_RATE", "DriveSource", "drive_frames", "yuv_frame"]

DRIVE_COLOUR = Colour(Matrix.BT601, full_range=False, tags=ColourTags(range=1, space=6, primaries=6, transfer=6))
"""What OpenCV's RGB -> I420 makes: BT.601, limited range."""

DRIVE_RATE = 25
"""Frames a second where nothing else is asked for."""


class DriveSource:
    """A generated drive as a source of 4:2:0 frames; a place and weather are rendered frame by frame."""

    def __init__(self, drive: FoggyDrive) -> None:
        rate = Fraction(drive.fps).limit_denominator(1001)
        self._drive = drive
        self.location = "generated drive"
        self.copied: tuple[CopiedStream, ...] = ()
        self.chapters: tuple[Chapter, ...] = ()
        self.metadata: dict[str, str] = {}
        self.video = VideoInfo(
            width=drive.width,
            height=drive.height,
            format=PIXEL_FORMATS["yuv420p"],
            colour=DRIVE_COLOUR,
            time_base=1 / rate,
            codec="rawvideo",
            native_format="yuv420p",
            rate=rate,
            duration=float(len(drive) / rate),
            frames=len(drive),
        )

    def items(self) -> Iterator[Frame | Packet]:
        """Renders one frame after the other."""
        for number in range(len(self._drive)):
            yield yuv_frame(self._drive.frame(number).hazy, number, self.video.time_base)

    def close(self) -> None:
        """Nothing is held open."""


def yuv_frame(rgb: NDArray[np.uint8], pts: int, time_base: Fraction) -> Frame:
    """Turns an RGB picture of even width and height (H, W, 3) into a 4:2:0 frame, BT.601, limited range."""
    height, width = rgb.shape[:2]
    planar = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420), np.uint8).reshape(-1)
    luma, quarter = height * width, (height // 2) * (width // 2)
    parts = planar[:luma], planar[luma : luma + quarter], planar[luma + quarter :]
    sizes = (height, width), (height // 2, width // 2), (height // 2, width // 2)
    planes = tuple(Plane(part.reshape(size), size[1]) for part, size in zip(parts, sizes, strict=True))
    return Frame(planes, PIXEL_FORMATS["yuv420p"], width, height, DRIVE_COLOUR, pts, time_base)


def drive_frames(*, width: int, height: int, count: int, **drive: Any) -> list[Frame]:
    """Renders the first frames of a drive into memory."""
    source = DriveSource(FoggyDrive(width, height, DRIVE_RATE, count / DRIVE_RATE, **drive))
    return [item for item in source.items() if isinstance(item, Frame)]
