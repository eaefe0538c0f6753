"""What is shown while a source is away: a slate that says so, or the last picture marked as old."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from rtdehaze.core.colour import rgb_to_levels
from rtdehaze.core.frame import Frame, Layout, Samples
from rtdehaze.stages.recompose.stamps import Stamp, label_of, stamps_of

__all__ = ["Standby"]

_GROUND = (0.07, 0.09, 0.12)
"""RGB of the slate: dark, but not the black of a dead screen."""
_ACCENT = (0.95, 0.62, 0.10)
"""RGB of the line under the slate's title."""
_ALARM = (0.62, 0.06, 0.06)
"""RGB of the banner across an old picture."""
_DIMMED = 0.55
"""What an old picture keeps of its luma; its colour goes, so that it looks old at any size."""
_WIDEST = 0.84
"""Widths of the picture that a line of text takes at most."""
_LEAST_LETTER = 3.0
"""Capitals lower than this, in pixels, are left out."""
_BANNER = 0.17
"""Height of the banner in heights of the picture."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of text, centred."""

    text: str
    letter: float
    """Height of its capitals in heights of the picture, less where it would be too wide."""
    middle: float
    """Its middle, in heights of the picture from the top."""


class Standby:
    """Draws the pictures of one absence.

    Args:
        name: Of the source, without credentials.
        since: When it went away, seconds since the epoch.
        last: The last picture of the outputs, to be shown as old; None shows a slate.
    """

    def __init__(self, name: str, since: float, last: Frame | None = None) -> None:
        self._name = name.encode("ascii", "replace").decode()
        self._since = since
        self._last = last
        self._ground: list[Samples] | None = None
        self._seconds = -1
        self._ticking: list[Stamp] = []

    def draw(self, out: Frame, now: float) -> None:
        """Writes the picture for a moment.

        Args:
            out: A writable frame of the outputs' make; of the last picture's size and format where that is shown.
            now: Seconds since the epoch.
        """
        if self._ground is None:
            self._prepare(out)
            self._ground = [plane.samples.copy() for plane in out.planes]
        else:
            for plane, ground in zip(out.planes, self._ground, strict=True):
                plane.samples[:] = ground
        seconds = max(0, int(now - self._since))
        if seconds != self._seconds:
            self._seconds = seconds
            self._ticking = _stamps(self._clock(seconds), out)
        _press(self._ticking, out)

    def _prepare(self, out: Frame) -> None:
        """Draws what stays the same."""
        if self._last is None:
            _fill(out, (0.0, 0.0, 1.0, 1.0), _GROUND)
            _fill(out, (0.5 - 0.09, 0.445, 0.18, 0.008), _ACCENT)
            title, since = _Line("NO SIGNAL", 0.1, 0.36), _Line(f"since {self._when()}", 0.03, 0.62)
            lines: tuple[_Line, ...] = (title, _Line(self._name, 0.036, 0.53), since)
        else:
            _age(out, self._last)
            _fill(out, (0.0, 1.0 - _BANNER, 1.0, _BANNER), _ALARM)
            lines = (_Line("NO SIGNAL - OLD PICTURE", 0.048, 1.0 - 0.66 * _BANNER),)
        for line in lines:
            _press(_stamps(line, out), out)

    def _clock(self, seconds: int) -> _Line:
        passed = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        if self._last is None:
            return _Line(f"away for {passed}", 0.03, 0.69)
        return _Line(f"of {self._when()}, {passed} ago", 0.03, 1.0 - 0.24 * _BANNER)

    def _when(self) -> str:
        return f"{datetime.fromtimestamp(self._since).astimezone():%Y-%m-%d %H:%M:%S %z}"


def _age(out: Frame, last: Frame) -> None:
    """Writes a picture dimmed and without colour."""
    pixels = out.format
    _, offset = rgb_to_levels(out.colour, pixels.bits)
    # A table: a power of two of levels is few, and a picture is many.
    levels = np.arange(1 << pixels.bits)
    dimmed = np.rint(offset[0] + (levels - offset[0]) * _DIMMED).clip(0, levels[-1]).astype(pixels.dtype)
    out.planes[0].samples[:] = dimmed[last.planes[0].samples >> pixels.shift] << pixels.shift
    for plane in out.planes[1:]:
        plane.samples[:] = round(float(offset[1])) << pixels.shift


def _fill(out: Frame, box: tuple[float, float, float, float], rgb: tuple[float, float, float]) -> None:
    """Fills a rectangle, x, y, width, height in shares of the picture, with one colour."""
    pixels = out.format
    matrix, offset = rgb_to_levels(out.colour, pixels.bits)
    levels = np.rint(matrix @ np.array(rgb) + offset).astype(pixels.dtype) << pixels.shift
    x, y, width, height = box
    for number, plane in enumerate(out.planes):
        rows = slice(*(round(edge * plane.samples.shape[0]) for edge in (y, y + height)))
        if number and pixels.layout is Layout.SEMIPLANAR:
            columns = slice(*(2 * round(edge * plane.width / 2) for edge in (x, x + width)))
            plane.samples[rows, columns] = np.resize(levels[1:], columns.stop - columns.start)
        else:
            columns = slice(*(round(edge * plane.width) for edge in (x, x + width)))
            plane.samples[rows, columns] = levels[number]


def _stamps(line: _Line, out: Frame) -> list[Stamp]:
    letter = line.letter * out.height
    _, light = label_of(line.text, letter)
    if light.shape[1] > _WIDEST * out.width:
        letter *= _WIDEST * out.width / light.shape[1]
        _, light = label_of(line.text, letter)
    rows, columns = light.shape
    across, down = 1 << out.format.log2_chroma_w, 1 << out.format.log2_chroma_h
    x = (out.width - columns) // 2 // across * across
    y = round(line.middle * out.height - rows / 2) // down * down
    if letter < _LEAST_LETTER or min(x, y) < 0 or x + columns > out.width or y + rows > out.height:
        return []
    # The grounds are dark: letters need no outline.
    return stamps_of(light, light, out.format, out.colour, place=(x, y))


def _press(stamps: list[Stamp], out: Frame) -> None:
    for stamp in stamps:
        stamp.press(out.planes[stamp.plane].samples)
