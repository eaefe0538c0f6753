"""Captions and HDR metadata that ride on frames come out on the frames that were made of them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest

from rtdehaze.core.frame import Frame
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import decoded, video_frame, write_video
from tests.stages.encode.passing import feed, transcode

CAPTION = bytes.fromhex("fc9420fd8080")
"""Two CEA-708 triplets: a CEA-608 command and padding."""

MASTERING = "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"


def captioned(path: Path) -> Path:
    """H.264 whose frames carry captions (ATSC A/53 in an SEI message)."""
    payload = bytes.fromhex("b50031474139340342ff") + CAPTION + b"\xff"
    message = b"\0\0\0\1" + bytes([6, 4, len(payload)]) + payload + b"\x80"
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 64, 64, "yuv420p", Fraction(1, 25)
    context.options = {"preset": "ultrafast"}
    made = []
    for index in range(5):
        made += context.encode(video_frame(64, 64, index))
    made += context.encode(None)
    path.write_bytes(b"".join(message + bytes(packet) for packet in made))
    return path


def side_data(path: Path, kind: str) -> list[bytes]:
    return [bytes(data) for frame in decoded(path) for data in frame.side_data if data.type.name == kind]


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.ts"])
@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
def test_captions_stay_with_their_frames(name: str, encoder: str, tmp_path: Path) -> None:
    transcode(captioned(tmp_path / "in.h264"), tmp_path / name, encoder=encoder)
    found = side_data(tmp_path / name, "A53_CC")
    assert found == [CAPTION] * 5


def test_captions_that_an_encoder_cannot_write_are_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    transcode(captioned(tmp_path / "in.h264"), tmp_path / "out.webm")
    assert [message for message in caplog.messages if "closed captions" in message] == [
        "libvpx-vp9 cannot write closed captions: left out"
    ]


def test_a_wider_frame_carries_the_side_data_too(tmp_path: Path) -> None:
    with open_source(str(captioned(tmp_path / "in.h264"))) as source:
        sink = open_sink(str(tmp_path / "out.mp4"), source, width=128)
        for item in source.items():
            if isinstance(item, Frame):
                made = sink.allocate(item)
                for plane in made.planes:
                    plane.data[:] = 128
                sink.write(made)
        sink.finish()
    assert [frame.width for frame in decoded(tmp_path / "out.mp4")] == [128] * 5
    assert side_data(tmp_path / "out.mp4", "A53_CC") == [CAPTION] * 5


@pytest.mark.parametrize("codec", ["hevc", "h264", "av1"])
def test_hdr_metadata_and_tags_are_carried(codec: str, tmp_path: Path) -> None:
    origin = write_video(
        tmp_path / "in.mkv",
        codec="libx265",
        pixel_format="yuv420p10le",
        width=64,
        height=64,
        frames=3,
        options={"x265-params": f"log-level=none:master-display={MASTERING}:max-cll=1000,400"},
        colour={"color_range": 1, "colorspace": 9, "color_primaries": 9, "color_trc": 16},
    )
    with open_source(str(origin), hdr="passthrough") as source:
        sink = open_sink(str(tmp_path / "out.mp4"), source, codec=codec)
        feed(sink, source)
        sink.finish()
    assert values(tmp_path / "out.mp4") == pytest.approx(values(origin), abs=1e-4)
    assert struct.unpack("2I", side_data(tmp_path / "out.mp4", "CONTENT_LIGHT_LEVEL")[0]) == (1000, 400)
    with av.open(str(tmp_path / "out.mp4")) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (9, 9, 16)


def values(path: Path) -> list[float]:
    """Chromaticities and luminances of the mastering display."""
    numbers = struct.unpack("20i", side_data(path, "MASTERING_DISPLAY_METADATA")[0][:80])
    return [num / den for num, den in zip(numbers[::2], numbers[1::2], strict=True)]


def test_the_inputs_keyframes_do_not_become_the_outputs(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=20, gop=2)
    with open_source(str(origin)) as source:
        sink = open_sink(str(tmp_path / "out.mp4"), source)
        for item in source.items():
            sink.write(item)  # the decoder's own frames, which say what they were
        sink.finish()
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size) == 1


@pytest.mark.parametrize(("height", "marked"), [(48, True), (50, False)])
def test_interlaced_pictures_stay_marked_where_the_encoder_can(height: int, marked: bool, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", codec="mpeg2video", height=height, frames=6, interlaced=True)
    transcode(origin, tmp_path / "out.mp4")
    assert [frame.interlaced_frame for frame in decoded(origin)] == [True] * 6
    assert [frame.interlaced_frame for frame in decoded(tmp_path / "out.mp4")] == [marked] * 6


@pytest.mark.parametrize("name", ["out.mp4", "out.webm"])
def test_the_input_may_be_closed_before_the_output_is_finished(name: str, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=20, audio=1, subtitles=[(0.1, 0.2, "a")])
    with open_source(str(origin)) as source:
        sink = open_sink(str(tmp_path / name), source)
        items = list(source.items())
    for item in items:
        sink.write(item)
    sink.finish()
    assert len(decoded(tmp_path / name)) == 20
    with av.open(str(tmp_path / name)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) >= 0.75 * 48_000
