"""Profiles: what can be said, when each is due, and that a run is changed once for each change."""

from __future__ import annotations

import logging
import time
from datetime import datetime

import pytest

from rtdehaze.apps.watch import switch as switch_module
from rtdehaze.apps.watch.profiles import parse_brightness, parse_profiles, parse_schedule
from rtdehaze.apps.watch.switch import ProfileSwitch
from rtdehaze.core.errors import UsageError
from rtdehaze.core.options import Mode
from rtdehaze.core.watch import Profile
from tests.apps.watch.observed import eventually, frame

BASE = Profile("run", Mode.AUTO, 70.0, 0.4)
PROFILES = parse_profiles(["day:strength=80", "night:mode=manual,smoothing=1", "dusk:mode=off"], BASE)


def minute(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def test_what_a_profile_does_not_say_is_the_runs_own() -> None:
    assert PROFILES["day"] == Profile("day", Mode.AUTO, 80.0, 0.4)
    assert PROFILES["night"] == Profile("night", Mode.MANUAL, 70.0, 1.0)


def test_a_schedule_goes_over_midnight_and_leaves_the_rest_to_the_run() -> None:
    schedule = parse_schedule("day=07:00-19:00,night=21:30-05:00", PROFILES)
    due = {
        clock: schedule.due(minute(clock)) for clock in ("06:59", "07:00", "18:59", "19:00", "21:30", "00:00", "04:59")
    }
    assert list(due.values()) == [None, "day", "day", None, "night", "night", "night"]
    assert schedule.due(minute("05:00")) is None


def test_a_whole_day_is_one_span() -> None:
    for text in ("day=00:00-24:00", "day=06:00-06:00"):
        schedule = parse_schedule(text, PROFILES)
        assert {schedule.due(moment) for moment in range(1440)} == {"day"}


@pytest.mark.parametrize(
    ("profiles", "says"),
    [
        (["day"], None),
        (["1day:mode=auto"], "NAME:mode="),
        (["day:mood=auto"], "mood=auto"),
        (["day:mode=sometimes"], "off, auto, manual"),
        (["day:strength=101"], "0 to 100"),
        (["day:strength=nan"], "0 to 100"),
        (["day:strength=much"], "must be numbers"),
        (["day:strength=1,strength=2"], "at most once"),
        (["day:mode=off", "day:mode=auto"], "given twice"),
        (["run:mode=off"], "taken"),
    ],
)
def test_a_profile_that_is_none_is_refused(profiles: list[str], says: str | None) -> None:
    if says is None:
        assert parse_profiles(profiles, BASE)["day"].strength == 70
        return
    with pytest.raises(UsageError, match=says):
        parse_profiles(profiles, BASE)


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        ("day", "HH:MM-HH:MM"),
        ("day=7:00-19:00", "HH:MM-HH:MM"),
        ("day=07:60-19:00", "HH:MM-HH:MM"),
        ("day=24:00-07:00", "past 24:00"),
        ("dawn=07:00-08:00", "no profile 'dawn'; profiles given: day, night, dusk"),
        ("day=07:00-19:00,night=18:59-07:00", "day and night are both due at 18:59"),
    ],
)
def test_a_schedule_that_is_none_is_refused(schedule: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_schedule(schedule, PROFILES)


@pytest.mark.parametrize(
    "text", ["night", "night>0.1", "night<2", "night<0", "night<0.3,dusk<0.2", "night<0.1,night<0.2", "x<0.1"]
)
def test_steps_of_brightness_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="profile-brightness"):
        parse_brightness(text, PROFILES)


def by_brightness(text: str, course: list[tuple[float, float]]) -> list[tuple[float, str | None]]:
    """Follows (until when, brightness) at 8 frames a second and returns when what became due."""
    plan = parse_brightness(text, PROFILES)
    number = 0
    turns: list[tuple[float, str | None]] = []
    for until, brightness in course:
        while number < until * 8:
            due = plan.update(brightness, number / 8)
            if not turns or turns[-1][1] != due:
                turns.append((number / 8, due))
            number += 1
    return turns


