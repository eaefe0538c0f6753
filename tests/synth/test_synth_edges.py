from __future__ import annotations

import cv2
import numpy as np
import pytest

from rtdehaze.measure.fidelity import band_around_edges
from rtdehaze.synth.edges import EdgePicture, poles_and_branches


@pytest.fixture(scope="module")
def picture() -> EdgePicture:
    return poles_and_branches(480, 270, seed=1)


def test_where_one_surface_fills_the_pixel_the_haze_model_solves_back(picture: EdgePicture) -> None:
    light = picture.transmission[..., None]
    solved = (picture.hazy_float - picture.airlight) / light + picture.airlight
    assert np.abs(solved - picture.clear_float)[~picture.mixed].max() < 1e-4


def test_on_shared_pixels_haze_is_mixed_from_each_surface_in_its_own() -> None:
    picture = poles_and_branches(480, 270, seed=1)
    # The light that a pixel gets from its surfaces lies between nothing and all of what a surface could send:
    # hazy - A (1 - t) = sum(w t J) is never negative and never above t.
    direct = picture.hazy_float - picture.airlight * (1 - picture.transmission)[..., None]
    assert direct.min() > -1e-5
    assert (direct - picture.transmission[..., None]).max() < 1e-5
    # And there no single t gives the clear mixture back: dark poles before a bright, far sky.
    solved = direct / picture.transmission[..., None]
    assert np.abs(solved - picture.clear_float)[picture.mixed].mean() > 0.02


def test_there_are_big_steps_between_poles_and_sky(picture: EdgePicture) -> None:
    steps = np.abs(np.diff(picture.transmission, axis=1))
    assert (steps > 0.5).sum() > 200
    assert picture.transmission.min() == pytest.approx(0.12, abs=1e-6)
    assert picture.transmission.max() <= 0.97
    assert 0.2 < band_around_edges(picture.transmission, 16).mean() < 1.0
    assert 0.01 < picture.mixed.mean() < 0.5


def test_it_repeats_with_its_seed_and_changes_with_it(picture: EdgePicture) -> None:
    again, other = poles_and_branches(480, 270, seed=1), poles_and_branches(480, 270, seed=2)
    assert np.array_equal(picture.hazy, again.hazy)
    assert np.array_equal(picture.transmission, again.transmission)
    assert not np.array_equal(picture.hazy, other.hazy)


@pytest.mark.parametrize("size", [(8, 8), (17, 31), (641, 100)], ids=str)
def test_odd_sizes_can_be_drawn(size: tuple[int, int]) -> None:
    picture = poles_and_branches(*size)
    assert picture.hazy.shape == (size[1], size[0], 3)
    assert np.isfinite(picture.hazy_float).all()


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="4x20"):
        poles_and_branches(4, 20)


def test_a_larger_picture_shows_the_same_place() -> None:
    small, large = poles_and_branches(320, 180, seed=3), poles_and_branches(640, 360, seed=3)
    shrunk = cv2.resize(large.transmission, (320, 180), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunk.ravel(), small.transmission.ravel())[0, 1] > 0.9
