"""Containers: timestamps, cuts, copied streams and what is said of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet
from rtdehaze.stages.capture.clock import Clock
from rtdehaze.stages.capture.decoding import VideoDecoder
from rtdehaze.stages.capture.problems import Notices
from rtdehaze.stages.capture.source import open_source
from tests.media import decoded, packets, video_frame, write_video

VARIABLE = [0, 3003, 6006, 15_000, 15_001, 40_000, 43_003, 90_000]


def frames_of(path: Path, **options: float) -> list[Frame]:
    with open_source(path, **options) as source:
        return [item for item in source.items() if isinstance(item, Frame)]


def timed_packets(path: Path, payloads: list[bytes], pts: list[int]) -> Path:
    """A Matroska file of intra-coded packets with exactly these timestamps, in milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        for number, (payload, ticks) in enumerate(zip(payloads, pts, strict=True)):
            packet = av.Packet(payload)
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts, packet.dts, packet.is_keyframe = ticks, min(number, ticks), True
            container.mux(packet)
    return path


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    context = av.CodecContext.create("mjpeg", "w")
    context.width, context.height, context.pix_fmt, context.time_base = 64, 48, "yuvj420p", Fraction(1, 25)
    return [bytes(packet) for i in range(6) for packet in context.encode(video_frame(64, 48, i, "yuvj420p"))]


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("extension", ["mp4", "mov", "ts"])
def test_variable_frame_rate_keeps_every_timestamp(tmp_path: Path, extension: str, b_frames: int) -> None:
    path = write_video(tmp_path / f"vfr.{extension}", frames=len(VARIABLE), pts=VARIABLE, b_frames=b_frames)
    frames = frames_of(path)
    assert [frame.pts - frames[0].pts for frame in frames] == VARIABLE
    assert frames[0].time_base == Fraction(1, 90_000)


