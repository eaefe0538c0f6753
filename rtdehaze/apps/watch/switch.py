"""Changing a run's profile when another one is due."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence

from rtdehaze.apps.watch.profiles import ByBrightness, Schedule
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.watch import Observation, Profile

__all__ = ["ProfileSwitch"]

_log = logging.getLogger("rtdehaze.watch")

_ROOM = 64
_TICK_S = 1.0
"""How often the time of day is looked at."""


class ProfileSwitch:
    """An observer that decides which profile is due and changes the run to it, once for each change.

    Args:
        profiles: All that there are, by name.
        base: What the run does where none is due, and as it begins.
        plan: The time of day, or brightness.
        clock: Seconds since the epoch; its local time is what counts.
    """

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        base: Profile,
        plan: Schedule | ByBrightness,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._profiles, self._base, self._plan, self._clock = profiles, base, plan, clock
        self._change: Callable[[Profile], None] | None = None
        self.present = base
        """The profile that the run was last told."""
        self.worker: Worker[Observation] = Worker("profiles", self._look, room=_ROOM, tick=_TICK_S)

    def begin(self, change: Callable[[Profile], None]) -> None:
        """Begins to change the run by this function, which is called from a thread of the switch's own.

        By the time of day the right profile is set before this returns, so that no frame sees another.
        """
        self._change = change
        self._look(())
        self.worker.start()

    def see(self, observation: Observation) -> None:
        """Takes note of a frame's brightness, if that decides."""
        if isinstance(self._plan, ByBrightness):
            self.worker.put(observation)

    def close(self) -> None:
        """Changes nothing more."""
        self.worker.close()

    def _look(self, observations: Sequence[Observation]) -> None:
        if isinstance(self._plan, Schedule):
            now = time.localtime(self._clock())
            self._turn_to(self._plan.due(now.tm_hour * 60 + now.tm_min))
            return
        for observation in observations:
            self._turn_to(self._plan.update(observation.brightness, observation.pts))

    def _turn_to(self, name: str | None) -> None:
        profile = self._base if name is None else self._profiles[name]
        if profile is self.present or self._change is None:
            return
        self.present = profile
        _log.info(
            "profile %s: mode %s, strength %g, smoothing %g",
            profile.name, profile.mode, profile.strength, profile.smoothing,
        )  # fmt: skip
        self._change(profile)
