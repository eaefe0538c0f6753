"""What codecs leave in a picture: blocks, rings and smeared chroma, made by the codecs themselves."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from rtdehaze.core.errors import MissingDependencyError

__all__ = ["compress_h264", "compress_jpeg"]

Bytes = NDArray[np.uint8]

RATE = 25
"""Frames a second that the encoder reckons with."""


def compress_jpeg(picture: Bytes, quality: int) -> Bytes:
    """Encodes and decodes a picture as JPEG.

    Args:
        picture: (H, W, 3) RGB.
        quality: 0 to 100; higher is better.

    Returns:
        (H, W, 3) RGB.
    """
    _, stream = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(stream, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def compress_h264(frames: Sequence[Bytes], quality: float, preset: str = "ultrafast") -> list[Bytes]:
    """Encodes and decodes frames as one H.264 stream, in memory: an intra frame, then predicted ones.

    The same frames give the same bytes: one thread, no look-ahead, no B-frames.

    Args:
        frames: (H, W, 3) RGB each, all of one size with even sides; at least one.
        quality: The encoder's constant rate factor, 0 to 51; higher is worse. 18 is hardly seen, 40 is poor.
        preset: The encoder's preset; the faster, the more artefacts at the same quality.

    Returns:
        As many frames, (H, W, 3) RGB, after 4:2:0 and the codec.

    Raises:
        ValueError: No frames, odd sides, or frames of several sizes.
        MissingDependencyError: This build of PyAV has no H.264 encoder.
    """
    sizes = {frame.shape for frame in frames}
    if len(sizes) != 1 or any(side % 2 for side in next(iter(sizes))[:2]):
        raise ValueError(f"frames of {sorted(sizes)} are not all of one size with even sides")
    height, width = frames[0].shape[:2]
    encoder = _encoder(width, height, {"crf": f"{quality:g}", "preset": preset, "tune": "zerolatency"})
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoded: list[Bytes] = []
    for number, frame in enumerate([*frames, None]):
        packets = encoder.encode(None if frame is None else _picture(frame, number))
        for packet in [*packets, *([None] if frame is None else [])]:
            decoded += [np.asarray(made.to_ndarray(format="rgb24"), np.uint8) for made in decoder.decode(packet)]
    return decoded


def _encoder(width: int, height: int, options: dict[str, str]) -> VideoCodecContext:
    try:
        encoder = VideoCodecContext.create("libx264", "w")
    except av.FFmpegError as error:
        raise MissingDependencyError(
            "H.264 artefacts need the encoder libx264, which this build of PyAV lacks: set haze.h264_share = 0"
        ) from error
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, RATE)
    encoder.thread_count = 1
    encoder.options = options
    return encoder


def _picture(frame: Bytes, number: int) -> VideoFrame:
    picture = VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
    picture.pts = number
    return picture
