"""Photographs, numbered pictures and folders of them."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import pytest

from rtdehaze.core.errors import UnsupportedVideoError
from rtdehaze.core.frame import Frame
from rtdehaze.stages.capture.pictures import files_of_folder, files_of_pattern
from rtdehaze.stages.capture.source import open_source
from tests.media import write_image


def blues(location: Path | str, **options: float) -> list[int]:
    """Which picture of the series each frame is, told by its blue difference."""
    with open_source(location, **options) as source:
        frames = [item for item in source.items() if isinstance(item, Frame)]
    ranks = sorted({int(frame.planes[1].samples.mean()) for frame in frames})
    return [ranks.index(int(frame.planes[1].samples.mean())) for frame in frames]


def test_a_folder_is_read_in_the_order_people_sort(tmp_path: Path) -> None:
    for index, name in enumerate(["frame2.png", "frame10.png", "Frame11.jpg", "x1y2.bmp", "x1y10.tif"]):
        write_image(tmp_path / name, index=index)
    (tmp_path / ".hidden.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("no picture")
    names = [path.name for path in files_of_folder(str(tmp_path))]
    assert names == ["frame2.png", "frame10.png", "Frame11.jpg", "x1y2.bmp", "x1y10.tif"]
    assert blues(tmp_path) == [0, 1, 2, 3, 4]


def test_a_pattern_takes_its_own_numbers_in_order_and_nothing_else(tmp_path: Path) -> None:
    for name in ["00009.png", "00010.png", "100000.png", "0011.png", "a00012.png", "00013.jpg"]:
        write_image(tmp_path / name)
    names = [path.name for path in files_of_pattern(str(tmp_path / "%05d.png"))]
    assert names == ["00009.png", "00010.png", "100000.png"]
    assert [path.name for path in files_of_pattern(str(tmp_path / "%d.png"))] == [
        "00009.png",
        "00010.png",
        "0011.png",
        "100000.png",
    ]


def test_a_photo_whose_name_looks_like_a_pattern_is_a_photo(tmp_path: Path) -> None:
    path = write_image(tmp_path / "100%d.png")
    write_image(tmp_path / "1005.png", 8, 8)
    with open_source(path) as source:
        assert source.video.still
        assert (source.video.width, source.video.height) == (32, 24)


@pytest.mark.parametrize("fps", [25, Fraction(30_000, 1001), 0.5])
def test_pictures_last_one_frame_of_the_rate(tmp_path: Path, fps: float | Fraction) -> None:
    for index in range(3):
        write_image(tmp_path / f"{index}.png", index=index)
    with open_source(tmp_path, fps=fps) as source:
        assert source.video.rate == Fraction(fps)
        assert [item.pts * item.time_base for item in source.items() if isinstance(item, Frame)] == [
            index / Fraction(fps) for index in range(3)
        ]


def test_a_cut_of_pictures_starts_at_zero(tmp_path: Path) -> None:
    for index in range(10):
        write_image(tmp_path / f"{index}.png", index=index)
    with open_source(tmp_path, start=0.1, duration=0.2, fps=20) as source:
        frames = [item for item in source.items() if isinstance(item, Frame)]
        assert [frame.pts for frame in frames] == [0, 1, 2, 3]
        assert source.video.frames == 4


def test_pictures_of_other_sizes_are_fitted_into_the_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for index, size in enumerate([(40, 30), (80, 60), (30, 40)]):
        write_image(tmp_path / f"{index}.jpg", *size)
    with open_source(tmp_path) as source:
        assert {(item.width, item.height) for item in source.items() if isinstance(item, Frame)} == {(40, 30)}
    assert len(caplog.records) == 1


def test_a_still_photograph_says_so_and_a_row_of_one_does_not(tmp_path: Path) -> None:
    path = write_image(tmp_path / "photo.png")
    with open_source(path) as photo, open_source(tmp_path) as folder:
        assert photo.video.still
        assert not folder.video.still
        assert (photo.video.codec, photo.video.native_format, photo.video.frames) == ("png", "rgb24", 1)


def test_a_photograph_without_a_suffix_is_known_by_its_content(tmp_path: Path) -> None:
    path = write_image(tmp_path / "photo.png").rename(tmp_path / "photo")
    with open_source(path) as source:
        assert source.video.still
        assert len([item for item in source.items() if isinstance(item, Frame)]) == 1


def test_an_hdr_photograph_is_refused(tmp_path: Path) -> None:
    path = write_image(tmp_path / "photo.png")
    content = path.read_bytes()
    code_points = bytes([9, 16, 0, 1])  # BT.2020 primaries, PQ, RGB, full range
    chunk = struct.pack(">I", 4) + b"cICP" + code_points + struct.pack(">I", zlib.crc32(b"cICP" + code_points))
    path.write_bytes(content[:33] + chunk + content[33:])
    with pytest.raises(UnsupportedVideoError, match="PQ"):
        open_source(path)


def turned(path: Path, orientation: int) -> Path:
    """Adds an Exif orientation to a JPEG."""
    entry = struct.pack(">HHIHH", 0x0112, 3, 1, orientation, 0)
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    content = path.read_bytes()
    path.write_bytes(content[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + content[2:])
    return path


def test_the_orientation_of_a_photograph_is_told_and_its_samples_are_not_turned(tmp_path: Path) -> None:
    path = turned(write_image(tmp_path / "photo.jpg"), 6)
    with open_source(path) as source:
        assert source.video.rotation == -90
        assert (source.video.width, source.video.height) == (32, 24)


def test_pictures_turned_differently_are_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for index, orientation in enumerate([1, 6, 8]):
        turned(write_image(tmp_path / f"{index}.jpg"), orientation)
    with open_source(tmp_path) as source:
        list(source.items())
    assert ["to be turned" in record.message for record in caplog.records] == [True]
