"""Which encoder, which samples, at which size: as asked, like the input, or refused in one line."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.encoders import available_encoders
from rtdehaze.stages.encode.settings import options_for
from rtdehaze.stages.encode.sink import open_sink
from tests.media import decoded, write_video
from tests.stages.encode.passing import transcode


def stream_of(path: Path) -> tuple[str, str]:
    """Codec and pixel format of the video."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        return video.codec_context.codec.canonical_name, video.codec_context.pix_fmt


@pytest.mark.parametrize(
    ("name", "pixel_format", "expected"),
    [
        ("out.mp4", "yuv420p", ("h264", "yuv420p")),
        ("out.mkv", "yuv422p", ("h264", "yuv422p")),
        ("out.mov", "yuv444p", ("h264", "yuv444p")),
        ("out.ts", "yuv420p", ("h264", "yuv420p")),
        ("out.avi", "yuv420p", ("h264", "yuv420p")),
        ("out.webm", "yuv420p", ("vp9", "yuv420p")),
        ("out.mp4", "yuv420p10le", ("hevc", "yuv420p10le")),
        ("out.mkv", "yuv422p10le", ("hevc", "yuv422p10le")),
    ],
)
def test_the_default_codec_keeps_depth_and_chroma(
    name: str, pixel_format: str, expected: tuple[str, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    origin = write_video(tmp_path / "in.mkv", codec="ffv1", frames=8, pixel_format=pixel_format)
    transcode(origin, tmp_path / name)
    assert stream_of(tmp_path / name) == expected
    assert caplog.messages == []


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9", "ffv1", "mjpeg", "prores", "mpeg4", "mpeg2video"])
def test_every_codec_can_be_asked_for(codec: str, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=8)
    transcode(origin, tmp_path / "out.mkv", codec=codec)
    assert stream_of(tmp_path / "out.mkv")[0] == codec
    frames = decoded(tmp_path / "out.mkv")
    assert [round(frame.time * 1000) for frame in frames] == [40 * index for index in range(8)]
    before = decoded(origin)[3].to_ndarray(format="rgb24").astype(int)
    assert np.abs(frames[3].to_ndarray(format="rgb24").astype(int) - before).mean() < 6


@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
def test_a_clip_shorter_than_the_encoders_delay_is_whole(codec: str, frames: int, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", width=64, height=64, frames=frames)
    for attempt in range(3):
        transcode(origin, tmp_path / f"{attempt}.mp4", codec=codec)
        assert [frame.time for frame in decoded(tmp_path / f"{attempt}.mp4")] == [0.0, 0.04, 0.08][:frames]


def test_like_input_takes_the_inputs_codec(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", codec="mpeg4", frames=5)
    transcode(origin, tmp_path / "out.mp4", codec="like-input")
    assert stream_of(tmp_path / "out.mp4")[0] == "mpeg4"


def test_like_input_falls_back_where_the_container_cannot(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=5)
    transcode(origin, tmp_path / "out.webm", codec="like-input")
    assert stream_of(tmp_path / "out.webm")[0] == "vp9"
    assert "h264 cannot be made for webm" in caplog.text


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("out.mp4", {"codec": "h999"}, ["h999", "hevc", "like-input"]),
        ("out.mp4", {"encoder": "aac"}, ["aac", "codecs"]),
        ("out.mp4", {"encoder": "libx265", "codec": "h264"}, ["libx265 makes hevc"]),
        ("out.webm", {"codec": "h264"}, ["webm cannot hold h264", "vp9"]),
        ("out.xyz", {}, ["'.xyz'", "mkv"]),
        ("out", {}, ["no extension", "mkv"]),
        ("out.mp4", {"pixel_format": "yuv999"}, ["yuv999"]),
        ("out.mkv", {"codec": "ffv1", "crf": 20.0}, ["ffv1 has no quality"]),
        ("out.mkv", {"codec": "mjpeg", "preset": "fast"}, ["mjpeg has no presets"]),
        ("out.png", {}, ["frames/%05d.png"]),
        ("row/%05d.png", {"codec": "h264"}, ["pictures take no codec"]),
        ("row/%d-%d.png", {}, ["one number"]),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    name: str, options: dict[str, object], words: list[str], tmp_path: Path
) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=2)
    with open_source(str(origin)) as source, pytest.raises(UsageError) as caught:
        open_sink(str(tmp_path / name), source, **options)  # type: ignore[arg-type]
    assert all(word in str(caught.value) for word in words)
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("out.mp4", {"preset": "nosuch"}),
        ("out.mkv", {"codec": "hevc"}),
        ("out.mkv", {"codec": "av1"}),
    ],
)
def test_an_encoder_that_does_not_open_says_why_before_anything_is_written(
    name: str, options: dict[str, str], tmp_path: Path
) -> None:
    origin = write_video(tmp_path / "in.mkv", width=2, height=2, frames=2)
    with open_source(str(origin)) as source, pytest.raises(SinkError, match="does not open at 2x2"):
        open_sink(str(tmp_path / name), source, **options)  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_hardware_encoders_open_or_say_what_they_need() -> None:
    states = available_encoders()
    assert {"libx264", "libx265", "libvpx-vp9", "ffv1", "prores_ks"} <= {state.name for state in states if state.opens}
    for state in states:
        assert state.opens == (not state.why)
        if state.name.endswith("_nvenc") and not state.opens:
            assert "NVIDIA" in state.why


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 31), (16, 31), (8192, 32)])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
@pytest.mark.parametrize("name", ["out.mp4", "out.webm"])
def test_every_size_comes_out_as_it_was(
    size: tuple[int, int], pixel_format: str, name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    width, height = size
    origin = write_video(
        tmp_path / "in.mkv", codec="ffv1", width=width, height=height, pixel_format=pixel_format, frames=2
    )
    transcode(origin, tmp_path / name)
    frames = decoded(tmp_path / name)
    assert [(frame.width, frame.height) for frame in frames] == [size] * 2
    said = [message for message in caplog.messages if "odd" in message]
    assert len(said) == (name == "out.mp4" and (width % 2 or height % 2))


def test_a_format_that_the_encoder_lacks_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    origin = write_video(tmp_path / "in.mkv", pixel_format="yuv444p", width=64, height=64)
    transcode(origin, tmp_path / "out.mkv", codec="av1")
    assert [message for message in caplog.messages if "yuv444p" in message] == [
        "libsvtav1 does not take yuv444p: encoded as yuv420p"
    ]


def test_a_rate_that_varies_is_said_where_only_one_can_be_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    uneven = [0, 40, 50, 120, 135, 200]
    origin = write_video(tmp_path / "in.mkv", frames=6, time_base=Fraction(1, 1000), pts=uneven)
    transcode(origin, tmp_path / "out.avi")
    assert len(decoded(tmp_path / "out.avi")) == 6
    assert caplog.text.count("only one") == 1


def test_quality_bitrate_and_threads_reach_the_encoder() -> None:
    assert options_for("libx264", crf=30, preset="slow")["crf"] == "30"
    assert "crf" not in options_for("libx264", bitrate=1_000_000)
    assert options_for("libx265", threads=3)["x265-params"] == "log-level=none:pools=3"
    assert options_for("libsvtav1", threads=3, extra={"svtav1-params": "tune=0"})["svtav1-params"] == (
        "lp=3:lookahead=0:tune=0"
    )
    assert options_for("mpeg4", crf=5) == {"qmin": "5", "qmax": "5"}


def test_encoders_write_nothing_to_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=3, width=64, height=64)
    for codec in ("h264", "hevc", "av1", "vp9"):
        transcode(origin, tmp_path / f"{codec}.mkv", codec=codec)
    assert capfd.readouterr() == ("", "")
