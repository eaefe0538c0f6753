from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.measure.pairs import find_pairs, read_pair, read_picture


def write(path: Path, picture: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)
    return path


def flat(value: int, height: int = 12, width: int = 16) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("hazy", "clear"),
    [
        ("0001_0.8_0.2", "0001"),
        ("1400_1", "1400"),
        ("bsds500_101085", "bsds500_101085"),
        ("01_outdoor_hazy", "01_outdoor_GT"),
        ("01_hazy", "01_GT"),
    ],
)
@pytest.mark.parametrize("folder", ["clear", "gt", "GT"])
def test_the_names_of_the_published_sets_find_their_partner(tmp_path: Path, hazy: str, clear: str, folder: str) -> None:
    write(tmp_path / "hazy" / f"{hazy}.png", flat(200))
    write(tmp_path / folder / f"{clear}.png", flat(100))
    write(tmp_path / folder / "other.png", flat(1))
    pair = read_pair(find_pairs(tmp_path)[0])
    assert pair.name == hazy
    assert pair.clear.mean() == 100


def test_transmission_and_airlight_come_along_where_they_are_known(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "hazy" / f"{name}.png", flat(200))
        write(tmp_path / "clear" / f"{name}.png", flat(100))
    write(tmp_path / "t" / "a.png", np.full((12, 16), 16384, np.uint16))
    (tmp_path / "meta.json").write_text('{"a": {"airlight_rgb": [0.7, 0.8, 0.9], "median_t": 0.25}, "b": {}}')
    known, unknown = map(read_pair, find_pairs(tmp_path))
    assert known.transmission is not None
    np.testing.assert_allclose(known.transmission, 0.25, atol=1e-4)
    np.testing.assert_allclose(known.airlight, [0.7, 0.8, 0.9])
    assert unknown.transmission is None
    assert unknown.airlight is None


def test_grey_sixteen_bit_and_transparent_pictures_are_read_as_rgb_of_eight_bits(tmp_path: Path) -> None:
    grey = read_picture(write(tmp_path / "grey.png", np.full((4, 5), 7, np.uint8)))
    deep = read_picture(write(tmp_path / "deep.png", np.full((4, 5, 3), (257, 0, 65535), np.uint16)))
    clear = read_picture(write(tmp_path / "alpha.png", np.full((4, 5, 4), (1, 2, 3, 4), np.uint8)))
    assert grey.shape == deep.shape == clear.shape == (4, 5, 3)
    assert (grey[0, 0].tolist(), deep[0, 0].tolist(), clear[0, 0].tolist()) == ([7, 7, 7], [255, 0, 1], [3, 2, 1])


def test_a_picture_without_partner_or_of_another_size_is_named(tmp_path: Path) -> None:
    write(tmp_path / "hazy" / "alone.png", flat(1))
    write(tmp_path / "hazy" / "large.png", flat(1, 20, 30))
    write(tmp_path / "clear" / "large.png", flat(1))
    alone, large = find_pairs(tmp_path)
    with pytest.raises(SourceError, match=r"alone\.png has no clear partner"):
        read_pair(alone)
    with pytest.raises(SourceError, match=r"large\.png is 30x20, its partner 16x12"):
        read_pair(large)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_picture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(SourceError, match=r"broken\.png is no picture"):
        read_picture(tmp_path / "broken.png")


def test_a_folder_without_its_parts_or_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no folder named clear"):
        find_pairs(tmp_path)
    (tmp_path / "clear").mkdir()
    with pytest.raises(SourceError, match="no folder named hazy"):
        find_pairs(tmp_path)
    (tmp_path / "hazy").mkdir()
    with pytest.raises(SourceError, match="clear holds no pictures"):
        find_pairs(tmp_path)


@pytest.mark.parametrize("text", ["not JSON", "[1, 2]", '{"a": {"airlight_rgb": [1]}}', '{"a": 3}'])
def test_a_broken_meta_json_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path / "hazy" / "a.png", flat(1))
    write(tmp_path / "clear" / "a.png", flat(1))
    (tmp_path / "meta.json").write_text(text)
    with pytest.raises(SourceError, match=r"meta\.json"):
        find_pairs(tmp_path)
