"""The sheet of panels: what went in, what is believed of its haze, what is done, what comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.belief import Belief
from rtdehaze.apps.explain.ink import BRIGHT, DIM, Sheet, hatched
from rtdehaze.apps.explain.scales import DEPTH, GAIN, TRANSMISSION, Scale
from rtdehaze.apps.explain.showing import enlarged
from rtdehaze.core.haze import Map
from rtdehaze.stages.recompose.removal import MAX_CHROMA_GAIN, MIN_TRANSMISSION

__all__ = [
    "CAP_KEY",
    "CHROMA_KEY",
    "FLOOR_KEY",
    "Layout",
    "coloured",
    "draw_airlight",
    "draw_gauge",
    "draw_panels",
    "say_nothing_done",
]

Bytes = NDArray[np.uint8]

FLOOR_KEY = f"t of {MIN_TRANSMISSION:g} or less: hardly any light arrives"
CAP_KEY = f"luma held at x{1 / MIN_TRANSMISSION:g}"
CHROMA_KEY = f"colour held at x{MAX_CHROMA_GAIN:g}"

_PANELS = 6
_SHAPE = 1.6
"""Width over height that a sheet comes near to, as screens have."""
_LEAST_WIDTH = 20.0
"""Units: narrower panels have no room for their words."""
_HEAD, _FOOT, _GAP = 2.3, 3.4, 0.8
"""Units above and below a picture and around a panel."""
_FLATTEST = 8.0
"""Width over height of a panel at most, and height over width; pictures beyond are centred in it."""
_LINES = 25.0
"""Lines of text in the square root of a panel's area: 19 pixels at 640 x 360."""
_LEAST_UNIT = 13
"""Pixels of a line: smaller letters cannot be read."""

_CLEAR, _BETWEEN, _HAZY = (70, 150, 110), (110, 110, 110), (200, 120, 50)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the panels lie, in pixels."""

    unit: int
    columns: int
    panel: tuple[int, int]
    """Width and height of the place of a picture."""
    picture: tuple[int, int]
    """Width and height of the picture in it."""

    @classmethod
    def of(cls, width: int, height: int, side: int) -> Layout:
        """Lays out panels for pictures of that size.

        Args:
            width: Of the picture as it is seen.
            height: Likewise.
            side: Width of a panel of 16:9 in pixels; others have the same area.
        """
        area = side * side * 9 / 16
        aspect = min(max(width / height, 1 / _FLATTEST), _FLATTEST)
        unit = max(_LEAST_UNIT, round(math.sqrt(area) / _LINES))
        panel_width = max(math.sqrt(area * aspect), _LEAST_WIDTH * unit)
        panel_height = math.sqrt(area / aspect)
        scale = min(panel_width / width, panel_height / height)
        picture = max(1, round(width * scale)), max(1, round(height * scale))
        panel = math.ceil(panel_width), math.ceil(panel_height)
        columns = min((1, 2, 3, 6), key=lambda count: abs(math.log(_aspect(panel, unit, count) / _SHAPE)))
        return cls(unit, columns, panel, picture)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the sheet, both even."""
        width, height = _extent(self.panel, self.unit, self.columns)
        return width + width % 2, height + height % 2

    def place(self, number: int) -> tuple[int, int]:
        """Left and upper edge of a panel's head."""
        row, column = divmod(number, self.columns)
        step_x, step_y = _steps(self.panel, self.unit)
        gap = round(_GAP * self.unit)
        return gap + column * step_x, gap + row * step_y

    def corner(self, number: int) -> tuple[int, int]:
        """Left and upper edge of a panel's picture."""
        x, y = self.place(number)
        across, down = self.panel[0] - self.picture[0], self.panel[1] - self.picture[1]
        return x + across // 2, y + round(_HEAD * self.unit) + down // 2

    def foot(self, number: int) -> tuple[int, int]:
        """Left and upper edge of what stands below a panel's picture."""
        x, y = self.place(number)
        return x, y + round(_HEAD * self.unit) + self.panel[1] + round(0.3 * self.unit)


def _steps(panel: tuple[int, int], unit: int) -> tuple[int, int]:
    return panel[0] + round(_GAP * unit), panel[1] + round((_HEAD + _FOOT + _GAP) * unit)


