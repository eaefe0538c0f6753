"""What passes by the frames: sound, subtitles, chapters, tags; as it was, or said once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from rtdehaze.core.errors import UsageError
from rtdehaze.core.stream import Packet
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import packets, video_frame, write_image, write_video
from tests.stages.encode.passing import described, feed, payloads, times, transcode

LINES = [(0.2, 0.8, "fog"), (1.0, 1.9, "clear")]


def rich(path: Path, **changes: Any) -> Path:
    """Two seconds with everything that a container can hold."""
    settings: dict[str, Any] = {
        "frames": 50,
        "audio": 2,
        "subtitles": LINES,
        "chapters": [(0.0, 1.0, "one"), (1.0, 2.0, "two")],
        "languages": ["eng", "fra", "jpn", "ita"],
        "metadata": {"title": "A drive"},
    }
    return write_video(path, **{**settings, **changes})


def shown(path: Path) -> list[tuple[int, bytes]]:
    """Milliseconds and text of each subtitle; the empty packets with which MP4 ends them are not counted."""
    return [
        (round(moment * 1000), data)
        for moment, data in zip(times(path, "subtitle"), payloads(path, "subtitle")[0], strict=True)
        if len(data) > 2
    ]


@pytest.mark.parametrize("extension", ["mkv", "mp4", "mov"])
def test_sound_is_copied_bit_for_bit_into_the_same_container(extension: str, tmp_path: Path) -> None:
    origin = rich(tmp_path / f"in.{extension}")
    output = tmp_path / f"out.{extension}"
    transcode(origin, output)
    assert [b"".join(data) for data in payloads(output, "audio")] == [
        b"".join(data) for data in payloads(origin, "audio")
    ]
    assert shown(output) == shown(origin)
    assert times(output, "audio")[0] == pytest.approx(times(origin, "audio")[0], abs=1e-3)
    assert described(output) == described(origin)


@pytest.mark.parametrize("extension", ["mp4", "mov", "ts", "avi"])
def test_sound_is_copied_bit_for_bit_from_matroska(extension: str, tmp_path: Path) -> None:
    origin = rich(tmp_path / "in.mkv", subtitles=())
    output = tmp_path / f"out.{extension}"
    transcode(origin, output)
    before, after = payloads(origin, "audio"), payloads(output, "audio")
    if extension == "ts":
        # A transport stream puts 7 bytes of ADTS before each packet of AAC.
        after = [[data[7:] for data in stream] for stream in after]
    assert after == before


def test_chapters_and_tags_are_kept(tmp_path: Path) -> None:
    origin = rich(tmp_path / "in.mkv")
    for name in ("out.mkv", "out.mp4", "out.mov", "out.webm"):
        transcode(origin, tmp_path / name)
        with av.open(str(tmp_path / name)) as container:
            assert container.metadata["title"] == "A drive"
            marks = [
                (float(mark["start"] * mark["time_base"]), mark["metadata"]["title"]) for mark in container.chapters()
            ]
        assert marks == [(0.0, "one"), (1.0, "two")], name


def test_attachments_are_copied_into_matroska_and_named_when_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    origin = write_video(tmp_path / "in.mkv", attachment=b"a font")
    transcode(origin, tmp_path / "out.mkv")
    assert caplog.messages == []
    with av.open(str(tmp_path / "out.mkv")) as container:
        (attachment,) = [stream for stream in container.streams if stream.type == "attachment"]
        assert (attachment.data, attachment.metadata["filename"]) == (b"a font", "note.txt")
    transcode(origin, tmp_path / "out.mp4")
    (message,) = caplog.messages
    assert "attachment stream 1" in message
    assert "left out" in message


def with_cover(path: Path) -> bytes:
    """Writes a film with cover art and returns the cover's file."""
    cover = write_image(path.with_name("cover.png")).read_bytes()
    with av.open(str(path), "w") as container:
        film = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        film.width, film.height, film.pix_fmt = 64, 48, "yuv420p"
        art = container.add_stream("png", rate=25)
        art.width, art.height, art.pix_fmt = 32, 24, "rgb24"
        art.disposition = av.stream.Disposition.attached_pic
        container.start_encoding()
        packet = av.Packet(cover)
        packet.pts = packet.dts = 0
        packet.time_base = Fraction(1, 25)
        packet.stream = art
        container.mux(packet)
        for index in range(5):
            container.mux(film.encode(video_frame(64, 48, index)))
        container.mux(film.encode(None))
    return cover


