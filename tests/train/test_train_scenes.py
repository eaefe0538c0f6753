from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.core.errors import SourceError
from rtdehaze.measure.fidelity import psnr
from rtdehaze.train.config import DataConfig
from rtdehaze.train.decoding import PackPicture, UnreadableError
from rtdehaze.train.origins import Origin
from rtdehaze.train.scenes import Scenes, load_scenes, read_pack, read_pairs, read_pictures


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


def test_nothing_is_read_before_it_is_asked_for_and_little_is_kept(pack: Path) -> None:
    scenes = read_pack(pack)
    one = scenes[0].size
    small = Scenes([PackPicture(pack, f"p{i}") for i in range(6)], room_mb=2.5 * one / 1e6)
    first = small[0]
    assert small[0] is first
    small[1], small[2]
    assert small[0] is not first
    np.testing.assert_array_equal(small[0].clear, first.clear)
    assert len(pickle.dumps(small)) < 2000


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", b"no picture", "is no picture that can be decoded"),
        ("a.png", b"", "is no picture that can be decoded"),
        ("a.jpg", "cut", "is cut short"),
        ("a.png", "cut", "is no picture that can be decoded"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named_with_the_reason(
    tmp_path: Path, name: str, content: bytes | str, reason: str
) -> None:
    save(tmp_path / "good.png", grey())
    path = tmp_path / name
    if isinstance(content, str):
        noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
        save(path, noise)
        content = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(content)
    scenes = read_pictures(tmp_path)
    assert len(scenes) == 2
    with pytest.raises(UnreadableError, match=f"{name} {reason}"):
        scenes[0]
    assert scenes[1].name == "good"


def test_a_large_photograph_is_read_as_small_as_it_is_used(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (120, 160, 3), np.uint8)
    large = cv2.resize(noise, (2560, 1920), interpolation=cv2.INTER_CUBIC)
    save(tmp_path / "a.jpg", large)
    save(tmp_path / "b.png", large)
    jpeg, png = read_pictures(tmp_path)
    assert jpeg.clear.shape == png.clear.shape == (384, 512, 3)
    assert psnr(jpeg.clear, png.clear) > 30.0


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


def test_depth_of_another_shape_is_refused_with_its_size(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(20, 30))
    save(tmp_path / "depth" / "a.png", np.ones((30, 20), np.uint16))
    with pytest.raises(SourceError, match=r"no picture that can be used.*20x30, its picture 30x20"):
        read_pictures(tmp_path)


def test_rounding_of_a_small_map_is_no_other_shape(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(100, 448))
    save(tmp_path / "disp" / "a.png", np.full((71, 320), 9, np.uint8))
    assert read_pictures(tmp_path)[0].disparity is not None


def test_depth_that_is_no_map_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", grey(20, 30))
    save(tmp_path / "depth" / "a.png", grey(20, 30))
    with pytest.raises(SourceError, match="no readable map of one channel"):
        read_pictures(tmp_path)
    (tmp_path / "depth" / "a.png").unlink()
    np.save(tmp_path / "depth" / "a.npy", np.full((20, 30), np.nan))
    with pytest.raises(SourceError, match="holds no depth above 0"):
        read_pictures(tmp_path)
    (tmp_path / "depth" / "a.npy").unlink()
    save(tmp_path / "depth" / "a.png", np.zeros((20, 30), np.uint16))
    with pytest.raises(SourceError, match="holds no depth above 0"):
        read_pictures(tmp_path)


def test_a_pack_may_hold_disparity_in_16_bit(tmp_path: Path) -> None:
    save(tmp_path / "rgb" / "a.jpg", grey(2, 4))
    save(tmp_path / "disp" / "a.png", np.array([[0, 1, 300, 65535]] * 2, np.uint16))
    (tmp_path / "index.csv").write_text("name,set,terms\na,mine,MIT\n")
    root = read_pack(tmp_path)[0].disparity
    assert root is not None
    assert root[0].tolist() == [0, 1, 300, 65535]


def test_pairs_find_their_partners_by_the_reside_naming(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    save(tmp_path / "hazy" / "0001_0.8_0.2.png", grey(level=200))
    save(tmp_path / "hazy" / "0002_0.8_0.2.png", grey(level=200))
    save(tmp_path / "clear" / "0001.png", grey(level=50))
    scenes = read_pairs(tmp_path)
    assert len(scenes) == 1
    assert scenes[0].clear.max() == 50
    assert scenes[0].hazy is not None
    assert scenes[0].hazy.min() == 200
    assert "1 hazy pictures" in caplog.text
    assert "no clear partner: 0002_0.8_0.2.png" in caplog.text


def test_a_pair_of_two_sizes_is_named_with_them(tmp_path: Path) -> None:
    save(tmp_path / "hazy" / "1.png", grey(20, 30))
    save(tmp_path / "gt" / "1.png", grey(20, 20))
    with pytest.raises(SourceError, match=r"hazy/1\.png and its clear partner differ in size: 30x20 and 20x20"):
        read_pairs(tmp_path)


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
    (tmp_path / "index.csv").write_text("name,set\n")
    with pytest.raises(SourceError, match="holds no picture that can be used: it is empty"):
        read_pack(tmp_path)
    with pytest.raises(SourceError, match=r"no picture of data\.sets = moon"):
        read_pack(tmp_path, ("moon",))


def test_terms_are_known_per_source(pack: Path, tmp_path: Path) -> None:
    save(tmp_path / "mine" / "a.png", grey())
    (tmp_path / "mine" / "terms.txt").write_text("CC BY 4.0\nSomebody\n")
    scenes = load_scenes(DataConfig(packs=(str(pack),), pictures=(str(tmp_path / "mine"),)))
    assert len(scenes) == 7
    assert scenes.origins == (
        Origin("more", "made here", 3),
        Origin("boxes", "made here", 3),
        Origin("mine", "CC BY 4.0", 1),
    )
