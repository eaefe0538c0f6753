"""Everything that watches a run, put together from one set of options."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from rtdehaze.apps.watch.command import Command
from rtdehaze.apps.watch.events import Alarms
from rtdehaze.apps.watch.metrics import registry_of
from rtdehaze.apps.watch.options import WatchOptions
from rtdehaze.apps.watch.profiles import ByBrightness, Schedule, parse_brightness, parse_profiles, parse_schedule
from rtdehaze.apps.watch.rules import parse_rule
from rtdehaze.apps.watch.server import MetricsServer, parse_address
from rtdehaze.apps.watch.switch import ProfileSwitch
from rtdehaze.apps.watch.telemetry import Telemetry
from rtdehaze.apps.watch.visibility import quantities
from rtdehaze.apps.watch.webhook import Webhook
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.errors import UsageError
from rtdehaze.core.secrets import redacted
from rtdehaze.core.watch import LiveStatus, Observation, Observer, Profile

__all__ = ["Watch"]

_LAST_MOMENTS_S = 1.0
"""For what is waiting when the run ends: the whole program is to be gone two seconds after Ctrl-C."""


class Watch:
    """Watches one run.

    ::

        with Watch(options, source=location, base=profile) as watch:
            runner = ...                                 # given watch.observers
            watch.follow(runner.status, runner.change)   # once both can be called
            ...

    Made: everything is checked, nothing opened. Entered: files and the port are open, so that what cannot work is said
    before the source is asked for. Left: what is waiting is handled for up to a second from when the first observer was
    closed, which a run does before its outputs are.

    Args:
        options: What to watch for.
        source: The source's name for events; credentials are taken out.
        base: What the run itself does; profiles take from it what they do not say.
        patience: Seconds for which a frame waits before a reading is left out: where none may be, as of a file.

    Raises:
        UsageError: An option cannot be used.
    """

    def __init__(
        self, options: WatchOptions, *, source: str = "", base: Profile | None = None, patience: float = 0.0
    ) -> None:
        self._options, self._source, self._patience = options, redacted(source), patience
        self._base = base or Profile("run")
        self._rules = [parse_rule(text) for text in options.on_haze]
        if options.visibility_distance is None and any(rule.quantity == "visibility_m" for rule in self._rules):
            raise UsageError("on-haze with visibility in metres needs visibility-distance")
        self._actions: list[Webhook | Command] = [Webhook(url) for url in options.on_haze_webhook]
        self._actions += [Command(words, patience=patience) for words in options.on_haze_command]
        if self._actions and not self._rules:
            raise UsageError("on-haze-webhook and on-haze-command need on-haze, which says when")
        self._address = None if options.metrics is None else parse_address(options.metrics)
        self._profiles = parse_profiles(options.profile, self._base)
        self._switch = self._make_switch()
        self._status: Callable[[], LiveStatus] | None = None
        self._observers: list[Observer] = []
        self._latest = _Latest()
        self._telemetry: Telemetry | None = None
        self._alarms: Alarms | None = None
        self._server: MetricsServer | None = None

    @property
    def observers(self) -> tuple[Observer, ...]:
        """Those that are to see every frame; none where nothing was asked for. Known once entered."""
        return tuple(self._observers)

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """All that the run may be changed to, its own left out; a model is needed if the mode of any is not off."""
        return tuple(self._profiles.values())

    @property
    def port(self) -> int | None:
        """Where metrics are served; None where they are not."""
        return None if self._server is None else self._server.port

    def follow(self, status: Callable[[], LiveStatus], change: Callable[[Profile], None]) -> None:
        """Begins to answer with the run's state and to change its profile.

        Args:
            status: The run's state; called from any thread.
            change: Changes the run; called from a thread of the watch, and by the time of day once before this returns.
        """
        self._status = status
        if self._switch is not None:
            self._switch.begin(change)

    def __enter__(self) -> Watch:
        options = self._options
        try:
            if options.telemetry is not None:
                self._telemetry = Telemetry(
                    options.telemetry,
                    distance=options.visibility_distance,
                    interval=options.telemetry_interval,
                    profile=self._profile,
                    patience=self._patience,
                )
                self._observers.append(self._telemetry)
            if self._address is not None:
                registry = registry_of(self._state, self._readings, self._workers)
                self._server = MetricsServer(*self._address, registry, self._state, options.health_after)
                self._observers.append(self._latest)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._begin_alarms()
        if self._switch is not None:
            self._observers.append(self._switch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for observer in self._observers:
            observer.close()
        closed = [worker.closed_at for worker in self._watchers() if worker.closed_at is not None]
        deadline = min(closed, default=time.monotonic()) + _LAST_MOMENTS_S + self._patience
        for worker in self._watchers():
            worker.join(deadline)
        self._close_actions()
        for action in self._actions:
            if not action.worker.join(deadline):
                action.abandon()
        if self._server is not None:
            self._server.close()

    def _close_actions(self) -> None:
        for action in self._actions:
            action.worker.close()

    def _begin_alarms(self) -> None:
        if not self._rules:
            return
        for action in self._actions:
            action.worker.start()
        self._alarms = Alarms(
            self._rules,
            [action.worker.put for action in self._actions],
            distance=self._options.visibility_distance,
            source=self._source,
            profile=self._profile,
            patience=self._patience,
            # Not before: what the rules find last is still handed to the actions.
            finish=self._close_actions,
        )
        self._observers.append(self._alarms)

    def _make_switch(self) -> ProfileSwitch | None:
        schedule, brightness = self._options.profile_schedule, self._options.profile_brightness
        if schedule is not None and brightness is not None:
            raise UsageError("profile-schedule and profile-brightness exclude each other; give one of them")
        plan: Schedule | ByBrightness
        if schedule is not None:
            plan = parse_schedule(schedule, self._profiles)
        elif brightness is not None:
            plan = parse_brightness(brightness, self._profiles)
        elif self._profiles:
            raise UsageError("profile needs profile-schedule or profile-brightness, which says when it is due")
        else:
            return None
        return ProfileSwitch(self._profiles, self._base, plan)

    def _profile(self) -> str | None:
        return None if self._switch is None else self._switch.present.name

    def _state(self) -> LiveStatus | None:
        return None if self._status is None else self._status()

    def _readings(self) -> Mapping[str, float]:
        seen = self._latest.observation
        return {} if seen is None else quantities(seen, self._options.visibility_distance)

    def _watchers(self) -> list[Worker[Any]]:
        return [part.worker for part in (self._telemetry, self._alarms, self._switch) if part is not None]

    def _workers(self) -> list[Worker[Any]]:
        return self._watchers() + [action.worker for action in self._actions]


class _Latest:
    """An observer that remembers the last frame."""

    observation: Observation | None = None

    def see(self, observation: Observation) -> None:
        self.observation = observation

    def close(self) -> None:
        pass
