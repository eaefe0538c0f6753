"""Observers: told everything in order, and unable to hold a frame up."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rtdehaze.core.haze import Haze
from rtdehaze.core.watch import Observation
from rtdehaze.pipeline.live import feed as feed_module
from rtdehaze.pipeline.live.feed import Feed
from rtdehaze.pipeline.readings import Reading
from tests.live.servers import PATIENCE


def reading(number: int) -> Reading:
    transmission = np.array([[0.2, 0.4, 0.9]], np.float32)
    haze = Haze(transmission, np.array([0.7, 0.8, 0.9], np.float32), density=0.6)
    return Reading(time=1e9 + number, pts=number / 25, frame=number, haze=haze, brightness=0.5, weight=1.0)


class Noting:
    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self.closed = 0

    def see(self, observation: Observation) -> None:
        self.seen.append(observation)

    def close(self) -> None:
        self.closed += 1


class Failing(Noting):
    def see(self, observation: Observation) -> None:
        raise ValueError("no disk")


class Stuck(Noting):
    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    def see(self, observation: Observation) -> None:
        self.release.wait()
        super().see(observation)


@pytest.fixture
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Observers take all that waits, however slow this machine is."""
    monkeypatch.setattr(feed_module, "_CLOSING_S", PATIENCE)


@pytest.mark.usefixtures("_unhurried")
def test_every_observer_sees_every_frame_in_order_and_is_closed() -> None:
    observers = Noting(), Noting()
    feed = Feed(observers)
    for number in range(100):
        feed.give(reading(number))
    feed.close()
    for observer in observers:
        assert [seen.frame for seen in observer.seen] == list(range(100))
        assert observer.closed == 1
    seen = observers[0].seen[7]
    assert seen.transmission == pytest.approx(0.4)
    assert seen.airlight == pytest.approx((0.7, 0.8, 0.9))
    assert (seen.time, seen.pts, seen.density) == (1e9 + 7, 7 / 25, 0.6)


@pytest.mark.usefixtures("_unhurried")
def test_one_that_fails_is_named_once_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    failing, noting = Failing(), Noting()
    feed = Feed([failing, noting])
    for number in range(10):
        feed.give(reading(number))
    feed.close()
    assert len(noting.seen) == 10
    assert caplog.text.count("Failing failed") == 1
    assert failing.closed == 1


def test_one_that_is_stuck_holds_nobody_up_and_what_it_missed_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    stuck = Stuck()
    feed = Feed([stuck])
    # Whoever waited for it would wait for ever.
    for number in range(1000):
        feed.give(reading(number))
    feed.close()
    assert feed.missed >= 999 - 1
    assert "were not noted" in caplog.text
    stuck.release.set()
