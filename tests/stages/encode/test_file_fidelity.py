"""What is true of a whole file: offsets, shape, colour, tags, timecode, how long it lasts."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from rtdehaze.core.errors import UsageError
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import video_frame, write_video
from tests.stages.encode.passing import described, payloads, times, transcode


def test_the_note_of_the_program_is_added_and_can_be_left_out(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", metadata={"comment": "mine"})
    for tag, expected in (("rtdehaze 1", "mine; rtdehaze 1"), (None, "mine")):
        transcode(origin, tmp_path / "out.mp4", tag=tag, overwrite=True)
        with av.open(str(tmp_path / "out.mp4")) as container:
            assert container.metadata["comment"] == expected


def test_a_timecode_track_is_made_anew_from_the_metadata(tmp_path: Path) -> None:
    origin = tmp_path / "in.mov"
    with av.open(str(origin), "w") as container:
        film = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        film.metadata["timecode"] = "01:02:03:04"
        for index in range(5):
            container.mux(film.encode(video_frame(64, 48, index)))
        container.mux(film.encode(None))
    for name in ("out.mov", "out.mp4"):
        transcode(origin, tmp_path / name, strict=True)
        with av.open(str(tmp_path / name)) as container:
            assert [stream.metadata.get("timecode") for stream in container.streams] == ["01:02:03:04"] * 2


@pytest.mark.parametrize("extension", ["mkv", "mp4", "mov", "ts", "webm"])
@pytest.mark.parametrize("start", [0.5, -0.25])
def test_the_offset_between_sound_and_picture_is_kept(extension: str, start: float, tmp_path: Path) -> None:
    shift = 1.0
    origin = write_video(
        tmp_path / "in.mkv",
        frames=50,
        pts=[round((shift + index / 25) * 90_000) for index in range(50)],
        audio=1,
        audio_codec="aac" if extension == "mov" else "libopus",
        audio_start=shift + start,
        b_frames=2,
    )
    output = tmp_path / f"out.{extension}"
    transcode(origin, output)
    before = times(origin, "audio")[0] - min(times(origin, "video"))
    after = times(output, "audio")[0] - min(times(output, "video"))
    assert after == pytest.approx(before, abs=0.0015)


@pytest.mark.parametrize("extension", ["mkv", "mp4", "mov"])
def test_shape_rotation_and_colour_are_kept(extension: str, tmp_path: Path) -> None:
    tags = {"color_range": 1, "colorspace": 5, "color_primaries": 5, "color_trc": 6}
    origin = write_video(
        tmp_path / f"in.{extension}", rotation=90, sample_aspect_ratio=Fraction(4, 3), colour=tags, frames=3
    )
    output = tmp_path / f"out.{extension}"
    transcode(origin, output)
    with av.open(str(origin)) as one, av.open(str(output)) as two:
        before, after = one.streams.video[0], two.streams.video[0]
        assert after.sample_aspect_ratio == Fraction(4, 3) == before.sample_aspect_ratio
        for name, value in tags.items():
            assert getattr(after.codec_context, name) == value
        assert next(two.decode(video=0)).rotation == next(one.decode(video=0)).rotation == 90


@pytest.mark.parametrize("extension", ["mkv", "mp4", "mov", "webm", "ts"])
def test_an_untagged_video_stays_untagged(extension: str, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=12)
    output = tmp_path / f"out.{extension}"
    transcode(origin, output)
    with av.open(str(origin)) as one, av.open(str(output)) as two:
        before, after = one.streams.video[0].codec_context, two.streams.video[0].codec_context
        assert before.colorspace == 2
        assert (after.colorspace, after.color_primaries, after.color_trc) == (2, 2, 2)


def test_how_long_the_last_frame_lasts_is_kept(tmp_path: Path) -> None:
    origin = tmp_path / "in.mp4"
    with av.open(str(origin), "w") as container:
        film = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        film.width, film.height, film.codec_context.time_base = 64, 48, Fraction(1, 1000)
        film.codec_context.flags |= av.codec.context.Flags.frame_duration
        for index in range(5):
            frame = video_frame(64, 48, index)
            frame.pts, frame.time_base, frame.duration = 40 * index, Fraction(1, 1000), 40 if index < 4 else 2000
            container.mux(film.encode(frame))
        container.mux(film.encode(None))
    for name in ("out.mp4", "out.mov", "out.mkv", "out.webm"):
        transcode(origin, tmp_path / name)
        with av.open(str(tmp_path / name)) as container:
            assert container.duration == 2_160_000, name


@pytest.mark.parametrize("name", ["out.ts", "out.avi"])
def test_a_bare_container_says_what_it_cannot_hold(name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    origin = write_video(tmp_path / "in.mp4", rotation=90, chapters=[(0.0, 0.2, "one")])
    transcode(origin, tmp_path / name)
    assert ["rotation" in message or "chapters" in message for message in caplog.messages] == [True, True]
    with open_source(str(origin)) as source, pytest.raises(UsageError, match="rotation"):
        open_sink(str(tmp_path / f"strict-{name}"), source, strict=True)


def test_the_tags_of_telephones_are_kept(tmp_path: Path) -> None:
    tags = {"com.apple.quicktime.make": "Maker", "title": "A drive"}
    origin = write_video(tmp_path / "in.mov", metadata=tags, container_options={"movflags": "use_metadata_tags"})
    for name in ("out.mov", "out.mp4", "out.mkv"):
        transcode(origin, tmp_path / name)
        with av.open(str(tmp_path / name)) as container:
            found = {key.lower(): value for key, value in container.metadata.items()}
        assert tags.items() <= found.items()


def test_quicktime_knows_german(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", audio=1, languages=["eng", "deu"])
    transcode(origin, tmp_path / "out.mov")
    assert [language for _, language, _ in described(tmp_path / "out.mov")] == ["eng", "ger"]


def test_avi_does_not_begin_with_an_hour_of_nothing(tmp_path: Path) -> None:
    pts = [90_000 * 3600 + 3600 * index for index in range(25)]
    origin = write_video(tmp_path / "in.mkv", frames=25, pts=pts, audio=1, audio_start=3600.0)
    transcode(origin, tmp_path / "out.avi")
    with av.open(str(tmp_path / "out.avi")) as container:
        assert container.duration == pytest.approx(1_000_000, abs=100_000)
    assert len(payloads(tmp_path / "out.avi", "audio")[0]) >= 45