def test_equal_and_backward_timestamps_move_to_just_after_the_frame_before(
    tmp_path: Path, jpegs: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    path = timed_packets(tmp_path / "odd.mkv", jpegs, [0, 40, 40, 20, 120, 160])
    assert [frame.pts for frame in frames_of(path)] == [0, 40, 41, 42, 120, 160]
    assert [record.message for record in caplog.records if "2 frames had a timestamp" in record.message]
    assert len(caplog.records) == 1


def test_missing_timestamps_are_made_up_from_the_frame_before(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_video(tmp_path / "raw.h264", frames=12, b_frames=2)
    frames = frames_of(path)
    assert [frame.time for frame in frames] == pytest.approx([index / 25 for index in range(12)])
    assert len([record for record in caplog.records if "no timestamp" in record.message]) == 1


def test_the_clock_fills_one_gap_from_the_last_duration() -> None:
    clock = Clock(Notices("clip"), nominal=40)
    assert [clock.stamp(0, 33), clock.stamp(None, 0), clock.stamp(None, 0), clock.stamp(200, 0)] == [0, 33, 73, 200]


def test_joined_recordings_run_on_with_sound_and_picture_in_step(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    once = write_video(tmp_path / "once.ts", frames=50, audio=1).read_bytes()
    path = tmp_path / "joined.ts"
    path.write_bytes(once + once)
    with open_source(path) as source:
        items = list(source.items())
    video = [item.time for item in items if isinstance(item, Frame)]
    sound = [item.native.dts for item in items if isinstance(item, Packet)]
    assert len(video) == 100
    assert max(later - earlier for earlier, later in pairwise(video)) < 0.1
    assert {later - earlier for earlier, later in pairwise(sound)} == {1920}
    assert len(caplog.records) == 1


@pytest.mark.parametrize("extension", ["mp4", "mkv", "mov", "avi", "ts", "webm"])
@pytest.mark.parametrize(("start", "duration"), [(0.52, 0.36), (1.0, 5.0), (0.0, 0.4)])
def test_a_cut_is_exact_to_the_frame(tmp_path: Path, extension: str, start: float, duration: float) -> None:
    path = write_video(tmp_path / f"clip.{extension}", frames=40, gop=10)
    everything, part = frames_of(path), frames_of(path, start=start, duration=duration)
    first = everything[0].time
    wanted = [frame for frame in everything if start - 1e-3 <= frame.time - first < start + duration - 1e-3]
    assert [frame.time for frame in part] == pytest.approx([frame.time - first - start for frame in wanted], abs=2e-3)
    for mine, theirs in zip(part, wanted, strict=True):
        assert np.array_equal(mine.planes[0].samples, theirs.planes[0].samples)


@pytest.mark.parametrize("extension", ["mp4", "mkv", "ts"])
def test_a_cut_decodes_only_from_the_keyframe_before_it(
    tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(
        tmp_path / f"long.{extension}", width=32, height=32, rate=Fraction(5), frames=300, gop=25, b_frames=2, audio=1
    )
    decode, fed = VideoDecoder.decode, []

    def counted(self: VideoDecoder, packet: av.Packet | None) -> list[av.VideoFrame]:
        fed.append(packet)
        return decode(self, packet)

    monkeypatch.setattr(VideoDecoder, "decode", counted)
    with open_source(path, start=42, duration=2, threads=1) as source:
        assert source.video.frames == 10
        assert source.video.duration == pytest.approx(2)
        times = [item.time for item in source.items() if isinstance(item, Frame)]
    assert times == pytest.approx([index / 5 for index in range(10)], abs=2e-3)
    assert len(fed) < 60


def test_a_cut_to_the_end_expects_what_is_left(tmp_path: Path) -> None:
    with open_source(write_video(tmp_path / "clip.mp4", frames=50), start=1.2) as source:
        assert (source.video.frames, source.video.duration) == (20, pytest.approx(0.8))


def test_an_empty_packet_does_not_end_the_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=6)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = VideoDecoder(stream, str(path), Notices("clip"), threads=1)
        count = 0
        for packet in container.demux(stream):
            if packet.size:
                count += len(decoder.decode(packet)) + len(decoder.decode(av.Packet()))
        assert count + len(decoder.decode(None)) == 6


def test_copied_packets_are_cut_like_the_video_and_stay_in_step(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", frames=100, audio=1, audio_start=0.1)
    with open_source(path) as source:
        whole = {bytes(item.native): item.native.pts for item in source.items() if isinstance(item, Packet)}
    with open_source(path, start=2, duration=1) as source:
        part = [item.native for item in source.items() if isinstance(item, Packet)]
    assert [packet.pts + 2000 for packet in part] == [whole[bytes(packet)] for packet in part]
    assert 45 <= len(part) <= 48
    assert 0 <= part[0].pts < part[-1].pts < 1000


def test_subtitles_that_reach_into_a_cut_are_shortened_to_it(tmp_path: Path) -> None:
    lines = [(0.2, 0.4, "gone"), (0.9, 1.3, "begins before"), (1.4, 1.6, "inside"), (1.9, 2.5, "ends after")]
    path = write_video(tmp_path / "clip.mkv", frames=75, gop=12, subtitles=lines)
    with open_source(path, start=1, duration=1) as source:
        found = [item.native for item in source.items() if isinstance(item, Packet)]
    spans = {bytes(packet).decode(): (packet.pts, packet.duration) for packet in found}
    assert spans == {"begins before": (0, 300), "inside": (400, 200), "ends after": (900, 100)}


def test_chapters_are_moved_and_shortened_to_the_cut(tmp_path: Path) -> None:
    chapters = [(0.0, 0.5, "one"), (0.5, 1.5, "two"), (1.5, 2.0, "three")]
    path = write_video(tmp_path / "clip.mkv", frames=50, chapters=chapters)
    with open_source(path, start=1, duration=0.4) as source:
        assert [(float(mark.start * mark.time_base), float(mark.end * mark.time_base)) for mark in source.chapters] == [
            (0.0, pytest.approx(0.4))
        ]
        assert source.chapters[0].metadata["title"] == "two"


def test_without_a_cut_every_packet_passes_untouched(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mkv", frames=25, audio=2, subtitles=[(0.1, 0.3, "hello")], attachment=b"note")
    original = packets(path)
    passed: dict[int, list[tuple[int | None, int | None, bytes]]] = {}
    with open_source(path) as source:
        kinds = [stream.kind for stream in source.copied]
        for item in source.items():
            if isinstance(item, Packet):
                native = item.native
                passed.setdefault(item.stream.index, []).append((native.pts, native.dts, bytes(native)))
    assert kinds == ["audio", "audio", "subtitle", "attachment"]
    assert passed == {index: found for index, found in original.items() if index != 0}


def test_the_start_offset_between_sound_and_picture_is_kept(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=50, audio=1, audio_start=0.5)
    with open_source(path) as source:
        items = list(source.items())
    sound = min(item.native.pts * item.native.time_base for item in items if isinstance(item, Packet))
    video = min(item.time for item in items if isinstance(item, Frame))
    assert float(sound) - video == pytest.approx(0.5, abs=0.03)


def test_facts_of_container_and_streams_are_told(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "clip.mp4",
        audio=1,
        languages=("eng", "deu"),
        metadata={"title": "A drive"},
        chapters=[(0.0, 0.2, "one"), (0.2, 0.4, "two")],
        rotation=90,
        sample_aspect_ratio=Fraction(4, 3),
    )
    with open_source(path) as source:
        video = source.video
        assert (video.codec, video.native_format, video.rotation) == ("h264", "yuv420p", 90)
        assert (video.sample_aspect_ratio, video.metadata["language"]) == (Fraction(4, 3), "eng")
        assert Disposition(video.disposition) & Disposition.default
        assert source.metadata["title"] == "A drive"
        assert [mark.metadata["title"] for mark in source.chapters] == ["one", "two"]
        # The track that holds the chapters' titles is not passed on a second time.
        assert [(stream.kind, stream.language) for stream in source.copied] == [("audio", "deu")]


def test_cover_art_is_copied_and_never_taken_for_the_video(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp4"
    source_path = write_video(tmp_path / "clip.mp4", frames=50)
    jpeg = av.CodecContext.create("mjpeg", "w")
    jpeg.width, jpeg.height, jpeg.pix_fmt, jpeg.time_base = 640, 480, "yuvj420p", Fraction(1, 25)
    with av.open(str(source_path)) as clip, av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 640, 480, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        stream = container.add_stream_from_template(clip.streams.video[0])
        for packet in jpeg.encode(video_frame(640, 480, 0, "yuvj420p")):
            packet.stream, packet.pts, packet.dts = cover, 0, 0
            container.mux(packet)
        for packet in clip.demux():
            if packet.dts is not None:
                packet.stream = stream
                container.mux(packet)
    for start in (None, 1.0):
        with open_source(path, start=start) as source:
            assert (source.video.width, source.video.codec) == (64, "h264")
            copied = [item for item in source.items() if isinstance(item, Packet)]
            assert [(packet.stream.kind, packet.stream.codec) for packet in copied] == [("video", "mjpeg")]


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_the_number_of_threads_changes_no_sample(tmp_path: Path, threads: int) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=20, b_frames=2)
    with open_source(path, threads=threads) as source:
        mine = [item.planes[0].samples for item in source.items() if isinstance(item, Frame)]
    theirs = [np.frombuffer(frame.planes[0], np.uint8).reshape(48, -1)[:, :64] for frame in decoded(path)]
    assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_side_data_stays_on_the_native_frame(tmp_path: Path) -> None:
    # libx264 writes an unregistered SEI into its first frame.
    path = write_video(tmp_path / "clip.mp4", frames=2)
    assert len(frames_of(path)[0].native.side_data) > 0
