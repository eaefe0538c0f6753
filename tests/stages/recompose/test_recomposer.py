from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from recompose_frames import (
    PADDING,
    UNTOUCHED,
    chroma_step,
    empty_frame,
    levels_of,
    make_frame,
    physical,
    random_frame,
)

from rtdehaze.core.frame import PIXEL_FORMATS, Plane
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.stages.recompose.reference import recompose_planes

RNG = np.random.default_rng(7)
HAZE = physical(RNG.uniform(0.5, 0.9, (6, 10)), (0.5, 0.52, 0.54))


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_no_removal_copies_the_planes_and_nothing_beyond_them(name: str) -> None:
    frame, out = random_frame(name, 17, 31, RNG), empty_frame(name, 17, 31)
    out.planes[0].data[:, -PADDING:] = UNTOUCHED
    Recomposer().apply(frame, None, out)
    for plane, copied in zip(frame.planes, out.planes, strict=True):
        np.testing.assert_array_equal(copied.samples, plane.samples)
        assert (copied.data[:, copied.width :] == UNTOUCHED).all()


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 2), (17, 31)])
def test_padding_behind_the_lines_is_left_alone(name: str, width: int, height: int) -> None:
    frame, out = random_frame(name, width, height, RNG), empty_frame(name, width, height)
    Recomposer().apply(frame, HAZE, out)
    for plane in out.planes:
        assert (plane.data[:, plane.width :] == UNTOUCHED).all()


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "p010le", "gray", "yuv444p"])
def test_threads_share_a_frame_without_changing_it(name: str) -> None:
    frame = random_frame(name, 64, 301, RNG)
    removal = replace(HAZE, guide=RNG.random((3, 6, 10)).astype(np.float32))
    alone, together = empty_frame(name, 64, 301), empty_frame(name, 64, 301)
    with Recomposer(threads=1) as one, Recomposer(threads=3) as three:
        one.apply(frame, removal, alone)
        three.apply(frame, removal, together)
    for plane, other in zip(alone.planes, together.planes, strict=True):
        np.testing.assert_array_equal(plane.samples, other.samples)


def test_scratch_follows_the_frame_when_its_size_and_format_change() -> None:
    with Recomposer() as recomposer:
        for name, width, height in (("yuv420p", 8, 8), ("yuv444p", 40, 3), ("gray", 5, 50), ("yuv420p", 8192, 32)):
            frame, out = random_frame(name, width, height, RNG, 0.1), empty_frame(name, width, height)
            recomposer.apply(frame, HAZE, out)
            pixels = frame.format
            wanted = recompose_planes(levels_of(frame), HAZE, frame.colour, pixels.bits, chroma_step(pixels))
            for plane, exact in zip(levels_of(out), wanted, strict=True):
                assert np.abs(plane - exact).max() <= 1.01


@pytest.mark.parametrize(
    ("name", "other"), [("yuv420p", "yuv420p10le"), ("nv12", "p010le"), ("yuv420p10le", "p010le"), ("nv12", "yuv420p")]
)
@pytest.mark.parametrize("removal", [None, HAZE])
def test_depth_and_layout_may_differ_between_input_and_output(name: str, other: str, removal: Removal | None) -> None:
    frame, out = random_frame(name, 33, 21, RNG, 0.1), empty_frame(other, 33, 21)
    Recomposer().apply(frame, removal, out)
    exact = levels_of(frame)
    if removal is not None:
        exact = recompose_planes(exact, removal, frame.colour, frame.format.bits, (2, 2))
    scale = 1 << (out.format.bits - frame.format.bits)
    for plane, wanted in zip(levels_of(out), exact, strict=True):
        assert np.abs(plane - wanted * scale).max() <= 1.01


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "p010le", "yuv444p", "gray10le"])
@pytest.mark.parametrize("removal", [None, HAZE])
def test_a_picture_can_be_written_into_a_part_of_a_wider_frame(name: str, removal: Removal | None) -> None:
    frame, alone, wide = random_frame(name, 15, 9, RNG), empty_frame(name, 15, 9), empty_frame(name, 40, 9)
    recomposer = Recomposer()
    recomposer.apply(frame, removal, alone)
    recomposer.apply(frame, removal, wide, left=16)
    for number, (plane, part) in enumerate(zip(levels_of(alone), levels_of(wide), strict=True)):
        start = 16 // chroma_step(frame.format)[0] if number else 16
        np.testing.assert_array_equal(part[:, start : start + plane.shape[1]], plane)
        assert (part[:, :start] == 0).all()


