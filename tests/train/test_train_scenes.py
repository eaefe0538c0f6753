from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.train.config import DataConfig
from rtdehaze.train.scenes import load_scenes, read_pack, read_pairs, read_pictures


def save(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def grey(height: int = 20, width: int = 30, level: int = 90) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def test_a_pack_gives_pictures_with_the_root_of_their_disparity(pack: Path) -> None:
    scenes = read_pack(pack)
    assert [scene.name for scene in scenes] == [f"p{i}" for i in range(6)]
    root = scenes[0].disparity
    assert root is not None
    assert root.shape == scenes[0].clear.shape[:2]
    assert root[0].max() == 0
    assert root[-1].min() == 65535


def test_a_pack_can_be_narrowed_to_sets_whose_terms_allow_it(pack: Path) -> None:
    assert [scene.name for scene in read_pack(pack, ("boxes",))] == ["p1", "p3", "p5"]


def test_unreadable_pictures_are_skipped_counted_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "good.png", grey())
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with caplog.at_level(logging.WARNING):
        scenes = read_pictures(tmp_path)
    assert [scene.name for scene in scenes] == ["good"]
    assert "1 pictures" in caplog.text
    assert "bad.png" in caplog.text


@pytest.mark.parametrize("suffix", [".png", ".npy"])
def test_depth_beside_a_picture_becomes_disparity_and_holes_become_sky(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / "a.png", grey(2, 4))
    metres = np.array([[2, 4, 8, 0], [2, 4, 8, 0]], np.uint16)
    (tmp_path / "depth").mkdir()
    if suffix == ".png":
        save(tmp_path / "depth" / "a.png", metres)
    else:
        np.save(tmp_path / "depth" / "a.npy", np.where(metres == 0, np.inf, metres).astype(np.float32))
    root = read_pictures(tmp_path)[0].disparity
    assert root is not None
    np.testing.assert_allclose((root[0] / 65535) ** 2, [1.0, 0.5, 0.25, 0.0], atol=1e-4)


def test_depth_of_another_shape_is_refused_with_its_size(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "a.png", grey(20, 30))
    save(tmp_path / "depth" / "a.png", np.ones((30, 20), np.uint16))
    with pytest.raises(SourceError, match="no picture that can be used"):
        read_pictures(tmp_path)
    assert "20x30" in caplog.text


def test_pairs_find_their_partners_by_the_reside_naming(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "hazy" / "0001_0.8_0.2.png", grey(level=200))
    save(tmp_path / "hazy" / "0002_0.8_0.2.png", grey(level=200))
    save(tmp_path / "clear" / "0001.png", grey(level=50))
    scenes = read_pairs(tmp_path)
    assert len(scenes) == 1
    assert scenes[0].clear.max() == 50
    assert scenes[0].hazy is not None
    assert scenes[0].hazy.min() == 200
    assert "0002_0.8_0.2.png (no clear partner)" in caplog.text


def test_empty_and_missing_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no picture"):
        read_pictures(tmp_path)
    with pytest.raises(SourceError, match="does not exist"):
        read_pictures(tmp_path / "gone")
    with pytest.raises(SourceError, match=r"index\.csv"):
        read_pack(tmp_path)
    with pytest.raises(SourceError, match="clear or gt"):
        read_pairs(tmp_path)
    with pytest.raises(SourceError, match="nothing to train on"):
        load_scenes(DataConfig())
