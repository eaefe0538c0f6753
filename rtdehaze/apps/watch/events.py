"""Events: a rule about haze began or ceased to hold; they go to the log and to whoever is to act on them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rtdehaze.apps.watch.rules import Change, Rule, Tracker
from rtdehaze.apps.watch.telemetry import timestamp
from rtdehaze.apps.watch.visibility import quantities
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.watch import Observation

__all__ = ["FIELDS", "Alarms", "Event"]

_log = logging.getLogger("rtdehaze.watch")

_ROOM = 256
"""Frames that may wait to be judged, which takes microseconds."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, with the frame that decided it."""

    event: str
    """`began` or `ended`."""
    rule: str
    quantity: str
    value: float
    time: str
    """ISO 8601, UTC: when that frame arrived."""
    pts: float
    frame: int
    lasted: float | None
    """Seconds from `began` to `ended`; None when it begins."""
    source: str
    """Credentials taken out."""
    profile: str | None
    density: float
    visibility: float
    transmission: float
    brightness: float
    visibility_m: float | None = None
    """Metres; None where the distance is not known."""


FIELDS = tuple(Event.__dataclass_fields__)
"""What is known of an event, by name."""


class Alarms:
    """An observer that follows rules and hands on the events.

    Args:
        rules: What to follow.
        hand_on: Called with each event, in order; must not wait.
        distance: As of `quantities`.
        source: What is watched, credentials taken out.
        profile: Says the name of the present profile.
        patience: As of `Worker`.
        finish: Called at the end, when all was judged.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        hand_on: Sequence[Callable[[Event], None]],
        *,
        distance: float | None = None,
        source: str = "",
        profile: Callable[[], str | None] = lambda: None,
        patience: float = 0.0,
        finish: Callable[[], None] | None = None,
    ) -> None:
        self._trackers = [Tracker(rule) for rule in rules]
        self._hand_on, self._distance, self._source, self._profile = hand_on, distance, source, profile
        self.worker: Worker[Observation] = Worker("on-haze", self._judge, room=_ROOM, patience=patience, finish=finish)
        self.worker.start()

    def see(self, observation: Observation) -> None:
        """Queues a frame's haze to be judged."""
        self.worker.put(observation)

    def close(self) -> None:
        """Judges what is waiting, soon after. An event that goes on is not ended by the end of the run."""
        self.worker.close()

    def _judge(self, observations: Sequence[Observation]) -> None:
        for observation in observations:
            numbers = quantities(observation, self._distance)
            for tracker in self._trackers:
                began = tracker.began
                change = tracker.update(numbers, observation.pts)
                if change is not None:
                    lasted = None if began is None else round(observation.pts - began, 3)
                    self._tell(self._event(change, tracker.rule, observation, numbers, lasted))

    def _event(
        self, change: Change, rule: Rule, observation: Observation, numbers: dict[str, float], lasted: float | None
    ) -> Event:
        readings = {name: round(number, 4) for name, number in numbers.items()}
        return Event(
            event=change.value,
            rule=rule.text,
            quantity=rule.quantity,
            value=readings[rule.quantity],
            time=timestamp(observation.time),
            pts=round(observation.pts, 4),
            frame=observation.frame,
            lasted=lasted,
            source=self._source,
            profile=self._profile(),
            **readings,
        )

    def _tell(self, event: Event) -> None:
        after = "" if event.lasted is None else f" after {event.lasted:.1f} s"
        _log.warning(
            "on-haze: %s%s: %s (%s is %g at %s)",
            event.event,
            after,
            event.rule,
            event.quantity,
            event.value,
            event.time,
        )
        for hand_on in self._hand_on:
            hand_on(event)