def test_frames_that_do_not_go_together_are_refused() -> None:
    recomposer, frame = Recomposer(), empty_frame("yuv420p", 16, 8)
    with pytest.raises(ValueError, match="16x8 at column 0 does not fit a frame of 14x8"):
        recomposer.apply(frame, HAZE, empty_frame("yuv420p", 14, 8))
    with pytest.raises(ValueError, match="within a chroma sample"):
        recomposer.apply(frame, HAZE, empty_frame("yuv420p", 32, 8), left=3)
    with pytest.raises(ValueError, match="yuv420p cannot be recomposed into gray"):
        recomposer.apply(frame, HAZE, empty_frame("gray", 16, 8))


def test_the_input_is_not_written() -> None:
    frame, out = random_frame("yuv420p", 30, 20, RNG), empty_frame("yuv420p", 30, 20)
    locked = [Plane(plane.data.copy(), plane.width) for plane in frame.planes]
    Recomposer().apply(frame, HAZE, out)
    for plane, before in zip(frame.planes, locked, strict=True):
        np.testing.assert_array_equal(plane.data, before.data)


def test_a_guide_finer_than_the_maps_is_brought_to_their_size() -> None:
    fine = RNG.random((3, 24, 40)).astype(np.float32)
    coarse = fine.reshape(3, 6, 4, 10, 4).mean(axis=(2, 4))
    frame = random_frame("yuv420p", 160, 96, RNG)
    outs = []
    for guide in (fine, coarse):
        out = empty_frame("yuv420p", 160, 96)
        Recomposer().apply(frame, replace(HAZE, guide=guide), out)
        outs.append(levels_of(out))
    for one, other in zip(*outs, strict=True):
        assert np.abs(one - other).max() <= 1


def test_arrays_of_rgb_follow_the_haze_model() -> None:
    picture = RNG.integers(100, 150, (48, 80, 3)).astype(np.uint8)
    t, airlight = 0.7, np.array([0.5, 0.52, 0.54])
    clear = Recomposer().apply_rgb(picture, physical(np.full((3, 5), t), tuple(airlight)))
    exact = ((picture / 255 - airlight) / t + airlight) * 255
    assert clear.dtype == np.uint8
    assert np.abs(clear - exact).max() <= 0.5 + 0.5 * (1 / t - 1) + 0.01


def test_the_order_of_the_channels_makes_no_difference_to_the_picture() -> None:
    picture = RNG.integers(0, 256, (48, 80, 3)).astype(np.uint8)
    removal = replace(HAZE, guide=RNG.random((3, 6, 10)).astype(np.float32))
    with Recomposer(threads=2) as recomposer:
        rgb = recomposer.apply_rgb(picture, removal)
        bgr = recomposer.apply_rgb(picture[..., ::-1], removal, order="bgr")
    assert np.abs(rgb.astype(int) - bgr[..., ::-1]).max() <= 1


def test_an_array_without_haze_comes_back_as_a_copy() -> None:
    picture = RNG.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    one = np.ones((4, 6), np.float32)
    nothing = Removal(one, one, np.zeros((3, 4, 6), np.float32), RNG.random((3, 4, 6)).astype(np.float32))
    for removal in (None, nothing):
        out = Recomposer().apply_rgb(picture, removal)
        np.testing.assert_array_equal(out, picture)
        assert not np.shares_memory(out, picture)


def test_a_frame_of_one_value_is_recomposed_to_one_value_but_for_the_dither() -> None:
    planes = [np.full((8, 16), 150), np.full((4, 8), 128), np.full((4, 8), 128)]
    out = empty_frame("yuv420p", 16, 8)
    Recomposer().apply(make_frame("yuv420p", planes), physical(np.full((2, 2), 0.5), (0.8, 0.8, 0.8)), out)
    exact = (150 - 16 - 219 * 0.8 * 0.5) / 0.5 + 16
    assert abs(levels_of(out)[0].mean() - exact) < 0.2
    assert np.abs(levels_of(out)[0] - exact).max() <= 1.0
