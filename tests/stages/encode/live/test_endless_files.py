"""A file that grows for weeks costs no more memory than a new one."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import pytest

from rtdehaze.stages.encode.containers import CONTAINERS, endless
from rtdehaze.stages.encode.live.encoding import Encoding, Shot
from rtdehaze.stages.encode.live.feed import Feed, Parcel, Tags, duplicate
from rtdehaze.stages.encode.live.writing import Writing
from rtdehaze.stages.encode.planning import EncoderRequest, plan_encoder
from tests.stages.encode.live.drive import RATE, Drive

WARM, MORE = 5_000, 25_000
"""Frames before and after the first look; a quarter of an hour at the drive's rate."""


class Nowhere:
    """A file that keeps nothing."""

    def __init__(self) -> None:
        self._place = 0

    def write(self, data: bytes) -> int:
        self._place += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset if whence == 0 else self._place + offset
        return self._place

    def tell(self) -> int:
        return self._place


def memory() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mp4", "mkv"])
def test_memory_does_not_grow_with_the_file(name: str) -> None:
    drive = Drive()
    kind = endless(CONTAINERS[name])
    encoding = Encoding(plan_encoder(kind, drive.video, (160, 96), EncoderRequest(prompt=True)), drive.video, gop=2.0)
    frame = drive.frame()
    encoding.open(frame)
    (first,) = encoding.encode(Shot(frame))
    writing = Writing(Nowhere(), Feed(kind, encoding.plan, encoding.stream, [], Tags()))
    before = 0
    for number in range(WARM + MORE):
        if number == WARM:
            before = memory()
        native = duplicate(first.native)
        native.pts = native.dts = round(Fraction(number, RATE) / native.time_base)
        native.is_keyframe = number % 50 == 0
        writing.write(Parcel(native, Fraction(number, RATE), key=native.is_keyframe))
    grown = memory() - before
    writing.close()
    assert grown < 1_000_000
