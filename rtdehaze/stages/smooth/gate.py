"""Whether a clip is hazy enough to be touched: a gate on the haze density that cannot flap."""

from __future__ import annotations

from rtdehaze.core.errors import UsageError

__all__ = ["Gate"]


class Gate:
    """Turns haze density into the weight of dehazing, with hysteresis and a ramp in seconds.

    It opens when the density rises to `hazy_above`, closes when it falls to `clear_below`, and keeps its state
    in between: a clip that hovers at either threshold does not flicker. The first frame decides at once: hazy
    from the middle of the two thresholds upwards.

    Args:
        hazy_above: Density in [0, 1] that opens the gate.
        clear_below: Density in [0, 1], below `hazy_above`, that closes it.
        seconds: Length of the ramp between closed and open; 0 switches at once.

    Raises:
        UsageError: The thresholds are not in order or not in [0, 1], or `seconds` is negative.
    """

    def __init__(self, hazy_above: float, clear_below: float, seconds: float) -> None:
        if not 0.0 <= clear_below < hazy_above <= 1.0:
            raise UsageError(f"gate thresholds must hold 0 <= {clear_below = } < {hazy_above = } <= 1")
        if not seconds >= 0.0:
            raise UsageError(f"the gate's ramp must be 0 s or longer, not {seconds} s")
        self._hazy_above = hazy_above
        self._clear_below = clear_below
        self._seconds = seconds
        self._open: bool | None = None
        self._weight = 0.0
        self._time = 0.0

    def reset(self) -> None:
        """Forgets the scene; the next frame decides at once."""
        self._open = None

    def update(self, density: float, time: float) -> float:
        """Takes one frame.

        Args:
            density: Haze density of the frame, in [0, 1].
            time: Its presentation time in seconds; a time that stands still or goes back counts as no step.

        Returns:
            The weight of dehazing in [0, 1]; exactly 0 while the gate is closed, exactly 1 while it is open.
        """
        if self._open is None:
            self._open = density >= 0.5 * (self._hazy_above + self._clear_below)
            self._weight = float(self._open)
            self._time = time
            return self._weight
        if density >= self._hazy_above:
            self._open = True
        elif density <= self._clear_below:
            self._open = False
        step = max(0.0, time - self._time)
        self._time = time
        change = step / self._seconds if self._seconds > 0.0 else 1.0
        if self._open:
            self._weight = min(1.0, self._weight + change)
        else:
            self._weight = max(0.0, self._weight - change)
        return self._weight
