"""What a peer is, and how a method for RGB pictures joins a pipeline of YUV frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.frame import Frame
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.runner import FrameDehazer

__all__ = ["Peer", "PictureDehazer", "Restore"]

Picture = NDArray[np.uint8]
Restore = Callable[[Picture], Picture]
"""From a hazy picture, (H, W, 3) RGB, to a clear one of the same shape."""


@dataclass(frozen=True)
class Peer:
    """A method to compare with."""

    name: str
    note: str
    """What it is, and what is not as published."""
    open: Callable[[int], FrameDehazer]
    """Makes a dehazer for one video, for so many cores."""
    restore: Callable[[int], Restore] | None
    """Makes what restores single pictures; None where that says nothing of its quality."""
    unjudged: str = ""
    """Why it does not."""
    film: bool = False
    """Whether frames of a video, one after the other, do."""


class PictureDehazer:
    """Brings a method for RGB pictures into the pipeline: 4:2:0 of 8 bits to RGB, restored, and back.

    With OpenCV's conversions, as everybody's program has them; their time is the method's.
    """

    def __init__(self, restore: Restore) -> None:
        self._restore = restore

    def decide(self, frame: Frame) -> Decision:
        """Says nothing: all is done in `apply`."""
        del frame
        return Decision(None, None)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Writes the restored picture.

        Raises:
            ValueError: The frame is not 4:2:0 of 8 bits in three planes.
        """
        del decision
        if frame.format.name not in ("yuv420p", "yuvj420p") or frame.height % 2 or frame.width % 2:
            raise ValueError(f"peers take yuv420p of even size, not {frame.format.name} {frame.width}x{frame.height}")
        clear = self._restore(_rgb(frame))
        planar = np.asarray(cv2.cvtColor(clear, cv2.COLOR_RGB2YUV_I420)).reshape(-1)
        begin = 0
        for plane in out.planes:
            samples = plane.samples
            samples[:] = planar[begin : begin + samples.size].reshape(samples.shape)
            begin += samples.size


def _rgb(frame: Frame) -> Picture:
    planar = np.empty(frame.height * frame.width * 3 // 2, np.uint8)
    begin = 0
    for plane in frame.planes:
        samples = plane.samples
        planar[begin : begin + samples.size].reshape(samples.shape)[:] = samples
        begin += samples.size
    whole = planar.reshape(frame.height * 3 // 2, frame.width)
    return np.asarray(cv2.cvtColor(whole, cv2.COLOR_YUV2RGB_I420), np.uint8)
