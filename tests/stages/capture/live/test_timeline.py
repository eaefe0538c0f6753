"""One clock for a whole run: over jumps, drifts, reconnects and missing timestamps."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.stages.capture.live.timeline import VIDEO_BASE, Timeline
from rtdehaze.stages.capture.problems import Notices
from tests.stages.capture.live.watching import strictly_increasing

BEGIN = 1000.0
VIDEO, AUDIO = 0, 1
FRAME = 0.04
SOUND_BASE = Fraction(1, 48_000)


class Sent:
    """Packets of two streams as a camera sends them, put on a timeline."""

    def __init__(self) -> None:
        container = av.open("-", "w", format="null")
        self._streams: list[Any] = [container.add_stream("libx264", rate=25), container.add_stream("aac", rate=48_000)]
        self.timeline = Timeline(BEGIN, Notices("camera"))
        self.connect()

    def connect(self, *, stamped: bool = True, paced: bool = False) -> None:
        self.timeline.connect(main=VIDEO, intervals={VIDEO: FRAME}, stamped=stamped, paced=paced)

    def packet(self, stream: int, stamp: float | Fraction | None, base: Fraction) -> Any:
        packet = av.Packet(10)
        packet.stream = self._streams[stream]
        packet.time_base = base
        packet.pts = packet.dts = None if stamp is None else round(stamp / base)
        packet.duration = round(FRAME / base)
        return packet

    def send(self, stream: int, stamp: float | None, at: float) -> float:
        """Returns where a packet lies that the camera stamped so, and that came `at` seconds into the run."""
        packet = self.packet(stream, stamp, VIDEO_BASE if stream == VIDEO else SOUND_BASE)
        self.timeline.place(packet, BEGIN + at, leads=True)
        return float(packet.pts * packet.time_base)

    def frame(self, stamp: float | None, at: float) -> float:
        place = self.send(VIDEO, stamp, at)
        ticks = round(place / VIDEO_BASE)
        return float(self.timeline.stamp_frame(ticks, VIDEO_BASE, BEGIN + at) * VIDEO_BASE)


def test_the_first_frame_is_where_it_arrived_and_the_others_follow_the_camera() -> None:
    sent = Sent()
    assert sent.frame(500.0, 1.0) == pytest.approx(1.0, abs=1e-4)
    assert sent.frame(500.04, 1.30) == pytest.approx(1.04, abs=1e-4)


def test_frames_that_came_with_one_time_do_not_share_it_in_a_container_that_counts_milliseconds() -> None:
    sent = Sent()
    milliseconds = [round(1000 * sent.frame(stamp, 1.0)) for stamp in (500.0, 500.0, 500.0002, 499.99, 500.04)]
    assert strictly_increasing([float(each) for each in milliseconds])


@pytest.mark.parametrize("jump", [-400.0, -0.5, 5.0, 86_400.0])
def test_a_jump_of_the_clock_is_run_over_by_picture_and_sound_alike(jump: float) -> None:
    sent = Sent()
    frames, sound = [], []
    for number in range(20):
        at = 1.0 + FRAME * number
        stamp = 500.0 + FRAME * number + (jump if number >= 10 else 0.0)
        frames.append(sent.frame(stamp, at))
        # Sound is interleaved later: the first packets after the jump of the picture are from before it.
        late = 500.0 + FRAME * (number - 2) + (jump if number >= 12 else 0.0)
        sound.append(sent.send(AUDIO, late, at))
    assert strictly_increasing(frames)
    assert frames[-1] - frames[0] == pytest.approx(19 * FRAME, abs=0.01)
    assert sound[-1] - sound[0] == pytest.approx(19 * FRAME, abs=0.01)
    assert frames[-1] - sound[-1] == pytest.approx(2 * FRAME, abs=0.01)


def test_a_gap_that_time_has_passed_over_is_no_jump() -> None:
    sent = Sent()
    sent.frame(500.0, 1.0)
    assert sent.frame(507.0, 8.0) == pytest.approx(8.0, abs=0.02)


def test_a_stall_of_the_network_is_no_jump_and_moves_nothing() -> None:
    sent = Sent()
    sent.frame(500.0, 1.0)
    late = [sent.frame(500.0 + FRAME * number, 4.0) for number in range(1, 76)]
    assert late[0] == pytest.approx(1.04, abs=1e-3)
    assert late[-1] == pytest.approx(4.0, abs=1e-3)


def test_a_new_connection_begins_after_the_old_whatever_its_clock_says() -> None:
    sent = Sent()
    times = [sent.frame(500.0, 1.0), sent.frame(500.04, 1.04)]
    sent.connect()
    times += [sent.frame(0.0, 3.0), sent.frame(0.04, 3.04)]
    assert strictly_increasing(times)
    assert times[2] == pytest.approx(3.0, abs=1e-3)


def test_frames_without_timestamps_are_placed_by_arrival() -> None:
    sent = Sent()
    sent.connect(stamped=False)
    assert [sent.frame(None, at) for at in (1.0, 1.2, 1.2, 1.5)] == pytest.approx([1.0, 1.2, 1.2, 1.5], abs=1e-2)


def test_one_frame_without_a_timestamp_follows_the_one_before() -> None:
    sent = Sent()
    times = [sent.frame(500.0, 1.0), sent.frame(None, 1.2), sent.frame(500.08, 1.2)]
    assert times == pytest.approx([1.0, 1.04, 1.08], abs=1e-3)


@pytest.mark.parametrize("error", [-500e-6, 500e-6, 0.002])
def test_a_quartz_that_is_off_never_takes_the_clock_away_from_arrival(error: float) -> None:
    sent = Sent()
    deviations = []
    times = []
    for number in range(0, 25 * 900, 5):
        at = 1.0 + FRAME * number
        times.append(sent.frame(500.0 + FRAME * number * (1 + error), at))
        deviations.append(abs(times[-1] - at))
    assert strictly_increasing(times)
    assert max(deviations) < 0.05


def test_an_offset_by_packets_that_were_read_ahead_is_led_back_without_a_jump() -> None:
    sent = Sent()
    sent.frame(500.0, 1.0)
    times = [sent.frame(500.5 + FRAME * number, 1.0 + FRAME * number) for number in range(2000)]
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert times[0] - 1.0 == pytest.approx(0.5, abs=0.01)
    assert max(abs(step - FRAME) for step in steps) < 0.02 * FRAME
    assert times[-1] - (1.0 + FRAME * 1999) == pytest.approx(0.0, abs=0.01)


def test_what_is_read_at_its_own_pace_and_comes_late_stays_late() -> None:
    sent = Sent()
    sent.connect(paced=True)
    sent.frame(500.0, 1.0)
    sent.frame(500.04, 3.0)
    assert sent.frame(500.08, 3.04) == pytest.approx(3.04, abs=0.01)


def sound_at(sent: Sent, stamp: int, at: float, base: Fraction = SOUND_BASE) -> Fraction | None:
    """Returns where a packet of sound lies; None if it cannot be used."""
    packet = sent.packet(AUDIO, stamp * base, base)
    sent.timeline.place(packet, BEGIN + at, leads=True)
    if not sent.timeline.stamp_packet(packet):
        return None
    assert packet.dts is not None
    return packet.dts * packet.time_base


def test_sound_that_lies_in_what_was_given_out_already_is_left_out() -> None:
    sent = Sent()
    assert sound_at(sent, 24_000_000, 1.0)
    assert sound_at(sent, 24_024_000, 1.5)
    sent.connect()
    assert sound_at(sent, 432_000, 1.2) is None
    assert sound_at(sent, 456_000, 1.7)


@given(st.lists(st.integers(0, 4000), min_size=2, max_size=30), st.sampled_from([44_100, 48_000, 90_000, 1000]))
def test_sound_is_strictly_increasing_however_its_stamps_repeat_and_its_time_base_changes(
    stamps: list[int], rate: int
) -> None:
    sent = Sent()
    places = [sound_at(sent, stamp, 1.0) for stamp in sorted(stamps)]
    sent.connect()
    places += [sound_at(sent, stamp, 1.05, Fraction(1, rate)) for stamp in sorted(stamps)]
    used = [place for place in places if place is not None]
    assert all(before < after for before, after in itertools.pairwise(used))
