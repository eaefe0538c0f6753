"""An index of visibility from the transmission of a picture whose distances are not known."""

from __future__ import annotations

import math

from rtdehaze.core.watch import Observation

__all__ = ["CLEAREST", "QUANTITIES", "quantities", "visibility_index", "visual_range"]

CONTRAST_THRESHOLD = 0.05
"""What is left of a black object's contrast at the meteorological optical range (CIE S 017, 17-31-018)."""

CLEAREST = 0.95
"""Median transmission from which the air counts as clear: the estimate cannot tell it from 1."""

_LEAST = 0.001
"""Keeps the logarithm finite; estimates end at 0.05 anyway."""

QUANTITIES = ("density", "visibility", "transmission", "brightness")
"""What rules can be about; each is 0 to 1. `visibility_m` is a fifth, in metres."""


def visual_range(transmission: float) -> float:
    """Says how far one sees, in multiples of the picture's median distance.

    In even air transmission falls with distance d as t = exp(-beta * d) (Koschmieder 1924), and the meteorological
    optical range is the distance at which it is 0.05: V = -ln(0.05) / beta (CIE S 017, 17-31-018). beta cannot be seen
    in a picture without distances, but the ratio of V to the distance of any pixel can: V / d = ln(0.05) / ln(t).

    Args:
        transmission: Median over the picture, taken as that of the median distance; held within 0.001 and `CLEAREST`.

    Returns:
        V / d: 1 where half of the picture lies beyond the visual range, at most 58.4.
    """
    return math.log(CONTRAST_THRESHOLD) / math.log(min(max(transmission, _LEAST), CLEAREST))


def visibility_index(transmission: float) -> float:
    """Puts the visual range on a scale from 0 to 1, equal steps being equal ratios of visibility.

    0 where the range is the picture's median distance or less (t = 0.05), 1 where nothing dims what is seen
    (t >= 0.95): ln(V / d) / ln(V / d at t = 0.95). It compares one fixed view with itself; another view has other
    distances. In between: t = 0.1 is 0.06, 0.3 is 0.22, 0.5 is 0.36, 0.7 is 0.52, 0.9 is 0.82.
    """
    index = math.log(visual_range(transmission)) / math.log(visual_range(1.0))
    return min(1.0, max(0.0, index))


def quantities(observation: Observation, distance: float | None = None) -> dict[str, float]:
    """Returns what can be said of a frame in numbers, by name.

    Args:
        observation: The frame's haze.
        distance: Metres of which half of the picture is nearer; given, `visibility_m` is among the answers: the
            meteorological optical range in metres, at most 58.4 times the distance, which then means that or more.
    """
    numbers = {
        "density": observation.density,
        "visibility": visibility_index(observation.transmission),
        "transmission": observation.transmission,
        "brightness": observation.brightness,
    }
    if distance is not None:
        numbers["visibility_m"] = distance * visual_range(observation.transmission)
    return numbers
