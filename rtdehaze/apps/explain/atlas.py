"""An atlas of a network: of every layer the channels that say most, on one sheet."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.ink import DIM, Sheet
from rtdehaze.apps.explain.scales import Scale, sequential, signed
from rtdehaze.core.haze import Map
from rtdehaze.stages.estimate.layers import Layer

__all__ = ["Entry", "choose_channels", "draw_atlas", "entries_of"]

Bytes = NDArray[np.uint8]

_UNIT = 17
"""Pixels of a line of text."""
_TILE = 9.0
"""Units: the side of a square with a channel's area."""
_SHAPE = 1.5
"""Width over height that the sheet comes near to."""
_HEAD, _FOOT, _GAP = 2.2, 1.9, 0.9
"""Units above a layer's channels, below and between layers."""
_LEAST_WIDTH = 13.0
"""Units that a layer's words need."""
_WORDS = 17.0
"""Units that the explanation needs beside the picture."""
_SEAM = 4
"""Pixels between channels."""
_TAILS = 1.0
"""Percent of the values at either end that lie outside a layer's scale: one wild sample must not grey out the rest."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One layer as it is shown."""

    name: str
    kind: str
    channels: int
    size: tuple[int, int]
    """Width and height of its maps."""
    chosen: tuple[int, ...]
    """Numbers of the channels shown, the most telling first."""
    share: float
    """Of what varies in the layer, how much those channels carry."""
    maps: Map
    """(chosen, h, w)."""
    scale: Scale


def entries_of(layers: list[Layer], shown: int) -> list[Entry]:
    """Chooses what is shown of every layer.

    Args:
        layers: Of a model.
        shown: Channels of a layer at most.
    """
    entries = []
    for layer in layers:
        chosen, share = choose_channels(layer.maps, shown)
        height, width = layer.maps.shape[1:]
        maps = layer.maps[list(chosen)]
        entries.append(
            Entry(layer.name, layer.kind, len(layer.maps), (width, height), chosen, share, maps, _scale(maps))
        )
    return entries


def choose_channels(maps: Map, count: int) -> tuple[tuple[int, ...], float]:
    """Chooses the channels that carry most of what varies in a layer, none of them twice the same.

    The first has the most variance; each further one the most of what the chosen ones cannot say, linearly: QR with
    column pivoting (Businger, Golub 1965).

    Args:
        maps: (channels, h, w).
        count: How many at most.

    Returns:
        Their numbers, and the share of the layer's variance that lies in their span.
    """
    flat = maps.reshape(len(maps), -1).astype(np.float64)
    rest = flat - flat.mean(axis=1, keepdims=True)
    total = float((rest**2).sum())
    chosen: list[int] = []
    for _ in range(min(count, len(maps))):
        energy = (rest**2).sum(axis=1)
        energy[chosen] = -1.0
        best = int(energy.argmax())
        chosen.append(best)
        if energy[best] > 1e-12 * max(total, 1e-30):
            direction = rest[best] / np.sqrt(energy[best])
            rest = rest - np.outer(rest @ direction, direction)
    left = float((rest**2).sum())
    return tuple(chosen), 1.0 - left / total if total > 0 else 1.0


def _scale(maps: Map) -> Scale:
    low, high = (float(value) for value in np.percentile(maps, (_TAILS, 100 - _TAILS)))
    if low < 0 < high:
        return signed("", "", max(-low, high), halves=False)
    return sequential("", low, max(high, low + 1e-6))


