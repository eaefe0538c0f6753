"""Photographs and rows of pictures: exact names, exact colours, deep where the format is."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import numpy as np
import pytest

from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.sink import open_sink
from tests.media import decoded, packets, picture, write_image, write_video
from tests.stages.encode.passing import feed, transcode


def rgb(path: Path) -> np.ndarray:
    return decoded(path)[0].to_ndarray(format="rgb24").astype(int)


@pytest.mark.parametrize("extension", ["png", "jpg", "jpeg", "tif", "tiff", "bmp", "webp"])
@pytest.mark.parametrize("origin_name", ["in.png", "in.jpg"])
def test_a_photograph_keeps_its_colours(extension: str, origin_name: str, tmp_path: Path) -> None:
    origin = write_image(tmp_path / origin_name, width=96, height=64)
    transcode(origin, tmp_path / f"out.{extension}")
    difference = np.abs(rgb(tmp_path / f"out.{extension}") - rgb(origin))
    # 4:2:0 and 8-bit YUV on the way; a wrong matrix or range would be 10 and more.
    assert difference.mean() < 3


@pytest.mark.parametrize(("extension", "pixel_format"), [("png", "rgb48be"), ("tif", "rgb48le")])
def test_ten_bits_become_sixteen(extension: str, pixel_format: str, tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", codec="ffv1", pixel_format="yuv420p10le", frames=1)
    transcode(origin, tmp_path / "row" / f"%d.{extension}")
    (frame,) = decoded(tmp_path / "row" / f"1.{extension}")
    assert frame.format.name == pixel_format
    levels = np.unique(frame.to_ndarray()[..., 0])
    assert len(levels) > 60  # a column of 64 samples: nearly each its own level, which 8 bits would not all keep


def test_a_row_is_numbered_from_one_as_its_pattern_says(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=3)
    transcode(origin, tmp_path / "new" / "deep" / "shot-%03d.png")
    transcode(origin, f"{tmp_path}/folder/")
    assert sorted(path.name for path in (tmp_path / "new" / "deep").iterdir()) == [
        "shot-001.png",
        "shot-002.png",
        "shot-003.png",
    ]
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["000001.png", "000002.png", "000003.png"]


def test_pictures_in_pictures_out_needs_no_extension(tmp_path: Path) -> None:
    (tmp_path / "frames").mkdir()
    for index in range(2):
        write_image(tmp_path / "frames" / f"{index:03d}.png", index=index)
    transcode(tmp_path / "frames", tmp_path / "clear")
    assert sorted(path.name for path in (tmp_path / "clear").iterdir()) == ["000001.png", "000002.png"]


def test_a_row_that_is_replaced_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=3)
    folder = tmp_path / "row"
    folder.mkdir()
    old = folder / "00001.png"
    old.write_bytes(b"old")
    with open_source(str(origin)) as source:
        sink = open_sink(str(folder / "%05d.png"), source, overwrite=True)
        assert sink.replaces
        feed(sink, source, frames=2)
        assert old.read_bytes() == b"old"
        sink.abort(keep=False)
    assert [path.name for path in folder.iterdir()] == ["00001.png"]
    transcode(origin, folder / "%05d.png", overwrite=True)
    assert sorted(path.name for path in folder.iterdir()) == ["00001.png", "00002.png", "00003.png"]
    assert len(decoded(old)) == 1


@pytest.mark.parametrize("extension", ["png", "jpg", "webp"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_photograph_is_written_upright(extension: str, orientation: int, tmp_path: Path) -> None:
    plain = write_image(tmp_path / "plain.jpg", width=96, height=64)
    origin = tmp_path / "in.jpg"
    origin.write_bytes(with_orientation(plain.read_bytes(), orientation))
    turns = {3: 2, 6: 3, 8: 1}[orientation]  # quarter turns counter-clockwise that show it upright
    expected = np.rot90(rgb(plain), turns)
    transcode(origin, tmp_path / f"out.{extension}")
    (shown,) = decoded(tmp_path / f"out.{extension}")
    assert shown.rotation == 0
    assert (shown.height, shown.width) == expected.shape[:2]
    assert np.abs(shown.to_ndarray(format="rgb24").astype(int) - expected).mean() < 4


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with the EXIF orientation (TIFF tag 274) that cameras write."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 274, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize("name", ["out.png", "row/%d.png"])
def test_pictures_are_written_whole_or_not_at_all(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = write_image(tmp_path / "in.png")

    def full(self: Path, data: bytes) -> int:
        assert self.name.startswith(".")  # where nobody looks for a picture yet
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    with open_source(str(origin)) as source:
        sink = open_sink(str(tmp_path / name), source)
        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(SinkError, match="no space left"):
            feed(sink, source)
        assert sink.abort(keep=True) is False
    assert [path.name for path in tmp_path.iterdir()] == ["in.png"]


def test_other_streams_are_named_when_pictures_cannot_hold_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    origin = write_video(tmp_path / "in.mkv", frames=2, audio=1)
    transcode(origin, f"{tmp_path}/row/")
    assert caplog.messages == ["pictures hold no other streams; left out: audio"]


def test_quality_is_the_jpegs_quantiser(tmp_path: Path) -> None:
    origin = write_image(tmp_path / "in.png", width=96, height=64)
    sizes = []
    for quality in (2, 20):
        transcode(origin, tmp_path / f"{quality}.jpg", crf=quality)
        sizes.append((tmp_path / f"{quality}.jpg").stat().st_size)
    assert sizes[0] > sizes[1]
    with open_source(str(origin)) as source, pytest.raises(UsageError, match="no quality"):
        open_sink(str(tmp_path / "out.png"), source, crf=20)


def test_a_photograph_can_become_a_video_and_back(tmp_path: Path) -> None:
    origin = write_image(tmp_path / "in.png", width=96, height=64)
    transcode(origin, tmp_path / "out.mp4")
    assert [len(found) for found in packets(tmp_path / "out.mp4").values()] == [1]
    assert np.abs(rgb(tmp_path / "out.mp4") - picture(96, 64)).mean() < 6


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 31), (8192, 32)])
@pytest.mark.parametrize("extension", ["png", "jpg", "bmp", "tif", "webp"])
def test_every_size_of_picture_is_exact(size: tuple[int, int], extension: str, tmp_path: Path) -> None:
    origin = write_image(tmp_path / "in.png", *size)
    transcode(origin, tmp_path / f"out.{extension}")
    with av.open(str(tmp_path / f"out.{extension}")) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == size
