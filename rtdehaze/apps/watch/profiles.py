"""Profiles in words, and when each is due: by the time of day or by the picture's brightness."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Options
from rtdehaze.core.watch import Profile

__all__ = ["ByBrightness", "Schedule", "parse_brightness", "parse_profiles", "parse_schedule"]

_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_SPAN = re.compile(rf"({_NAME})=(\d\d):(\d\d)-(\d\d):(\d\d)")
_STEP = re.compile(rf"({_NAME})<(\d*\.?\d+)")
_DAY_MINUTES = 24 * 60

BRIGHTER = 1.25
"""A darker profile is left when the picture is a quarter brighter than where it begins: the lamps that come on at dusk
must not bring the day back."""

BRIGHTNESS_HOLD_S = 10.0
"""For so long the brightness must stay where another profile is due: a car's headlights are no dawn."""


def parse_profiles(texts: Sequence[str], base: Profile) -> dict[str, Profile]:
    """Reads profiles such as `day:mode=auto,strength=80,smoothing=0.5`.

    Args:
        texts: One each.
        base: Gives what a profile does not say.

    Raises:
        UsageError: A text is no profile, a value is out of its range, or a name comes twice.
    """
    profiles: dict[str, Profile] = {}
    for text in texts:
        name, _, rest = text.partition(":")
        if not re.fullmatch(_NAME, name):
            raise UsageError(f"profile {text!r}: write NAME:mode=auto,strength=80,smoothing=0.5")
        if name in profiles or name == base.name:
            raise UsageError(
                f"profile {name!r} is {'taken' if name == base.name else 'given twice'}; choose another name"
            )
        profiles[name] = _profile(text, name, rest, base)
    return profiles


def _profile(text: str, name: str, rest: str, base: Profile) -> Profile:
    said: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = (word.strip() for word in part.partition("="))
        if key not in ("mode", "strength", "smoothing") or not equals or key in said:
            raise UsageError(f"profile {text!r}: {part!r} is not mode=, strength= or smoothing=, each at most once")
        said[key] = value
    try:
        numbers = {key: float(value) for key, value in said.items() if key != "mode"}
        # The ranges stand in one place.
        checked = Options(mode=said.get("mode", base.mode), **numbers)  # type: ignore[arg-type]
    except UsageError as error:
        raise UsageError(f"profile {text!r}: {error}") from None
    except ValueError:
        raise UsageError(f"profile {text!r}: strength and smoothing must be numbers") from None
    return replace(base, name=name, mode=checked.mode, **numbers)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which profile is due at which minute of the day."""

    spans: tuple[tuple[str, int, int], ...]
    """Name, first minute, minute after the last; the end is before the beginning where midnight lies between."""

    def due(self, minute: int) -> str | None:
        """Names the profile of a minute from 0 to 1439; None where there is none."""
        for name, first, end in self.spans:
            if (minute - first) % _DAY_MINUTES < ((end - first) % _DAY_MINUTES or _DAY_MINUTES):
                return name
        return None


def parse_schedule(text: str, profiles: Mapping[str, Profile]) -> Schedule:
    """Reads a schedule such as `day=07:00-19:00,night=19:00-07:00`.

    Raises:
        UsageError: It is none, names no profile, or spans overlap.
    """
    spans = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if not match or int(match[3]) > 59 or int(match[5]) > 59:
            raise UsageError(f"profile-schedule: {part!r} is not NAME=HH:MM-HH:MM")
        _known("profile-schedule", match[1], profiles)
        first, end = int(match[2]) * 60 + int(match[3]), int(match[4]) * 60 + int(match[5])
        if first >= _DAY_MINUTES or end > _DAY_MINUTES:
            raise UsageError(f"profile-schedule: {part!r} is past 24:00")
        spans.append((match[1], first, end % _DAY_MINUTES))
    schedule = Schedule(tuple(spans))
    for minute in range(_DAY_MINUTES):
        due = [span[0] for span in spans if Schedule((span,)).due(minute)]
        if len(due) > 1:
            clock = f"{minute // 60:02}:{minute % 60:02}"
            raise UsageError(f"profile-schedule: {due[0]} and {due[1]} are both due at {clock}")
    return schedule


@dataclass(slots=True)
class ByBrightness:
    """Which profile is due by the picture's brightness; remembers, so that it does not flap."""

    steps: tuple[tuple[str, float], ...]
    """Name and the brightness below which it is due, from dark to bright."""
    present: str | None = None
    """The profile that is due; None above all steps."""
    _begun: bool = False
    _other: str | None = None
    _since: float = 0.0

    def update(self, brightness: float, pts: float) -> str | None:
        """Takes a frame and returns the profile that is due; the first frame decides at once.

        Args:
            brightness: Mean of the picture's RGB, 0 to 1.
            pts: Seconds on the run's clock.
        """
        due = self._step(brightness)
        if not self._begun:
            self._begun, self.present = True, due
        if due == self.present:
            self._other = due
        elif due != self._other or pts < self._since:
            self._other, self._since = due, pts
        elif pts - self._since >= BRIGHTNESS_HOLD_S:
            self.present = due
        return self.present

    def _step(self, brightness: float) -> str | None:
        names = [name for name, _ in self.steps]
        at = names.index(self.present) if self._begun and self.present is not None else len(names)
        for place, (name, limit) in enumerate(self.steps):
            if brightness < (limit * BRIGHTER if self._begun and at <= place else limit):
                return name
        return None


def parse_brightness(text: str, profiles: Mapping[str, Profile]) -> ByBrightness:
    """Reads steps of brightness such as `night<0.15` or `night<0.1,dusk<0.3`.

    Raises:
        UsageError: It is none, names no profile, or the steps do not rise.
    """
    steps: list[tuple[str, float]] = []
    for part in text.split(","):
        match = _STEP.fullmatch(part.strip().replace(" ", ""))
        if not match or not 0 < float(match[2]) <= 1:
            raise UsageError(f"profile-brightness: {part!r} is not NAME<NUMBER with a number from 0 to 1")
        _known("profile-brightness", match[1], profiles)
        if steps and (float(match[2]) <= steps[-1][1] or match[1] in {name for name, _ in steps}):
            raise UsageError(f"profile-brightness: {part!r} must be brighter than the one before, and another profile")
        steps.append((match[1], float(match[2])))
    return ByBrightness(tuple(steps))


def _known(option: str, name: str, profiles: Mapping[str, Profile]) -> None:
    if name not in profiles:
        there = ", ".join(profiles) or "none"
        raise UsageError(f"{option}: there is no profile {name!r}; profiles given: {there}")
