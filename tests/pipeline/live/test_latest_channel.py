from __future__ import annotations

import threading

import pytest

from rtdehaze.pipeline.channel import Ended
from rtdehaze.pipeline.live.channel import LatestChannel


def channel(capacity: int = 1) -> LatestChannel[int | str]:
    """Numbers are frames, words are not."""
    return LatestChannel(capacity, lambda item: isinstance(item, int))


def test_a_full_channel_drops_its_oldest_frame_and_never_waits() -> None:
    latest = channel(2)
    assert [latest.offer(number) for number in range(5)] == [None, None, 0, 1, 2]
    latest.close()
    assert list(latest) == [3, 4]


def test_what_is_no_frame_is_never_dropped_and_keeps_its_place() -> None:
    latest = channel(1)
    dropped = [latest.offer(item) for item in ("joined", 0, "sound", 1, "more sound", "lost", 2)]
    assert [item for item in dropped if item is not None] == [0, 1]
    latest.close()
    assert list(latest) == ["joined", "sound", "more sound", "lost", 2]


def test_a_frame_that_was_taken_makes_room() -> None:
    latest = channel(1)
    assert latest.offer(0) is None
    assert latest.take() == 0
    assert latest.offer(1) is None


def test_a_closed_channel_gives_back_what_is_offered() -> None:
    latest = channel()
    latest.offer(0)
    latest.close()
    assert latest.offer(1) == 1
    assert latest.take() == 0
    with pytest.raises(Ended):
        latest.take()


def test_discarding_returns_what_waited_and_ends_the_consumer() -> None:
    latest = channel(2)
    for item in (0, "sound", 1):
        latest.offer(item)
    assert latest.discard() == [0, "sound", 1]
    with pytest.raises(Ended):
        latest.take()


def test_a_consumer_that_waits_for_a_time_gets_nothing_after_it() -> None:
    assert channel().take(0.0) is None


def test_between_threads_every_frame_is_taken_or_dropped_exactly_once() -> None:
    latest = channel(2)
    taken: list[int | str] = []
    consumer = threading.Thread(target=lambda: taken.extend(latest))
    consumer.start()
    dropped = []
    for number in range(20_000):
        gone = latest.offer(number)
        if gone is not None:
            dropped.append(gone)
        if number % 100 == 0:
            latest.offer(str(number))
    latest.close()
    consumer.join(30)
    frames = [item for item in taken if isinstance(item, int)]
    assert sorted(frames + dropped) == list(range(20_000))
    assert frames == sorted(frames)
    assert [item for item in taken if isinstance(item, str)] == [str(number) for number in range(0, 20_000, 100)]
