"""The encoders of live outputs: nothing is held back, keyframes come when they are asked for, all share one."""

from __future__ import annotations

import select
import socket
from collections.abc import Collection
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from rtdehaze.core.frame import PIXEL_FORMATS
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.stages.encode.containers import CONTAINERS
from rtdehaze.stages.encode.encoders import available_encoders
from rtdehaze.stages.encode.frames import wrap
from rtdehaze.stages.encode.live import open_live_outputs
from rtdehaze.stages.encode.live.encoding import Encoding, Shot
from rtdehaze.stages.encode.planning import EncoderRequest, plan_encoder
from rtdehaze.stages.encode.settings import CODECS, options_for
from tests.live.servers import PATIENCE
from tests.media import packets
from tests.stages.encode.live.drive import RATE, Drive, run

LIVE_CODECS = ["h264", "hevc", "av1", "vp9", "vp8", "mjpeg", "mpeg4", "mpeg2video", "ffv1"]


def encoding(codec: str, *, gop: float | None = None, size: tuple[int, int] = (160, 96)) -> Encoding:
    request = EncoderRequest(codec=codec, prompt=True, gop=gop)
    plan = plan_encoder(CONTAINERS["mkv"], Drive(*size).video, size, request)
    return Encoding(plan, Drive(*size).video, gop=gop)


def keys(made: Encoding, drive: Drive, frames: int, wishes: Collection[int] = ()) -> list[int]:
    """Numbers of the frames that become keyframes."""
    found = []
    for number in range(frames):
        if number in wishes:
            made.wish_keyframe()
        frame = drive.frame()
        if not made.opened:
            made.open(frame)
        (parcel,) = made.encode(Shot(frame))
        if parcel.key:
            found.append(number)
    return found


@pytest.mark.parametrize("codec", LIVE_CODECS)
def test_each_frames_packet_comes_out_before_the_next_frame_goes_in(codec: str) -> None:
    made, drive = encoding(codec), Drive()
    for number in range(20):
        frame = drive.frame()
        if not made.opened:
            made.open(frame)
        (parcel,) = made.encode(Shot(frame))
        assert abs(parcel.time - Fraction(number, RATE)) < Fraction(1, 1000)
        assert parcel.native.dts == parcel.native.pts
    assert made.flush() == []


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "vp8", "mpeg4", "mpeg2video"])
def test_a_keyframe_comes_when_it_is_asked_for(codec: str) -> None:
    assert {20, 40} <= set(keys(encoding(codec, gop=10.0), Drive(), 45, wishes={20, 40}))


def test_keyframes_that_are_asked_for_too_often_wait(tmp_path: Path) -> None:
    assert keys(encoding("h264", gop=10.0), Drive(), 50, wishes=set(range(1, 50))) == [0, 13, 26, 39]


def test_a_viewer_waits_for_a_keyframe_no_longer_than_was_chosen_though_frames_come_slowly() -> None:
    made, drive = encoding("h264", gop=2.0), Drive()
    times = []
    for _ in range(40):
        frame = drive.frame()
        drive.index += 9  # a tenth of the nominal rate
        if not made.opened:
            made.open(frame)
        times += [parcel.time for parcel in made.encode(Shot(frame)) if parcel.key]
    assert len(times) > 5
    assert max(after - before for before, after in pairwise(times)) <= 2


def test_a_frame_is_on_the_network_before_the_next_is_written() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(PATIENCE)
        outputs = open_live_outputs([f"udp://127.0.0.1:{receiver.getsockname()[1]}"], Options(), LiveOptions(gop=1.0))
        run(outputs, Drive(), 2000, pace=1.0, until=lambda: outputs.statuses()[0].frames > 2)
        drive = Drive(start=100.0)
        for _ in range(10):
            _drain(receiver)
            outputs.write(drive.frame())
            assert receiver.recv(4096)
        outputs.close()


def _drain(receiver: socket.socket) -> None:
    """Waits until nothing comes any more."""
    while select.select([receiver], [], [], 0.05)[0]:
        receiver.recv(1 << 16)


@pytest.mark.usefixtures("_unhurried")
def test_two_outlets_get_the_same_bytes(tmp_path: Path) -> None:
    names = [tmp_path / "a.mkv", tmp_path / "b.mkv", tmp_path / "c.avi"]
    outputs = open_live_outputs([str(name) for name in names], Options(), LiveOptions())
    run(outputs, Drive(), 30)
    outputs.close()
    one, other, _ = ([data for _, _, data in packets(name)[0]] for name in names)
    assert len(one) == 30
    assert one == other


@pytest.mark.usefixtures("_unhurried")
def test_a_slow_encoder_beside_the_first_drops_frames_of_its_own_only(tmp_path: Path) -> None:
    names = [tmp_path / "a.mp4", tmp_path / "b.mkv", tmp_path / "slow.webm"]
    outputs = open_live_outputs([str(name) for name in names], Options(), LiveOptions())
    run(outputs, Drive(640, 480, noise=True), 40)
    outputs.close()
    first, second, slow = outputs.statuses()
    assert (first.frames, second.frames) == (40, 40)
    assert slow.dropped > 0
    assert slow.frames + slow.dropped == 40


def test_live_video_is_what_players_decode_in_hardware(tmp_path: Path) -> None:
    drive = Drive()
    native = av.VideoFrame(160, 96, "yuv422p")
    frame = drive.frame()
    frame = wrap(native, PIXEL_FORMATS["yuv422p"], frame.colour, frame.pts, frame.time_base)
    joined = replace(drive.joined, video=replace(drive.video, format=PIXEL_FORMATS["yuv422p"]))
    outputs = open_live_outputs([str(tmp_path / "a.mkv")], Options(), LiveOptions())
    outputs.adapt(joined)
    outputs.write(frame)
    outputs.close()
    with av.open(str(tmp_path / "a.mkv")) as container:
        assert container.streams.video[0].pix_fmt == "yuv420p"


@pytest.mark.parametrize("encoder", sorted({name for names in CODECS.values() for name in names}))
def test_encoders_know_the_options_that_make_them_prompt(encoder: str) -> None:
    try:
        context = av.CodecContext.create(encoder, "w")
    except ValueError:
        pytest.skip(f"this build has no {encoder}")
    known = {
        option.name
        for group in (context.supported_options.generic, context.supported_options.private)
        for option in group
    }
    assert set(options_for(encoder, prompt=True)) - set(options_for(encoder)) <= known


def test_the_software_encoders_of_live_codecs_open_here() -> None:
    opening = {state.codec for state in available_encoders() if state.opens}
    assert set(LIVE_CODECS) <= opening
