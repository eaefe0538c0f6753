"""Inputs that cannot be read, or only in part: one clear line, and nothing lost that can be had."""

from __future__ import annotations

import os
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition

from rtdehaze.core.errors import SourceError, UnsupportedVideoError, UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.stages.capture.source import open_source
from tests.media import write_image, write_video


def refusal(location: object) -> str:
    """The one line with which an input is refused."""
    with pytest.raises(SourceError) as refused, open_source(str(location)):
        pass
    message = str(refused.value)
    assert "\n" not in message
    assert Path(str(location)).name in message
    return message


def count_frames(path: Path) -> int:
    with open_source(path) as source:
        return sum(isinstance(item, Frame) for item in source.items())


def blank(path: Path, victims: list[int]) -> None:
    """Overwrites the payload of these packets with zeros."""
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [bytes(packet) for packet in container.demux() if packet.size]
    for victim in victims:
        at = content.find(packets[victim])
        content[at : at + len(packets[victim])] = bytes(len(packets[victim]))
    path.write_bytes(content)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Drops the right to read everything, which root has."""
    if os.geteuid() == 0:
        os.seteuid(65_534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.mp4")
    assert "no such file" in refusal(tmp_path / "missing.png")


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    for name in ("empty.mp4", "empty.png"):
        (tmp_path / name).touch()
        assert "0 bytes" in refusal(tmp_path / name)


@pytest.mark.parametrize("name", ["noise.mp4", "noise.jpg", "noise.ts"])
def test_garbage_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(np.random.default_rng(1).bytes(20_000))
    refusal(tmp_path / name)


def test_an_unreadable_file_names_the_permissions(tmp_path: Path) -> None:
    path = write_image(tmp_path / "secret.png")
    path.chmod(0)
    with as_nobody():
        assert "permissions" in refusal(path)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing here")
    assert "no pictures" in refusal(tmp_path)


def test_a_pattern_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    assert "no file matches" in refusal(tmp_path / "%05d.png")
    assert "no such file" in refusal(tmp_path / "nowhere" / "%05d.png")


def test_a_file_with_sound_alone_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "sound.mp3"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=48_000, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.int16), format="s16", layout="mono")
        silence.sample_rate = 48_000
        container.mux(stream.encode(silence))
        container.mux(stream.encode(None))
    assert "no video: it holds audio" in refusal(path)


def test_cover_art_does_not_count_as_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    jpeg = write_image(tmp_path / "cover.jpg")
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 32, 24, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        packet = av.Packet(jpeg.read_bytes())
        packet.stream, packet.pts, packet.dts = cover, 0, 0
        container.mux(packet)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.float32), format="fltp", layout="mono")
        silence.sample_rate = 48_000
        container.mux(sound.encode(silence))
        container.mux(sound.encode(None))
    assert "no video: it holds audio and cover art" in refusal(path)


def test_a_video_track_without_frames_is_refused(tmp_path: Path) -> None:
    refusal(write_video(tmp_path / "none.mkv", frames=0))


def test_a_cut_after_the_end_says_where_to_start(tmp_path: Path) -> None:
    path = write_video(tmp_path / "short.mp4")
    with pytest.raises(SourceError, match="no frame from 7 s on"):
        open_source(path, start=7)


@pytest.mark.parametrize("extension", ["mp4", "mkv", "avi", "ts"])
def test_a_truncated_file_yields_what_can_be_decoded(
    tmp_path: Path, extension: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_video(tmp_path / f"whole.{extension}", frames=100, container_options={"movflags": "faststart"})
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    assert 30 < count_frames(path) < 75
    said = [record.message for record in caplog.records if "ends early" in record.message]
    # MPEG-TS states no duration: nobody can tell that something is missing.
    assert len(said) == (0 if extension == "ts" else 1)


def test_a_file_cut_before_its_index_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "unfinished.mp4")
    path.write_bytes(path.read_bytes()[:3000])
    assert "cut off" in refusal(path)


def test_undecodable_packets_are_told_once_with_their_number(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write_video(tmp_path / "holes.avi", codec="mjpeg", pixel_format="yuvj420p", frames=20)
    blank(path, [5, 6, 7])
    assert count_frames(path) == 17
    said = [record.message for record in caplog.records]
    assert len(said) == 1
    assert "3 damaged packets" in said[0]
    assert "0.20 s" in said[0]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_hole_in_a_predicted_stream_costs_no_more_than_its_packets(tmp_path: Path, threads: int) -> None:
    path = write_video(tmp_path / "holes.mkv", frames=30, b_frames=2)
    blank(path, [5, 6, 7])
    with open_source(path, threads=threads) as source:
        frames = [item.pts for item in source.items() if isinstance(item, Frame)]
    assert len(frames) >= 27
    assert frames[-1] == 29 * 40


def test_a_damaged_picture_in_a_row_is_left_out_and_keeps_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for index in range(4):
        write_image(tmp_path / f"{index}.jpg", index=index)
    (tmp_path / "2.jpg").write_bytes(b"no picture")
    with open_source(tmp_path) as source:
        assert [item.pts for item in source.items() if isinstance(item, Frame)] == [0, 1, 3]
    assert sum("'2.jpg' cannot be read" in record.message for record in caplog.records) == 1


def test_a_picture_that_claims_an_absurd_size_is_refused_before_it_takes_memory(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    body = zlib.compress(bytes(20_000 * 2501), 1)
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b""))
    assert "damaged, or too large" in refusal(path)


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_refused_unless_it_is_let_through(tmp_path: Path, transfer: int, name: str) -> None:
    path = write_video(
        tmp_path / "hdr.mp4",
        pixel_format="yuv420p10le",
        colour={"color_range": 1, "colorspace": 9, "color_primaries": 9, "color_trc": transfer},
    )
    with pytest.raises(UnsupportedVideoError, match=f"{name}.*--hdr passthrough"):
        open_source(path)
    with open_source(path, hdr="passthrough") as source:
        assert source.video.colour.tags.transfer == transfer
        assert source.video.format.name == "yuv420p10le"


def test_an_unknown_device_lists_the_known_ones(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", frames=2)
    with pytest.raises(UsageError, match="unknown hwaccel 'abacus'"):
        open_source(path, hwaccel="abacus")


def test_credentials_never_reach_a_message() -> None:
    with pytest.raises(SourceError) as refused:
        open_source("rtsp://operator:secret@camera.example/stream")
    assert "secret" not in str(refused.value)
    assert "camera.example" in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [{"start": -1}, {"duration": 0}, {"threads": -2}, {"hdr": "maybe"}, {"fps": 0}, {"start": float("nan")}],
)
def test_options_out_of_range_are_usage_errors(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        open_source("clip.mp4", **options)


def test_a_playlist_cannot_make_the_program_call_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        path = tmp_path / "list.m3u8"
        path.write_text(
            "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
            f"http://127.0.0.1:{server.getsockname()[1]}/segment.ts\n#EXT-X-ENDLIST\n"
        )
        refusal(path)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("downloaded.mp4", "ffconcat version 1.0\nfile private.mp4\n"),
        ("downloaded.avi", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nprivate.mp4\n#EXT-X-ENDLIST\n"),
    ],
)
def test_a_list_in_a_videos_clothes_cannot_have_other_files_shown(tmp_path: Path, name: str, text: str) -> None:
    write_video(tmp_path / "private.mp4")
    (tmp_path / name).write_text(text)
    refusal(tmp_path / name)


def test_a_list_that_is_called_one_is_played(tmp_path: Path) -> None:
    write_video(tmp_path / "part.ts", frames=5)
    (tmp_path / "all.ffconcat").write_text("ffconcat version 1.0\nfile part.ts\nfile part.ts\n")
    assert count_frames(tmp_path / "all.ffconcat") == 10
