from __future__ import annotations

import numpy as np
import pytest

from rtdehaze.core.haze import Haze, Removal
from rtdehaze.stages.recompose.exposure import ExposureKeeper
from rtdehaze.stages.recompose.removal import plan_removal

AIRLIGHT = np.array([0.7, 0.7, 0.72], np.float32)


def removal_of(clear_luma: float, transmission: float = 0.4) -> Removal:
    """A scene of that mean luma with dark and bright parts, seen through haze."""
    clear = np.clip(clear_luma * np.linspace(0.2, 1.8, 64, dtype=np.float32), 0, 1)
    clear = np.broadcast_to(clear, (3, 16, 64))
    hazy = clear * transmission + AIRLIGHT.reshape(3, 1, 1) * (1 - transmission)
    haze = Haze(np.full((16, 64), transmission, np.float32), AIRLIGHT, 0.6)
    removal = plan_removal(haze, strength=1.0, guide=hazy.astype(np.float32))
    assert removal is not None
    return removal


def picture(removal: Removal) -> np.ndarray:
    assert removal.guide is not None
    return (removal.guide - removal.veil) / removal.luma


def test_a_dim_picture_is_lifted_and_its_order_of_brightness_holds() -> None:
    dim = removal_of(0.15)
    lifted = picture(ExposureKeeper(1.0).give_back(dim, 0.0))
    assert lifted.mean() > 1.3 * picture(dim).mean()
    assert lifted.max() <= 1.0
    assert (np.diff(lifted, axis=2) >= -1e-6).all()


def test_hue_holds_because_luma_and_chroma_grow_alike() -> None:
    dim = removal_of(0.15)
    lifted = ExposureKeeper(1.0).give_back(dim, 0.0)
    np.testing.assert_allclose(lifted.luma / dim.luma, lifted.chroma / dim.chroma, rtol=1e-5)


def test_a_bright_enough_picture_is_left_alone() -> None:
    bright = removal_of(0.5)
    assert ExposureKeeper(1.0).give_back(bright, 0.0) is bright


def test_black_and_white_stay_where_they_are() -> None:
    guide = np.zeros((3, 2, 8), np.float32)
    guide[:, 1] = 1.0
    guide[:, :, 2:] = 0.3
    veil = np.zeros_like(guide)
    veil[:, :, 2:] = 0.25
    maps = Removal(np.ones((2, 8), np.float32), np.ones((2, 8), np.float32), veil, guide)
    lifted = ExposureKeeper(1.0).give_back(maps, 0.0)
    assert lifted is not maps
    np.testing.assert_allclose(picture(lifted)[:, :, :2], picture(maps)[:, :, :2], atol=1e-6)


def test_the_lift_changes_slowly_and_starts_afresh_after_a_reset() -> None:
    keeper = ExposureKeeper(1.0)
    keeper.give_back(removal_of(0.5), 0.0)
    dim = removal_of(0.15)
    at_once = picture(ExposureKeeper(1.0).give_back(dim, 0.0)).mean()
    after_a_frame = picture(keeper.give_back(dim, 0.04)).mean()
    assert after_a_frame - picture(dim).mean() < 0.1 * (at_once - picture(dim).mean())
    for frame in range(2, 200):
        later = picture(keeper.give_back(dim, frame * 0.04)).mean()
    assert later == pytest.approx(at_once, rel=1e-3)
    keeper.reset()
    assert picture(keeper.give_back(dim, 9.0)).mean() == pytest.approx(at_once)


def test_maps_of_another_size_than_the_guide_are_lifted_too() -> None:
    dim = removal_of(0.15)
    half = Removal(dim.luma[::2, ::2], dim.chroma[::2, ::2], dim.veil[:, ::2, ::2], dim.guide)
    lifted = ExposureKeeper(0.0).give_back(half, 0.0)
    assert lifted.luma.shape == half.luma.shape
    assert (lifted.luma < half.luma).any()


def test_without_a_guide_nothing_is_changed() -> None:
    maps = removal_of(0.15)
    bare = Removal(maps.luma, maps.chroma, maps.veil)
    assert ExposureKeeper(1.0).give_back(bare, 0.0) is bare