def draw_atlas(model: str, entries: list[Entry], picture: Bytes) -> Sheet:
    """Draws the sheet.

    Args:
        model: What is named in the title.
        entries: From `entries_of`.
        picture: RGB (h, w, 3): the picture that the layers answer to.
    """
    aspect = picture.shape[1] / picture.shape[0]
    tile = max(8, round(_TILE * _UNIT * math.sqrt(aspect))), max(8, round(_TILE * _UNIT / math.sqrt(aspect)))
    gap, down = round(_GAP * _UNIT), tile[1] + round((_HEAD + _FOOT) * _UNIT)
    widths = [tile[0] + round(_WORDS * _UNIT)]
    widths += [max(len(entry.chosen) * (tile[0] + _SEAM) - _SEAM, round(_LEAST_WIDTH * _UNIT)) for entry in entries]
    lines = _lines(widths, gap, down)
    width = max(sum(widths[number] + gap for number in line) for line in lines)
    sheet = Sheet(gap + width, gap + len(lines) * (down + gap), _UNIT)
    for row, line in enumerate(lines):
        x, y = gap, gap + row * (down + gap)
        for number in line:
            if number == 0:
                _draw_title(sheet, model, len(entries), picture, (x, y), widths[0], tile)
            else:
                _draw_entry(sheet, entries[number - 1], (x, y), widths[number], tile)
            x += widths[number] + gap
    return sheet


def _lines(widths: list[int], gap: int, down: int) -> list[list[int]]:
    """Sets blocks of these widths in lines, as words are; the sheet comes near to its shape."""
    area = sum(width + gap for width in widths) * (down + gap)
    room = max(math.sqrt(area * _SHAPE), max(widths) + gap)
    lines: list[list[int]] = [[]]
    used = 0.0
    for number, width in enumerate(widths):
        if lines[-1] and used + width + gap > room:
            lines.append([])
            used = 0.0
        lines[-1].append(number)
        used += width + gap
    return lines


def _draw_title(
    sheet: Sheet, model: str, count: int, picture: Bytes, place: tuple[int, int], across: int, tile: tuple[int, int]
) -> None:
    x, y = place
    sheet.text(f"Atlas of {model}", x, y, across, size=1.25, bold=True)
    top = y + round(_HEAD * _UNIT)
    sheet.picture(np.asarray(cv2.resize(picture, tile, interpolation=cv2.INTER_AREA), np.uint8), x, top)
    words = (
        f"{count} layers, line by line. Of each: name,",
        "operator, channels of width x height, and",
        "how much of what varies in it is shown.",
        "Left: the channel that tells most.",
        "Below: the layer's own scale;",
        "blue to red is below to above 0.",
    )
    left = x + tile[0] + _UNIT // 2
    for line, text in enumerate(words):
        sheet.text(text, left, top + round(1.1 * line * _UNIT), x + across - left, size=0.85, colour=DIM)


def _draw_entry(sheet: Sheet, entry: Entry, place: tuple[int, int], across: int, tile: tuple[int, int]) -> None:
    x, y = place
    sheet.text(entry.name, x, y, across, bold=True)
    words = f"{entry.kind}, {entry.channels} of {entry.size[0]} x {entry.size[1]}"
    if len(entry.chosen) < entry.channels:
        words += f", {entry.share:.0%} shown".replace("%", " %")
    sheet.text(words, x, y + round(1.05 * _UNIT), across, size=0.85, colour=DIM)
    top = y + round(_HEAD * _UNIT)
    for number, (channel, values) in enumerate(zip(entry.chosen, entry.maps, strict=True)):
        left = x + number * (tile[0] + _SEAM)
        small = cv2.resize(
            values, tile, interpolation=cv2.INTER_NEAREST if values.shape[1] < tile[0] else cv2.INTER_AREA
        )
        sheet.picture(entry.scale.colours(np.asarray(small, np.float32)), left, top)
        sheet.box(left, top, round(1.9 * _UNIT), round(0.9 * _UNIT), (0, 0, 0))
        sheet.text(str(channel), left + 3, top, round(1.9 * _UNIT) - 6, size=0.85)
    sheet.bar(
        entry.scale, x, top + tile[1] + round(0.25 * _UNIT), min(across, len(entry.chosen) * (tile[0] + _SEAM) - _SEAM)
    )
