"""What can be changed about dehazing while it goes on, and how the picture glides from one choice to the next."""

from __future__ import annotations

from dataclasses import dataclass

from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Mode

__all__ = ["Choices", "Glide"]


@dataclass(frozen=True, slots=True)
class Choices:
    """Mode, strength and smoothing.

    Raises:
        UsageError: A value is out of its range.
    """

    mode: Mode
    strength: float
    """0 to 100: the share of the haze's optical depth that is removed, in percent."""
    smoothing: float
    """0 to 1: time constant of the haze map in seconds."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if not 0.0 <= self.strength <= 100.0:
            raise UsageError(f"strength must be 0 to 100, not {self.strength:g}")
        if not 0.0 <= self.smoothing <= 1.0:
            raise UsageError(f"smoothing must be 0 to 1 seconds, not {self.smoothing:g}")

    def check_model(self, loaded: bool) -> None:
        """Refuses a mode that needs a model where none is loaded.

        Raises:
            UsageError: It does; only mode `off` goes without one.
        """
        if not loaded and self.mode is not Mode.OFF:
            raise UsageError(f"mode {self.mode.value} needs a model; only mode off goes without one")

    @property
    def share(self) -> float:
        """0 to 1: the share of a hazy picture's haze that is to be removed."""
        return 0.0 if self.mode is Mode.OFF else self.strength / 100.0


class Glide:
    """Moves a number to where it shall be, evenly within some seconds after a change; otherwise it is there at once.

    Args:
        seconds: Length of the way.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = 0.0
        self._begin: float | None = None
        self._now = 0.0

    def begin(self, time: float) -> None:
        """Starts from the number as it stands."""
        self._start, self._begin = self._now, time

    def stop(self) -> None:
        """The next number is taken at once."""
        self._begin = None

    def towards(self, target: float, time: float) -> float:
        """Returns the number on its way to `target`, at `time` in seconds."""
        self._now = target
        if self._begin is not None:
            passed = (time - self._begin) / self._seconds
            if 0.0 <= passed < 1.0:
                self._now = self._start + (target - self._start) * passed
            else:
                self._begin = None
        return self._now
