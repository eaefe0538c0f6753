from __future__ import annotations

import numpy as np
import pytest
from recompose_frames import empty_frame, levels_of, make_frame, physical, plane_sizes, random_frame

from rtdehaze.core.colour import rgb_to_levels
from rtdehaze.core.frame import PIXEL_FORMATS
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.recomposer import Recomposer

RNG = np.random.default_rng(3)


def recompose(name: str, planes: list[np.ndarray], removal: Removal) -> list[np.ndarray]:
    frame = make_frame(name, planes)
    out = empty_frame(name, frame.width, frame.height)
    Recomposer().apply(frame, removal, out)
    return levels_of(out)


def flat(transmission: float, airlight: float = 0.8) -> Removal:
    return physical(np.full((2, 3), transmission), (airlight,) * 3)


def rgb_of(planes: list[np.ndarray], name: str) -> np.ndarray:
    pixels = PIXEL_FORMATS[name]
    frame = make_frame(name, planes)
    forward, offset = rgb_to_levels(frame.colour, pixels.bits)
    levels = np.stack([plane.ravel() for plane in planes]) - offset[:, None]
    return np.linalg.solve(forward, levels)


@pytest.mark.parametrize("name", ["yuv420p", "nv12", "yuv444p", "yuv420p10le", "p010le", "gray"])
def test_what_was_within_the_nominal_range_stays_within_it(name: str) -> None:
    pixels = PIXEL_FORMATS[name]
    unit = 1 << (pixels.bits - 8)
    tops = [235 * unit, 240 * unit, 240 * unit]
    sizes = plane_sizes(pixels, 64, 48)
    planes = [RNG.integers(16 * unit, top + 1, (h, w)) for (w, h), top in zip(sizes, tops, strict=False)]
    for plane, top in zip(recompose(name, planes, flat(0.2)), tops, strict=False):
        assert plane.min() >= 16 * unit
        assert plane.max() <= top


def test_super_whites_and_sub_blacks_are_clipped_no_further_than_they_were() -> None:
    luma = np.array([[0, 8, 15, 16, 100, 235, 240, 255]])
    exact = (luma - 16 - 219 * 0.8 * 0.1) / 0.9 + 16
    found = recompose("gray", [luma], flat(0.9))[0]
    assert (found[0, :3] == luma[0, :3]).all()
    assert (found[0, 5:] >= 235).all()
    assert (np.abs(found - np.clip(exact, np.minimum(luma, 16), np.maximum(luma, 235))) <= 0.6).all()


def test_full_range_is_used_in_full() -> None:
    luma = np.tile(np.arange(256), (2, 1))
    neutral = np.full((1, 128), 128)
    found = recompose("yuvj420p", [luma, neutral, neutral], flat(0.4))[0]
    assert found.min() == 0
    assert found.max() == 255


@pytest.mark.parametrize("name", ["yuv444p", "yuvj444p", "yuv444p10le"])
def test_colours_that_rgb_can_show_remain_colours_that_rgb_can_show(name: str) -> None:
    pixels = PIXEL_FORMATS[name]
    forward, offset = rgb_to_levels(make_frame(name, [np.zeros((1, 1))] * 3).colour, pixels.bits)
    clear = RNG.random((3, 40, 50))
    hazy = clear * 0.5 + 0.5 * 0.7
    planes = list(np.rint(np.tensordot(forward, hazy, 1) + offset[:, None, None]))
    found = rgb_of(recompose(name, planes, flat(0.35, 0.9)), name)
    slack = 4 / (1 << pixels.bits)
    assert found.min() > -slack
    assert found.max() < 1 + slack


def test_clipping_keeps_the_hue() -> None:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    u, v = 128 + 25 * np.cos(angle), 128 + 25 * np.sin(angle)
    for luma in (130.0, 160.0, 190.0):
        planes = [np.full((1, 64), luma), np.rint(u)[None], np.rint(v)[None]]
        found = recompose("yuv444p10le", [plane * 4 for plane in planes], flat(0.4))
        before = np.arctan2(planes[2] - 128, planes[1] - 128)
        offset_u, offset_v = found[1] / 4 - 128, found[2] / 4 - 128
        shown = np.hypot(offset_u, offset_v) > 6
        assert shown.any()
        turned = np.angle(np.exp(1j * (np.arctan2(offset_v, offset_u) - before)))
        assert np.abs(np.degrees(turned[shown])).max() < 4


def test_chroma_shrinks_as_luma_runs_into_white_and_into_black() -> None:
    luma = np.arange(60, 236, 4)[None]
    planes = [luma, np.full(luma.shape, 118), np.full(luma.shape, 150)]
    found = recompose("yuv444p", planes, flat(0.4))
    strength = np.hypot(found[1] - 128, found[2] - 128)[0]
    middle = strength.max()
    assert middle > 2.2 * np.hypot(10, 22)
    assert strength[0] < 0.5 * middle
    assert strength[-1] < 0.8 * middle


def test_colours_beyond_rgb_are_spared_where_hardly_any_haze_is_removed() -> None:
    frame, out = random_frame("yuv444p", 50, 40, RNG), empty_frame("yuv444p", 50, 40)
    Recomposer().apply(frame, flat(0.98, 0.5), out)
    before, after = levels_of(frame), levels_of(out)
    for plane, recomposed in zip(before[1:], after[1:], strict=True):
        assert np.abs(recomposed - 128 - (plane - 128)).max() <= 0.1 * 128 + 1


def test_arrays_are_clipped_alike() -> None:
    clear = RNG.random((40, 50, 3))
    hazy = np.rint((clear * 0.5 + 0.5 * 0.7) * 255).astype(np.uint8)
    found = Recomposer().apply_rgb(hazy, flat(0.35, 0.9)).astype(float)
    exact = ((hazy / 255 - 0.9) / 0.35 + 0.9) * 255
    inside = (exact > 2).all(axis=2) & (exact < 253).all(axis=2)
    assert np.abs(found - exact)[inside].max() <= 1.1
    spread = exact.max(axis=2) - exact.min(axis=2)
    order = exact.argmax(axis=2)
    kept = found.max(axis=2) - found.min(axis=2) > 12
    same = np.take_along_axis(found, order[..., None], 2)[..., 0] >= found.max(axis=2) - 2
    assert same[kept & (spread > 20)].all()