def test_the_first_frame_decides_and_a_change_must_last() -> None:
    assert by_brightness("night<0.15", [(5, 0.1)]) == [(0.0, "night")]
    assert by_brightness("night<0.15", [(5, 0.5), (30, 0.1)]) == [(0.0, None), (15.0, "night")]
    assert by_brightness("night<0.15", [(5, 0.5), (14, 0.1), (14.5, 0.5), (20, 0.1)]) == [(0.0, None)]


def test_dusk_with_lamps_does_not_flap() -> None:
    flicker = [(10 + number * 11.0, 0.14 if number % 2 else 0.17) for number in range(20)]
    assert by_brightness("night<0.15", [(10, 0.1), *flicker]) == [(0.0, "night")]
    assert by_brightness("night<0.15", [(10, 0.1), (30, 0.2)]) == [(0.0, "night"), (20.0, None)]


def test_steps_go_from_dark_to_bright() -> None:
    turns = by_brightness("night<0.1,dusk<0.3", [(5, 0.05), (20, 0.2), (40, 0.6), (60, 0.2), (80, 0.05)])
    assert [name for _, name in turns] == ["night", "dusk", None, "dusk", "night"]


@pytest.fixture
def _looked_at_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of day, fifty times a second."""
    monkeypatch.setattr(switch_module, "_TICK_S", 0.02)


@pytest.mark.usefixtures("_looked_at_often")
def test_the_time_of_day_changes_the_run_once_each_and_at_the_beginning(caplog: pytest.LogCaptureFixture) -> None:
    now = [datetime(2026, 11, 22, 18, 59, 58).timestamp()]
    changed: list[Profile] = []
    looks: list[float] = []
    schedule = parse_schedule("day=07:00-19:00,night=19:00-07:00", PROFILES)

    def look() -> float:
        looks.append(now[0])
        return now[0]

    switch = ProfileSwitch(PROFILES, BASE, schedule, clock=look)
    with caplog.at_level(logging.INFO, "rtdehaze"):
        switch.begin(changed.append)
        assert [profile.name for profile in changed] == ["day"]
        now[0] += 2
        assert eventually(lambda: len(changed) == 2)
        after = len(looks)
        assert eventually(lambda: len(looks) > after + 5)
        switch.close()
        assert switch.worker.join(time.monotonic() + 60)
    assert [profile.name for profile in changed] == ["day", "night"]
    assert [message.split(":")[0] for message in caplog.messages] == ["profile day", "profile night"]


def test_brightness_changes_the_run_and_gives_it_its_own_choices_back() -> None:
    changed: list[Profile] = []
    switch = ProfileSwitch(PROFILES, BASE, parse_brightness("night<0.15", PROFILES))
    switch.begin(changed.append)
    for number, brightness in enumerate([0.5] * 20 + [0.05] * 20 + [0.5] * 20):
        switch.see(frame(number, rate=1.0, brightness=brightness))
    assert switch.worker.dropped == 0
    switch.close()
    assert switch.worker.join(time.monotonic() + 60)
    assert [profile.name for profile in changed] == ["night", "run"]
    assert switch.present == BASE


@pytest.mark.usefixtures("_looked_at_often")
def test_a_run_that_cannot_change_is_said_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    now = [datetime(2026, 11, 22, 12).timestamp()]

    def change(profile: Profile) -> None:
        if profile.name == "night":
            raise RuntimeError("no lamp")

    switch = ProfileSwitch(
        PROFILES, BASE, parse_schedule("day=07:00-19:00,night=19:00-07:00", PROFILES), clock=lambda: now[0]
    )
    switch.begin(change)
    now[0] += 8 * 3600
    assert eventually(lambda: any("no lamp" in message for message in caplog.messages))
    switch.close()
    assert switch.worker.join(time.monotonic() + 60)
    # Changes are told, too, where another test has left the logger to show them.
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
