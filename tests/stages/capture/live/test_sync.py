"""Sound stays with its picture: flashes and beeps at one time leave at one time, over reconnects and jumps, too."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from rtdehaze.core.frame import Frame
from rtdehaze.core.live import Joined, LiveOptions
from rtdehaze.core.stream import Packet
from rtdehaze.stages.capture.live import open_live_source
from tests.live.servers import HostileServer, sends
from tests.stages.capture.live.flashes import RATE, SAMPLES, SECONDS, marked


def onsets(marks: list[tuple[float, bool]]) -> list[float]:
    """Returns the times at which something begins."""
    return [time for (_, before), (time, now) in itertools.pairwise(marks) if now and not before]


def loud(packet: Packet, decoder: Any) -> list[tuple[float, bool]]:
    native: Any = packet.native
    found = []
    for sound in decoder.decode(native):
        wave = sound.to_ndarray().astype(np.float32).reshape(-1)
        at = np.abs(wave) > 0.2 * (1.0 if sound.format.name.startswith("flt") else 32768.0)
        first = int(at.argmax()) if at.any() else 0
        found.append((float(sound.pts * native.time_base) + first / SAMPLES, bool(at.any())))
    return found


def flashes_and_beeps(url: str, wanted: int) -> tuple[list[float], list[float]]:
    seen: list[tuple[float, bool]] = []
    heard: list[tuple[float, bool]] = []
    decoder: Any = None
    source = open_live_source(url, LiveOptions())
    for item in source.items():
        if isinstance(item, Joined):
            native: Any = item.copied[0].native
            decoder = native.codec_context
        elif isinstance(item, Frame):
            seen.append((item.time, float(item.planes[0].samples.mean()) > 128))
        elif isinstance(item, Packet):
            heard.extend(loud(item, decoder))
        if len(onsets(seen)) >= wanted and len(onsets(heard)) >= wanted:
            source.close()
    return onsets(seen), onsets(heard)


def assert_together(seen: list[float], heard: list[float], wanted: int) -> None:
    assert len(seen) == len(heard) == wanted
    for flash, beep in zip(seen, heard, strict=True):
        assert abs(flash - beep) < 1 / RATE, (seen, heard)


def test_over_reconnects() -> None:
    payload = marked(100)
    with HostileServer(sends(payload, rate=len(payload) / SECONDS)) as server:
        assert_together(*flashes_and_beeps(server.url("tcp", ""), 2), wanted=2)


def test_over_a_jump_of_the_clock() -> None:
    payload = marked(7000) + marked(100)
    with HostileServer(sends(payload, rate=len(payload) / (2 * SECONDS), hold=True)) as server:
        assert_together(*flashes_and_beeps(server.url("tcp", ""), 2), wanted=2)
