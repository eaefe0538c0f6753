"""What can be chosen for watching a run; light, so that the command line can read it for its help."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rtdehaze.core.errors import UsageError

__all__ = ["WatchOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """What can be chosen for watching a run.

    Raises:
        UsageError: A number is out of its range; the message names the option, the value and the range.
    """

    telemetry: str | None = None
    """A file to append JSON lines to, or `-`."""
    telemetry_interval: float = 0.0
    """Least seconds between two lines; 0 writes every frame's."""
    visibility_distance: float | None = None
    """Metres of which half of the picture is nearer; turns visibility into metres."""
    on_haze: tuple[str, ...] = ()
    """Rules, as of `parse_rule`."""
    on_haze_webhook: tuple[str, ...] = ()
    on_haze_command: tuple[str, ...] = ()
    metrics: str | None = None
    """`[HOST:]PORT`."""
    health_after: float = 10.0
    """Seconds without a frame after which the run counts as unwell."""
    profile: tuple[str, ...] = ()
    profile_schedule: str | None = None
    profile_brightness: str | None = None

    def __post_init__(self) -> None:
        """Checks the numbers; the words are read by `Watch`."""
        distance, interval, after = self.visibility_distance, self.telemetry_interval, self.health_after
        if distance is not None and not (distance > 0 and math.isfinite(distance)):
            raise UsageError(f"visibility-distance must be more than 0 metres, not {distance:g}")
        if not (interval >= 0 and math.isfinite(interval)):
            raise UsageError(f"telemetry-interval must be 0 seconds or more, not {interval:g}")
        if not (after > 0 and math.isfinite(after)):
            raise UsageError(f"health-after must be more than 0 seconds, not {after:g}")
