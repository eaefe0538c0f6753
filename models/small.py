"""The picture at a quarter of its size, where everything is found that is not an edge."""

from __future__ import annotations

from dataclasses import dataclass

from graph import Graph, Value

__all__ = ["PATCH", "Small", "look_at"]

PATCH = 3
"""Squares of `SHRINK` samples a side: the window of the dark channel. White cars and windows are smaller than that at a
thumbnail of 256, sky and fog are larger."""

CLOSE = 2
"""The same for the density's statistics, which tell haze by how little of it is dark."""


@dataclass(frozen=True)
class Small:
    """Means and minima over squares of `SHRINK` samples a side."""

    colour: Value
    """(1, 3, h, w), mean."""
    luma: Value
    """(1, 1, h, w), mean."""
    square: Value
    """(1, 1, h, w), mean of luma's square."""
    lowest: Value
    """(1, 3, h, w), the smallest of each channel."""
    close: Value
    """(1, 1, h, w), the smallest of all channels within `CLOSE`."""
    dark: Value
    """(1, 1, h, w), the dark channel: the smallest of all channels within `PATCH`."""


def look_at(graph: Graph, image: Value, guide: Value) -> Small:
    """Looks at a picture, (1, 3, h, w), and its luma."""
    colour, lowest = graph.shrink(image), graph.lowest(image)
    darkest = graph.of_channels("Min", lowest)
    close, dark = graph.minimum(darkest, CLOSE), graph.minimum(darkest, PATCH)
    return Small(colour, graph.luma(colour), graph.shrink(guide * guide), lowest, close, dark)
