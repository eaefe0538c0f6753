"""How long to wait between attempts."""

from __future__ import annotations

import pytest

from rtdehaze.stages.capture.live import backoff as backoff_module
from rtdehaze.stages.capture.live.backoff import Backoff


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(backoff_module.time, "monotonic", lambda: now[0])
    return now


def test_waits_double_up_to_the_cap_and_are_shortened_by_half_at_most() -> None:
    backoff = Backoff(2.0)
    for longest in (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0):
        assert longest / 2 <= backoff.fail() <= longest
    assert backoff.attempts == 7


def test_they_differ_between_programs() -> None:
    assert len({Backoff(2.0).fail() for _ in range(20)}) > 10


def test_a_connection_that_lasted_is_taken_up_again_almost_at_once(clock: list[float]) -> None:
    backoff = Backoff(2.0)
    for _ in range(10):
        backoff.fail()
    backoff.join()
    clock[0] += 60.0
    assert backoff.fail() <= 0.1
    assert backoff.attempts == 1


def test_one_that_breaks_at_once_again_and_again_is_not_made_ten_times_a_second(clock: list[float]) -> None:
    backoff = Backoff(2.0)
    for _ in range(10):
        backoff.join()
        clock[0] += 0.1
        assert 0.2 <= backoff.fail() <= 0.4
        assert backoff.attempts == 1
