from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from recompose_frames import chroma_step, levels_of, random_frame

from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import PIXEL_FORMATS
from rtdehaze.stages.recompose.keep import KeepMask

RNG = np.random.default_rng(11)


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@pytest.mark.parametrize("kind", ["boxes", "noise"])
def test_kept_samples_are_the_inputs_and_all_others_stay(name: str, kind: str) -> None:
    width, height = 37, 23
    if kind == "boxes":
        keep = KeepMask.load(width, height, boxes=[(3, 5, 10, 4), (30, 0, 7, 23)])
    else:
        keep = KeepMask(RNG.random((height, width)) < 0.2)
    frame, out = random_frame(name, width, height, RNG), random_frame(name, width, height, RNG)
    before = levels_of(out)
    keep.restore(frame, out)
    for number, (given, old, new) in enumerate(zip(levels_of(frame), before, levels_of(out), strict=True)):
        step_x, step_y = chroma_step(PIXEL_FORMATS[name]) if number else (1, 1)
        kept = np.zeros(given.shape, np.bool_)
        for y, x in np.argwhere(keep.mask):
            kept[y // step_y, x // step_x] = True
        np.testing.assert_array_equal(new, np.where(kept, given, old))


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "gray"])
def test_kept_samples_are_found_again_in_a_wider_frame(name: str) -> None:
    keep = KeepMask.load(16, 8, boxes=[(2, 2, 4, 4)])
    frame, wide = random_frame(name, 16, 8, RNG), random_frame(name, 40, 8, RNG)
    keep.restore(frame, wide, left=16)
    np.testing.assert_array_equal(levels_of(wide)[0][2:6, 18:22], levels_of(frame)[0][2:6, 2:6])
    if name != "gray":
        np.testing.assert_array_equal(levels_of(wide)[2][1:3, 9:11], levels_of(frame)[2][1:3, 1:3])


def test_whatever_is_not_black_in_a_picture_is_kept(tmp_path: Path) -> None:
    picture = np.zeros((20, 30, 4), np.uint8)
    picture[4:8, 5:9] = (0, 0, 1, 255)
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), picture)
    keep = KeepMask.load(30, 20, mask=path, boxes=[(20, 10, 2, 3)])
    assert keep.mask.sum() == 16 + 6
    assert keep.mask[4:8, 5:9].all()


@pytest.mark.parametrize(
    ("box", "complaint"),
    [
        ((0, 0, 0, 5), "keep-box 0,0,0,5 is empty: its width and height must be at least 1"),
        ((-1, 0, 5, 5), "keep-box -1,0,5,5 does not lie within the picture of 30x20"),
        ((28, 0, 5, 5), "keep-box 28,0,5,5 does not lie within the picture of 30x20"),
        ((0, 18, 5, 3), "keep-box 0,18,5,3 does not lie within the picture of 30x20"),
    ],
)
def test_boxes_that_cannot_be_are_refused_in_one_line(box: tuple[int, int, int, int], complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        KeepMask.load(30, 20, boxes=[box])
    assert str(caught.value) == complaint


def test_masks_that_cannot_be_used_are_refused_in_one_line(tmp_path: Path) -> None:
    wrong, garbage, empty = tmp_path / "wrong.png", tmp_path / "garbage.png", tmp_path / "empty.png"
    cv2.imwrite(str(wrong), np.zeros((10, 30), np.uint8))
    garbage.write_bytes(b"not a picture")
    empty.touch()
    for path, complaint in (
        (wrong, "is 30x10, the video 30x20: sizes must agree"),
        (garbage, "not a picture that OpenCV can decode"),
        (empty, "not a picture that OpenCV can decode"),
        (tmp_path / "missing.png", "No such file or directory"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(UsageError) as caught:
            KeepMask.load(30, 20, mask=path)
        assert complaint in str(caught.value)
        assert "\n" not in str(caught.value)


def test_estimation_sees_the_surroundings_instead_of_an_overlay() -> None:
    x = np.linspace(0.3, 0.6, 64, dtype=np.float32)
    clean = np.broadcast_to(x, (3, 36, 64)).copy()
    marked = clean.copy()
    marked[:, 10:20, 20:40] = 1.0
    keep = KeepMask.load(640, 360, boxes=[(200, 100, 200, 100)])
    filled = keep.fill(marked)
    assert np.abs(filled - clean).max() < 0.06
    outside = np.ones((36, 64), np.bool_)
    outside[10:20, 20:40] = False
    np.testing.assert_array_equal(filled[:, outside], clean[:, outside])
    assert filled.dtype == np.float32


def test_a_sample_that_the_overlay_only_touches_is_filled_too() -> None:
    thumbnail = np.full((3, 9, 16), 0.5, np.float32)
    thumbnail[:, 3, 4] = 0.52
    filled = KeepMask.load(160, 90, boxes=[(49, 39, 1, 1)]).fill(thumbnail)
    assert np.abs(filled - 0.5).max() < 1e-6


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_nothing_or_everything_is_kept_the_thumbnail_stays(share: float) -> None:
    thumbnail = RNG.random((3, 9, 16)).astype(np.float32)
    assert KeepMask(np.full((90, 160), share > 0)).fill(thumbnail) is thumbnail


def test_overlays_in_most_of_the_picture_leave_no_gap_unfilled() -> None:
    mask = np.ones((90, 160), np.bool_)
    mask[40:50, 70:80] = False
    thumbnail = np.full((3, 9, 16), 1.0, np.float32)
    thumbnail[:, 4, 7] = 0.25
    np.testing.assert_allclose(KeepMask(mask).fill(thumbnail), 0.25, atol=1e-5)
