"""What a user's word for an input means, and how each kind is opened."""

from __future__ import annotations

from pathlib import Path

import av
import pytest
from av.codec.hwaccel import hwdevices_available

from rtdehaze.core.errors import SourceError, UsageError
from rtdehaze.core.live import LiveOptions, RtspTransport
from rtdehaze.core.secrets import PASSWORD, USER
from rtdehaze.stages.capture.live import is_live, open_live_source
from rtdehaze.stages.capture.live.devices import camera_plan, screen_plan
from rtdehaze.stages.capture.live.locations import Kind, parse_location
from rtdehaze.stages.capture.live.plan import plan_of

LIVE = {
    "rtsp://cam/1": Kind.RTSP,
    "RTSPS://cam/1": Kind.RTSP,
    "rtmp://host/app/key": Kind.RTMP,
    "rtmps://host/app/key": Kind.RTMP,
    "http://cam/video.mjpg": Kind.HTTP,
    "https://cam/live.m3u8": Kind.HTTP,
    "udp://239.0.0.1:5000": Kind.DATAGRAM,
    "udp://@:5000": Kind.DATAGRAM,
    "udp://:5000?pkt_size=1316": Kind.DATAGRAM,
    "rtp://0.0.0.0:5000": Kind.DATAGRAM,
    "tcp://host:5000": Kind.TCP,
    "camera:0": Kind.CAMERA,
    "/dev/video2": Kind.CAMERA,
    "/dev/v4l/by-id/usb-046d_C920-video-index0": Kind.CAMERA,
    "screen:": Kind.SCREEN,
    "screen::0.0+10,20": Kind.SCREEN,
    "lavfi:testsrc=size=64x48": Kind.LAVFI,
    "-": Kind.STDIN,
}


@pytest.mark.parametrize("location", LIVE)
def test_live_locations_are_known_by_their_kind(location: str) -> None:
    assert parse_location(location).kind is LIVE[location]
    assert is_live(location)


@pytest.mark.parametrize(
    "location", ["clip.mp4", "a:b.mp4", "C:\\clips\\a.mp4", "file:///clips/a.mp4", "%05d.png", "-x.mp4"]
)
def test_everything_else_is_a_file(location: str) -> None:
    assert not is_live(location)


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("srt://host:9000", "srt://"),
        ("gopher://eye:secret@host/x", "gopher://"),
        ("rtsp:///stream", "no host"),
        ("udp://239.0.0.1", "no port"),
        ("tcp://host", "no port"),
        ("rtsp://cam:99999/1", "port"),
        ("rtsp://cam:port/1", "port"),
        ("camera:", "number or a name"),
        ("lavfi: ", "filters"),
    ],
)
def test_what_cannot_be_opened_is_refused_in_one_line_before_anything_is(location: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        open_live_source(location, LiveOptions())
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_options_of_the_user_win_over_our_own() -> None:
    live = LiveOptions(input_options={"probesize": "5000"}, rtsp_transport=RtspTransport.UDP)
    plan = plan_of(parse_location("rtsp://cam/1"), live)
    assert plan.options["probesize"] == "5000"
    assert plan.options["rtsp_transport"] == "udp"


def test_credentials_of_the_environment_reach_the_server_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(USER, "eye")
    monkeypatch.setenv(PASSWORD, "h0r/se")
    assert plan_of(parse_location("rtsp://cam/1"), LiveOptions()).target == "rtsp://eye:h0r%2Fse@cam/1"
    assert open_live_source("rtsp://cam/1", LiveOptions()).location == "rtsp://cam/1"
    assert plan_of(parse_location("http://cam/1"), LiveOptions()).target == "http://cam/1"


CAMERA = LiveOptions(input_size=(1280, 720), input_rate=29.97, input_format="mjpeg")


def test_a_camera_is_asked_for_size_rate_and_format_in_the_words_of_its_platform() -> None:
    size = {"video_size": "1280x720", "framerate": "29.97"}
    assert camera_plan("0", CAMERA, "linux") == ("/dev/video0", "v4l2", {**size, "input_format": "mjpeg"})
    assert camera_plan("/dev/video3", CAMERA, "linux")[0] == "/dev/video3"
    assert camera_plan("1", CAMERA, "darwin") == ("1:none", "avfoundation", {**size, "pixel_format": "mjpeg"})
    target, device, words = camera_plan("Logi C920", CAMERA, "win32")
    assert (target, device, words["vcodec"]) == ("video=Logi C920", "dshow", "mjpeg")
    with pytest.raises(UsageError, match="sunos"):
        camera_plan("0", CAMERA, "sunos")


def test_a_screen_is_captured_by_what_its_platform_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    assert screen_plan(":0.0+10,20", CAMERA, "linux")[:2] == (":0.0+10,20", "x11grab")
    with pytest.raises(UsageError, match="DISPLAY"):
        screen_plan("", CAMERA, "linux")
    monkeypatch.setenv("DISPLAY", ":7")
    assert screen_plan("", CAMERA, "linux")[0] == ":7"
    assert screen_plan("", CAMERA, "darwin")[1] == "avfoundation"
    assert screen_plan("", CAMERA, "win32")[:2] == ("desktop", "gdigrab")


def test_ffmpeg_takes_the_options_of_a_camera_and_misses_only_the_device() -> None:
    target, device, words = camera_plan("7654", CAMERA, "linux")
    with pytest.raises(FileNotFoundError):
        av.open(target, format=device, options=words)
    with pytest.raises(av.error.ArgumentError):
        av.open(target, format=device, options={**words, "video_size": "1280by720"})


def test_ffmpeg_takes_the_options_of_a_screen_and_misses_only_the_display() -> None:
    target, device, words = screen_plan(":7654", CAMERA, "linux")
    with pytest.raises(av.error.OSError):
        av.open(target, format=device, options=words)
    with pytest.raises(av.error.ArgumentError):
        av.open(target, format=device, options={**words, "video_size": "1280by720"})


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/dev/video7654", "rtdehaze devices"),
        ("lavfi:testsr", "filters"),
        ("lavfi:testsrc=size=big", "filters"),
        ("lavfi:sine[out0]", "no video"),
        ("screen::7654", "display"),
    ],
)
def test_what_is_of_this_machine_and_not_there_is_told_at_once_and_not_tried_again(location: str, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        list(open_live_source(location, LiveOptions()).items())


def test_an_unknown_device_for_decoding_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match="no-such-device"):
        open_live_source("rtsp://cam/1", LiveOptions(), hwaccel="no-such-device")


def test_a_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        open_live_source(tmp_path / "none.mp4", LiveOptions())


@pytest.mark.parametrize("device", hwdevices_available())
def test_a_device_that_does_not_decode_is_told_at_once_and_not_tried_again(device: str) -> None:
    source = open_live_source("lavfi:testsrc=size=64x48", LiveOptions(), hwaccel=device)
    with pytest.raises(SourceError, match=device):
        list(source.items())
