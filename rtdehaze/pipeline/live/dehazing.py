"""One dehazer over all connections of a live source, whatever size and format it comes back with."""

from __future__ import annotations

import logging
from fractions import Fraction

import numpy as np

from rtdehaze.core.colour import Colour
from rtdehaze.core.frame import PIXEL_FORMATS, Frame, Layout, PixelFormat, Plane
from rtdehaze.core.options import Mode, Options
from rtdehaze.core.stream import VideoInfo
from rtdehaze.pipeline.decision import Decision
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.opening import HDR_TRANSFERS
from rtdehaze.stages.recompose.keep import KeepMask

__all__ = ["SteadyDehazer"]

_SHAPE_TOLERANCE = 0.01
"""How far the ratio of the sides may differ for a mask to be stretched to a picture of another size."""

_WARM_UP_SIZE = 64, 48
_WARM_UP_FRAMES = 3
"""One is estimated, one is carried, one is smoothed."""

_log = logging.getLogger("rtdehaze.pipeline")


class SteadyDehazer:
    """Does what `LiveDehazer` says with a `Dehazer`, which stays one and the same.

    What is to be left untouched is checked against the first make, as for a file. A later make of another size gets
    the mask stretched where its shape is the same (cameras draw their clock in proportion), otherwise none; either is
    said.

    Args:
        dehazer: Made without a mask, which is set here.
        options: What is to be left untouched.
    """

    def __init__(self, dehazer: Dehazer, options: Options) -> None:
        self._dehazer, self._options = dehazer, options
        self._first: KeepMask | None = None
        self._bypassed = False
        self._warm: set[tuple[Layout, int]] = set()

    @property
    def every(self) -> int:
        """The haze of every n-th frame is estimated."""
        return self._dehazer.every

    @every.setter
    def every(self, every: int) -> None:
        self._dehazer.every = every

    def warm_up(self) -> None:
        """Compiles or loads the loops for the commonest format, and lets the model run once."""
        self._warm_up(PIXEL_FORMATS["yuv420p"])

    def begin(self, video: VideoInfo) -> None:
        """Takes a make: its mask, and whether it may be dehazed at all.

        Raises:
            UsageError: The mask or a box does not fit the first make.
        """
        self._dehazer.keep = self._mask_for(video.width, video.height)
        self._bypassed = video.colour.tags.transfer in HDR_TRANSFERS
        self._warm_up(video.format)

    def reset(self) -> None:
        """Forgets the scene."""
        self._dehazer.reset()

    def decide(self, frame: Frame) -> Decision:
        """Says what is to be done to a frame."""
        return Decision(None, None) if self._bypassed else self._dehazer.decide(frame)

    def apply(self, frame: Frame, decision: Decision, out: Frame) -> None:
        """Writes the frame's clear picture into `out`."""
        self._dehazer.apply(frame, decision, out)

    def _mask_for(self, width: int, height: int) -> KeepMask | None:
        options = self._options
        if not options.mask and not options.keep_boxes:
            return None
        if self._first is None:
            self._first = KeepMask.load(width, height, mask=options.mask, boxes=options.keep_boxes)
        rows, columns = self._first.mask.shape
        if (columns, rows) == (width, height):
            return self._first
        sizes = f"what is to be kept was given for {columns}x{rows}, the picture is {width}x{height} now"
        if abs(width * rows / (height * columns) - 1.0) > _SHAPE_TOLERANCE:
            _log.warning("%s: of another shape, so nothing is kept", sizes)
            return None
        _log.warning("%s: stretched", sizes)
        return self._first.stretched(width, height)

    def _warm_up(self, pixels: PixelFormat) -> None:
        estimator = self._dehazer.estimator
        if estimator is None or (pixels.layout, pixels.bits) in self._warm:
            return
        self._warm.add((pixels.layout, pixels.bits))
        frames = [_grey(pixels, number) for number in range(_WARM_UP_FRAMES)]
        out = _grey(pixels, 0)
        with Dehazer(estimator, mode=Mode.MANUAL, every=2) as dehazer:
            for frame in frames:
                dehazer.apply(frame, dehazer.decide(frame), out)


def _grey(pixels: PixelFormat, number: int) -> Frame:
    """A frame of noise without colour."""
    width, height = _WARM_UP_SIZE
    chroma_width, chroma_height = pixels.chroma_size(width, height)
    sizes = [(height, width)]
    if pixels.layout is Layout.PLANAR:
        sizes += [(chroma_height, chroma_width)] * 2
    elif pixels.layout is Layout.SEMIPLANAR:
        sizes.append((chroma_height, 2 * chroma_width))
    noise, top = np.random.default_rng(0), 1 << pixels.bits
    planes = []
    for rows, columns in sizes:
        data = np.zeros((rows, columns), pixels.dtype)
        data[:] = noise.integers(top // 3, top // 2, data.shape) << pixels.shift
        planes.append(Plane(data, columns))
    return Frame(tuple(planes), pixels, width, height, Colour(), number, Fraction(1, 25))