def _extent(panel: tuple[int, int], unit: int, columns: int) -> tuple[int, int]:
    step_x, step_y = _steps(panel, unit)
    gap = round(_GAP * unit)
    return gap + columns * step_x, gap + -(-_PANELS // columns) * step_y


def _aspect(panel: tuple[int, int], unit: int, columns: int) -> float:
    width, height = _extent(panel, unit, columns)
    return width / height


def draw_panels(layout: Layout, hazy: Bytes, clear: Bytes, belief: Belief, about: tuple[str, str]) -> Sheet:
    """Draws the sheet.

    Args:
        layout: For pictures of this size.
        hazy: What went in, RGB of `layout.picture`.
        clear: What came out, likewise.
        belief: What is believed and done.
        about: Two lines on how it was made.
    """
    sheet = Sheet(*layout.size, layout.unit)
    width, unit = layout.panel[0], layout.unit
    maps = coloured(belief, *layout.picture, unit)
    shown = (
        ("Input", f"haze density {belief.density:.2f}: {belief.verdict}", hazy),
        (TRANSMISSION.title, TRANSMISSION.caption, maps["transmission"]),
        (DEPTH.title, DEPTH.caption, maps["depth"]),
        ("Result", belief.verdict, clear),
        (GAIN.title, GAIN.caption, maps["gain"]),
        ("Veil", "light that the haze adds, and is subtracted", maps["veil"]),
    )
    for number, (title, caption, picture) in enumerate(shown):
        x, y = layout.place(number)
        sheet.text(title, x, y, width, bold=True)
        sheet.text(caption, x, y + round(1.05 * unit), width, size=0.85, colour=DIM)
        sheet.picture(picture, *layout.corner(number))
    if belief.nothing_done:
        for number in (4, 5):
            say_nothing_done(sheet, *layout.corner(number), *layout.picture)
    draw_gauge(sheet, belief, *layout.foot(0), width)
    for number, scale in ((1, TRANSMISSION), (2, DEPTH), (4, GAIN)):
        sheet.bar(scale, *layout.foot(number), width)
    for number in (1, 2):
        x, y = layout.foot(number)
        sheet.key(FLOOR_KEY, x, y + 2 * unit, width)
    x, y = layout.foot(4)
    sheet.key(CAP_KEY, x, y + 2 * unit, width // 2)
    sheet.key(CHROMA_KEY, x + width // 2, y + 2 * unit, width // 2, rising=False)
    x, y = layout.foot(3)
    for line, words in enumerate(about):
        sheet.text(words, x, y + round(1.1 * line * unit), width, size=0.85, colour=DIM)
    draw_airlight(sheet, belief, *layout.foot(5), width)
    return sheet


def coloured(belief: Belief, width: int, height: int, unit: int) -> dict[str, Bytes]:
    """The maps as RGB pictures of a size, hatched where a limit acts."""

    def drawn(scale: Scale, values: Map) -> Bytes:
        return scale.colours(enlarged(values, width, height))

    def mask(where: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return enlarged(where.astype(np.float32), width, height) > 0.5

    # Transmission is what recomposition enlarges, and divides by at every pixel.
    applied = np.maximum(enlarged(np.float32(1.0) / belief.gain, width, height), np.float32(1e-3))
    gain = GAIN.colours(np.asarray(1.0 / applied, np.float32))
    pictures = {
        "transmission": drawn(TRANSMISSION, belief.transmission),
        "depth": drawn(DEPTH, belief.depth),
        "gain": gain,
        "veil": np.stack([np.rint(np.clip(enlarged(v, width, height), 0, 1) * 255) for v in belief.veil], -1),
    }
    pictures["veil"] = pictures["veil"].astype(np.uint8)
    for name in ("transmission", "depth"):
        hatched(pictures[name], mask(belief.at_floor), unit)
    hatched(gain, mask(belief.chroma_capped), unit, rising=False)
    hatched(gain, mask(belief.luma_capped), unit)
    return pictures


def say_nothing_done(sheet: Sheet, x: int, y: int, width: int, height: int) -> None:
    """Says in the middle of a map why there is nothing in it."""
    sheet.text("nothing is done: the picture counts as clear", x, y + (height - sheet.unit) // 2, width, align=0.5)


def draw_gauge(sheet: Sheet, belief: Belief, x: int, y: int, width: int) -> None:
    """Draws the haze density on a line from 0 to 1 with the gate's zones, and what they are; three lines."""
    height = max(4, round(sheet.unit * 0.7))
    gate = belief.gate
    low, high = (gate.clear_below, gate.hazy_above) if gate is not None else (0.0, 0.0)
    sheet.box(x, y, width, height, _HAZY)
    sheet.box(x, y, round(width * high), height, _BETWEEN)
    sheet.box(x, y, round(width * low), height, _CLEAR)
    needle = max(3, sheet.unit // 5)
    at = x + round(belief.density * (width - needle))
    sheet.box(at - 1, y - 2, needle + 2, height + 4, (0, 0, 0))
    sheet.box(at, y - 2, needle, height + 4, (255, 255, 255))
    sheet.ticks([(share / 4, f"{share / 4:g}") for share in range(5)], x, y, width)
    words = "no gate: the model cannot tell clear pictures"
    if gate is not None:
        words = f"clear below {low:.2f} (green), hazy above {high:.2f} (orange)"
    sheet.text(words, x, y + 2 * sheet.unit, width, size=0.9, colour=DIM)


def draw_airlight(sheet: Sheet, belief: Belief, x: int, y: int, width: int) -> None:
    """Draws the airlight's colour and its numbers; three lines."""
    unit = sheet.unit
    red, green, blue = (round(float(value) * 255) for value in np.clip(belief.airlight, 0.0, 1.0))
    side = round(2.7 * unit)
    sheet.box(x, y, side, side, BRIGHT)
    sheet.box(x + 1, y + 1, side - 2, side - 2, (red, green, blue))
    left, room = x + side + unit // 2, width - side - unit // 2
    sheet.text("Airlight: colour of endless haze", left, y, room, size=0.9)
    sheet.text(f"RGB {red} {green} {blue}, #{red:02X}{green:02X}{blue:02X}", left, y + unit, room, size=0.9, colour=DIM)
    shares = " ".join(f"{value:.2f}" for value in belief.airlight)
    sheet.text(f"of white: {shares}", left, y + 2 * unit, room, size=0.9, colour=DIM)
