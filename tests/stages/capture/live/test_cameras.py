"""What is listed of a machine's cameras; there is none here, so the kernel's and FFmpeg's answers are played."""

from __future__ import annotations

import errno
import json
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rtdehaze.stages.capture.live import v4l2
from rtdehaze.stages.capture.live.cameras import Camera, CameraMode, modes_in_log
from rtdehaze.stages.capture.live.v4l2 import modes_of, v4l2_cameras

ON_LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="V4L2 is of Linux")

MJPG, YUYV, STRANGE = (struct.unpack("<I", word)[0] for word in (b"MJPG", b"YUYV", b"XXXX"))

FORMATS = [MJPG, YUYV, STRANGE]
SIZES = {MJPG: [(1, 1920, 1080), (1, 1280, 720)], YUYV: [(3, 16, 640, 16, 16, 480, 16)], STRANGE: [(1, 1, 1)]}
INTERVALS = {(1920, 1080): [(1, 1, 30), (1, 1001, 24000)], (1280, 720): [(1, 1, 60)], (640, 480): [(2, 1, 30, 1, 5)]}


def camera(number: int, structure: bytes) -> bytes:
    """Answers as the kernel does: a list of formats, of their sizes, of their intervals, each ended by EINVAL."""
    words = struct.unpack(f"{len(structure) // 4}I", structure)
    try:
        if number == 0xC0405602:
            assert len(structure) == 64
            assert words[1] == 1
            return struct.pack("III32sI16x", words[0], words[1], 0, b"", FORMATS[words[0]])
        if number == 0xC02C564A:
            assert len(structure) == 44
            return struct.pack("II", *words[:2]) + ints(SIZES[words[1]][words[0]], 36)
        assert number == 0xC034564B
        assert len(structure) == 52
        return struct.pack("IIII", *words[:4]) + ints(INTERVALS[words[2], words[3]][words[0]], 36)
    except IndexError:
        raise OSError(errno.EINVAL, "the list ends") from None


def ints(values: tuple[int, ...], size: int) -> bytes:
    return struct.pack(f"{len(values)}I", *values).ljust(size, b"\0")


def test_a_camera_of_linux_tells_its_formats_sizes_and_rates() -> None:
    assert list(modes_of(camera)) == [
        CameraMode("mjpeg", 1920, 1080, (30.0, 23.976)),
        CameraMode("mjpeg", 1280, 720, (60.0,)),
        CameraMode("yuyv422", 640, 480, (30.0, 5.0)),
    ]


def test_a_camera_that_answers_nothing_has_no_modes() -> None:
    def mute(number: int, structure: bytes) -> bytes:
        raise OSError(errno.ENOTTY, "not a camera")

    assert list(modes_of(mute)) == []


@ON_LINUX
def test_what_is_named_like_a_camera_and_is_none_is_told_with_the_reason(tmp_path: Path) -> None:
    for name in ("video10", "video2", "video", "videox", "other"):
        (tmp_path / name).touch()
    found = v4l2_cameras(tmp_path)
    assert [one.location for one in found] == ["camera:2", "camera:10"]
    assert all("cannot be opened" in one.trouble for one in found)


def test_the_logs_of_other_platforms_are_read() -> None:
    assert modes_in_log(
        [
            "DirectShow video device options (from video devices)",
            "  vcodec=mjpeg  min s=1280x720 fps=5 max s=1280x720 fps=30",
            "  pixel_format=yuyv422  min s=640x480 fps=30 max s=640x480 fps=30",
            "  pixel_format=yuyv422  min s=640x480 fps=30 max s=640x480 fps=30 (tv, bt470bg/bt709/unknown, topleft)",
            "Selected framerate (100000.000000) is not supported by the device.",
            "Supported modes:",
            "  1280x720@[15.000000 30.000000]fps",
        ]
    ) == [
        CameraMode("mjpeg", 1280, 720, (30.0, 5.0)),
        CameraMode("yuyv422", 640, 480, (30.0,)),
        CameraMode("", 1280, 720, (30.0, 15.0)),
    ]


@pytest.fixture
def two_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    modes = (CameraMode("mjpeg", 1280, 720, (60.0, 30.0)), CameraMode("gray", 64, 48, ()))
    found = [Camera("camera:0", "C920", modes), Camera("camera:2", "", (), "/dev/video2 cannot be opened: busy")]
    monkeypatch.setattr(v4l2, "v4l2_cameras", lambda: found)


@ON_LINUX
@pytest.mark.usefixtures("two_cameras")
def test_the_command_lists_cameras_and_modes(rtdehaze: Callable[..., Any]) -> None:
    shown = rtdehaze("devices")
    assert shown.code == 0
    assert shown.out.splitlines() == [
        "camera:0  C920",
        "  mjpeg      1280x720 at 60, 30 fps",
        "  gray       64x48",
        "camera:2  /dev/video2 cannot be opened: busy",
    ]


@ON_LINUX
@pytest.mark.usefixtures("two_cameras")
def test_the_command_prints_json(rtdehaze: Callable[..., Any]) -> None:
    found = json.loads(rtdehaze("devices", "--json").out)["cameras"]
    assert found[0]["modes"][0] == {"format": "mjpeg", "width": 1280, "height": 720, "rates": [60.0, 30.0]}


@ON_LINUX
def test_a_machine_without_cameras_is_no_error(rtdehaze: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "v4l2_cameras", list)
    shown = rtdehaze("devices")
    assert (shown.code, shown.out, shown.err) == (0, "no cameras found\n", "")
