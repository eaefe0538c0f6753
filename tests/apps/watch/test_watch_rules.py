"""Rules about haze: what can be said, what is refused, and when events begin and end."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.apps.watch.rules import Change, Tracker, parse_rule
from rtdehaze.core.errors import UsageError


def changes(rule: str, values: list[tuple[float, float]]) -> list[tuple[float, str]]:
    """Follows a rule over (pts, value) and returns what happened when."""
    parsed = parse_rule(rule)
    tracker = Tracker(parsed)
    happened = []
    for pts, value in values:
        change = tracker.update({parsed.quantity: value}, pts)
        if change is not None:
            happened.append((round(pts, 3), change.value))
    return happened


def steady(begin: float, end: float, value: float, rate: float = 25.0) -> list[tuple[float, float]]:
    return [(begin + number / rate, value) for number in range(round((end - begin) * rate))]


def test_an_event_begins_once_it_was_true_for_its_time_and_ends_once_it_was_false_for_as_long() -> None:
    course = steady(0, 5, 0.2) + steady(5, 30, 0.7) + steady(30, 60, 0.1)
    assert changes("density>0.5 for 10s", course) == [(15.0, "began"), (40.0, "ended")]


def test_a_moment_of_something_else_begins_the_waiting_anew() -> None:
    course = steady(0, 9, 0.7) + steady(9, 9.1, 0.3) + steady(9.1, 20, 0.7)
    assert changes("density>0.5 for 10s", course) == [(19.1, "began")]
    during = steady(0, 12, 0.7) + steady(12, 21, 0.3) + steady(21, 22, 0.7) + steady(22, 40, 0.3)
    assert changes("density>0.5 for 10s", during) == [(10.0, "began"), (32.0, "ended")]


def test_until_gives_hysteresis_with_a_time_of_its_own() -> None:
    course = steady(0, 3, 0.6) + steady(3, 20, 0.45) + steady(20, 30, 0.3)
    assert changes("density>0.5 for 2s until density<0.4 for 5s", course) == [(2.0, "began"), (25.0, "ended")]
    assert changes("density>0.5 for 2s until <0.4", course) == [(2.0, "began"), (22.0, "ended")]
    assert changes("density>0.5 for 2s", course) == [(2.0, "began"), (5.0, "ended")]


def test_without_a_time_the_first_frame_decides() -> None:
    course = [(0.0, 0.4), (0.04, 0.6), (0.08, 0.5), (0.12, 0.6)]
    assert changes("density>0.5", course) == [(0.04, "began"), (0.08, "ended"), (0.12, "began")]
    assert changes("density>=0.5", course) == [(0.04, "began")]


def test_what_was_not_seen_counts_for_nothing() -> None:
    away = steady(0, 6, 0.7) + steady(26, 40, 0.7)
    assert changes("density>0.5 for 10s", away) == [(36.0, "began")]
    back_in_time = steady(100, 106, 0.7) + steady(3, 14, 0.7)
    assert changes("density>0.5 for 10s", back_in_time) == [(13.0, "began")]


def test_a_camera_of_one_picture_in_eight_seconds_can_meet_a_rule() -> None:
    assert changes("density>0.5 for 10s", [(8.0 * number, 0.7) for number in range(4)]) == [(16.0, "began")]


def test_metres_are_another_quantity() -> None:
    rule = parse_rule("visibility<0.2km for 1min until >300m")
    assert rule.quantity == "visibility_m"
    assert (rule.begin.number, rule.begin.seconds) == (200, 60)
    assert (rule.end.number, rule.end.seconds) == (300, 60)


@pytest.mark.parametrize(
    ("rule", "says", "where"),
    [
        ("", "density, visibility, transmission or brightness", "at the end"),
        ("fog>0.5", "density, visibility, transmission or brightness", "'fog' (character 1)"),
        ("density=0.5", "<, <=, > or >=", "'=' (character 8)"),
        ("density>", "a number", "at the end"),
        ("density>much", "a number", "'much' (character 9)"),
        ("density>5", "from 0 to 1", "'5' (character 9)"),
        ("density>200m", "from 0 to 1", "'200' (character 9)"),
        ("density>0.5 fro 10s", "'for', 'until' or the end", "'fro' (character 13)"),
        ("density>0.5 for", "a number", "at the end"),
        ("density>0.5 for 10", "ms, s, min or h", "at the end"),
        ("density>0.5 for 10 weeks", "ms, s, min or h", "'weeks' (character 20)"),
        ("density>0.5 for 10s; rm -rf", "'for', 'until' or the end", "';' (character 20)"),
        ("density>0.5 until >0.4", "never holds together", "'>' (character 19)"),
        ("density>0.5 until <0.6", "never holds together", "'<' (character 19)"),
        ("density>=0.5 until <=0.5", "never holds together", "'<=' (character 20)"),
        ("density>0.5 until brightness<0.2", "density, as before", "'brightness' (character 19)"),
        ("visibility<200m until >0.5", "metres (m or km), as before", "'>' (character 23)"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_place(rule: str, says: str, where: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_rule(rule)
    message = str(refusal.value)
    assert repr(rule) in message
    assert says in message
    assert message.endswith(where)
    assert "\n" not in message


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_a_usage_error(text: str) -> None:
    try:
        parse_rule(text)
    except UsageError:
        return
    assert re.search("[<>]", text)


@given(
    st.lists(st.floats(0, 1), max_size=300), st.sampled_from(["density>0.5 for 2s", "density<0.3 for 1s until >0.6"])
)
def test_events_begin_and_end_in_turns(values: list[float], rule: str) -> None:
    happened = [what for _, what in changes(rule, [(number / 5, value) for number, value in enumerate(values)])]
    assert happened == [(Change.BEGAN, Change.ENDED)[number % 2].value for number in range(len(happened))]