def test_cover_art_becomes_matroskas_attachment_and_is_named_when_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cover = with_cover(tmp_path / "in.mp4")
    transcode(tmp_path / "in.mp4", tmp_path / "out.mkv", strict=True)
    with av.open(str(tmp_path / "out.mkv")) as container:
        (art,) = [stream.index for stream in container.streams.video if stream.disposition & 1024]
    assert packets(tmp_path / "out.mkv")[art][0][2] == cover
    assert caplog.messages == []
    transcode(tmp_path / "in.mp4", tmp_path / "out.mp4")
    (message,) = caplog.messages
    assert "cover art stream 1" in message


@pytest.mark.parametrize(("extension", "codec"), [("mp4", "mov_text"), ("mov", "mov_text"), ("webm", "webvtt")])
def test_text_subtitles_are_converted_and_said(
    extension: str, codec: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    origin = rich(tmp_path / "in.mkv", audio=0)
    output = tmp_path / f"out.{extension}"
    transcode(origin, output)
    assert [message for message in caplog.messages if f"converted to {codec}" in message]
    lines = shown(output)
    assert [moment for moment, _ in lines] == [round(start * 1000) for start, _, _ in LINES]
    assert all(text.encode() in data for (_, _, text), (_, data) in zip(LINES, lines, strict=True))


def test_sound_that_the_container_cannot_hold_is_converted_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    origin = rich(tmp_path / "in.mkv", subtitles=(), audio=1)
    transcode(origin, tmp_path / "out.webm")
    (message,) = caplog.messages
    assert "converted to libopus" in message
    with av.open(str(tmp_path / "out.webm")) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "opus"
        heard = list(container.decode(sound))
    seconds = sum(frame.samples for frame in heard) / heard[0].sample_rate
    assert seconds == pytest.approx(2.0, abs=0.1)
    assert heard[0].time == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("name", ["out.mp4", "out.mov", "out.mkv"])
def test_sound_of_a_transport_stream_is_copied_without_its_packet_headers(name: str, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.ts", frames=50, audio=1)
    transcode(origin, tmp_path / name, strict=True)
    assert payloads(tmp_path / name, "audio") == [[data[7:] for data in payloads(origin, "audio")[0]]]


def test_sound_with_unnamed_channels_stays_mono(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    origin = write_video(tmp_path / "in.avi", frames=25, audio=1, audio_codec="pcm_s16le")
    transcode(origin, tmp_path / "out.ts")
    with av.open(str(tmp_path / "out.ts")) as container:
        assert container.streams.audio[0].codec_context.layout.nb_channels == 1
    assert len([message for message in caplog.messages if "audio" in message]) == 1
    assert "stereo" not in caplog.text


@pytest.mark.parametrize("name", ["out.mp4", "out.webm", "folder/"])
def test_strict_refuses_what_cannot_be_copied_before_anything_is_written(name: str, tmp_path: Path) -> None:
    origin = rich(tmp_path / "in.mkv")
    before = sorted(tmp_path.iterdir())
    with open_source(str(origin)) as source, pytest.raises(UsageError, match="strict"):
        open_sink(f"{tmp_path}/{name}", source, strict=True)
    assert sorted(tmp_path.iterdir()) == before


def test_strict_has_nothing_against_a_container_that_holds_all(tmp_path: Path) -> None:
    transcode(rich(tmp_path / "in.mkv"), tmp_path / "out.mkv", strict=True)
    assert (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.ts"])
def test_sound_whose_clock_stumbles_is_still_written(name: str, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=50, audio=1)
    with open_source(str(origin)) as source:
        sink = open_sink(str(tmp_path / name), source)
        for number, item in enumerate(source.items()):
            if isinstance(item, Packet) and number % 5 == 0:
                item.native.dts = None if number % 2 else item.native.dts - 30
            sink.write(item)
        sink.finish()
    assert len(payloads(tmp_path / name, "audio")[0]) == len(payloads(origin, "audio")[0])


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4"])
def test_a_sparse_subtitle_does_not_hold_the_picture_back(name: str, tmp_path: Path) -> None:
    origin = rich(tmp_path / "in.mkv", frames=120, subtitles=[(0.0, 0.1, "once")], chapters=())
    with open_source(str(origin)) as source:
        sink = open_sink(str(tmp_path / name), source)
        feed(sink, source)
        with av.open(str(tmp_path / name)) as container:
            readable = sum(1 for packet in container.demux(video=0) if packet.size)
        sink.abort(keep=False)
    assert readable >= 70
