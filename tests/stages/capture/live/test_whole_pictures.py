"""Keyframes that come in pieces: one picture each, whole, and none of them late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import LiveOptions
from rtdehaze.stages.capture.live import open_live_source
from rtdehaze.stages.capture.live.pictures import whole_pictures
from tests.live.servers import RtspServer

START = b"\0\0\0\1"


@pytest.fixture
def container(tmp_path: Path) -> Iterator[Any]:
    """Its streams are those of the packets: video 0, sound 1."""
    with av.open(str(tmp_path / "any.mkv"), "w") as opened:
        opened.add_stream("libx264", rate=25)
        opened.add_stream("aac", rate=48_000)
        yield opened


def packet(container: Any, data: bytes, pts: int | None, *, key: bool = False, stream: int = 0) -> Packet[Any]:
    made: Packet[Any] = Packet(data)
    made.stream = container.streams[stream]
    made.pts = made.dts = pts
    made.time_base = Fraction(1, 90_000)
    made.is_keyframe = key
    return made


def seen(packets: list[Packet[Any]]) -> list[tuple[bytes, int | None]]:
    return [(bytes(one), one.pts) for one in whole_pictures(packets, 0)]


def test_the_pieces_of_a_keyframe_become_one_packet(container: Any) -> None:
    packets = [
        packet(container, START + b"a", None, key=True),
        packet(container, START + b"b", 0, key=True),
        packet(container, START + b"c", 3600),
        packet(container, START + b"d", 7200, key=True),
        packet(container, START + b"e", 7200, key=True),
        packet(container, START + b"f", 10_800),
    ]
    assert seen(packets) == [
        (START + b"a" + START + b"b", 0),
        (START + b"c", 3600),
        (START + b"d" + START + b"e", 7200),
        (START + b"f", 10_800),
    ]


def test_once_their_number_is_known_nothing_waits_for_the_next_picture(container: Any) -> None:
    packets = [packet(container, START + bytes([65 + n]), n // 2 * 3600, key=True) for n in range(6)]
    taken: list[int] = []

    def taking() -> Iterator[Packet[Any]]:
        for number, one in enumerate(packets):
            taken.append(number)
            yield one

    pictures = whole_pictures(taking(), 0)
    after = [(next(pictures).pts, taken[-1]) for _ in range(3)]
    assert after == [(0, 2), (3600, 3), (7200, 5)]


def test_pieces_that_begin_later_are_joined_from_the_next_keyframe_on(container: Any) -> None:
    pts = [0, 3600, 7200, 7200, 10_800, 14_400, 14_400, 18_000]
    packets = [packet(container, START, stamp, key=stamp in {0, 7200, 14_400}) for stamp in pts]
    assert [stamp for _, stamp in seen(packets)] == [0, 3600, 7200, 7200, 10_800, 14_400, 18_000]


def test_what_is_no_piece_is_left_as_it_is(container: Any) -> None:
    packets = [
        packet(container, b"\0\0\0\5media", 0, key=True),
        packet(container, b"\0\0\0\5media", 0, key=True),
        packet(container, b"sound", 0, key=True, stream=1),
        packet(container, START, None),
        packet(container, b"\xff\xd8jpeg", None, key=True),
        packet(container, b"\xff\xd8jpeg", None, key=True),
    ]
    assert sorted(seen(packets), key=str) == sorted([(bytes(one), one.pts) for one in packets], key=str)


def test_pictures_of_a_server_that_sends_keyframes_in_pieces_are_whole_and_one_each(rtsp_server: RtspServer) -> None:
    with closing(open_live_source(rtsp_server.play_url, LiveOptions(), threads=2)) as source:
        frames = list(islice((item for item in source.items() if isinstance(item, Frame)), 80))
    times = [frame.time for frame in frames]
    assert min(after - before for before, after in pairwise(times)) > 0.02
    # A part that is missing is green: no light and no colour.
    for frame in frames:
        luma, blue = (np.asarray(plane.samples[: plane.samples.shape[0] // 4]) for plane in frame.planes[:2])
        assert luma.max() > 8 or np.abs(blue.astype(int) - 128).max() < 64
