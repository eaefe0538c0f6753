from __future__ import annotations

import threading

import pytest

from rtdehaze.pipeline.channel import Cancelled, Channel


def test_items_come_out_in_order_and_the_end_comes_after_the_last() -> None:
    channel: Channel[int] = Channel(2)
    received: list[int] = []
    consumer = threading.Thread(target=lambda: received.extend(channel))
    consumer.start()
    for number in range(100):
        channel.put(number)
    channel.close()
    consumer.join(10)
    assert received == list(range(100))


def test_a_full_channel_blocks_its_producer_until_there_is_room() -> None:
    channel: Channel[int] = Channel(1)
    channel.put(1)
    second_is_in = threading.Event()

    def produce() -> None:
        channel.put(2)
        second_is_in.set()

    producer = threading.Thread(target=produce)
    producer.start()
    assert not second_is_in.wait(0.05)
    assert next(iter(channel)) == 1
    assert second_is_in.wait(10)
    producer.join(10)


@pytest.mark.parametrize("waiting", ["producer", "consumer"])
def test_cancelling_wakes_whoever_waits(waiting: str) -> None:
    channel: Channel[int] = Channel(1)
    if waiting == "producer":
        channel.put(1)
    cancelled = threading.Event()

    def work() -> None:
        try:
            if waiting == "producer":
                channel.put(2)
            else:
                next(iter(channel))
        except Cancelled:
            cancelled.set()

    worker = threading.Thread(target=work)
    worker.start()
    channel.cancel()
    worker.join(10)
    assert cancelled.is_set()


def test_a_cancelled_channel_gives_out_nothing_more() -> None:
    channel: Channel[int] = Channel(2)
    channel.put(1)
    channel.cancel()
    with pytest.raises(Cancelled):
        next(iter(channel))
    with pytest.raises(Cancelled):
        channel.put(2)
