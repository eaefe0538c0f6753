from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from recompose_frames import physical

from rtdehaze.core.haze import Removal
from rtdehaze.measure.fidelity import band_around_edges, psnr
from rtdehaze.stages.recompose.edges import edge_slopes, share_of_veil
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.synth.edges import EdgePicture, poles_and_branches
from rtdehaze.synth.noise import smooth_field, tiled_noise

WIDTH, HEIGHT = 960, 540
MAP = (128, 72)


@pytest.fixture(scope="module")
def scene() -> EdgePicture:
    return poles_and_branches(WIDTH, HEIGHT, 0)


def removal_of(hazy: np.ndarray, transmission: np.ndarray, airlight: np.ndarray) -> Removal:
    small = cv2.resize(transmission, MAP, interpolation=cv2.INTER_AREA)
    guide = cv2.resize(hazy.astype(np.float32) / 255, MAP, interpolation=cv2.INTER_AREA)
    return replace(physical(small, tuple(airlight)), guide=np.ascontiguousarray(guide.transpose(2, 0, 1)))


def restored(hazy: np.ndarray, removal: Removal) -> np.ndarray:
    return Recomposer().apply_rgb(hazy, removal).astype(np.float32) / 255


def test_poles_and_branches_come_out_far_cleaner_than_by_bilinear_enlargement(scene: EdgePicture) -> None:
    removal = removal_of(scene.hazy, scene.transmission, scene.airlight)
    near = band_around_edges(scene.transmission, 16) & ~scene.mixed
    far = ~band_around_edges(scene.transmission, 3 * WIDTH / MAP[0]) & ~scene.mixed
    with_guide = restored(scene.hazy, removal)
    bilinear = restored(scene.hazy, replace(removal, guide=None))
    assert psnr(with_guide, scene.clear_float, near) > psnr(bilinear, scene.clear_float, near) + 5
    assert psnr(with_guide, scene.clear_float, far) > psnr(bilinear, scene.clear_float, far) - 0.3


@pytest.mark.parametrize("noise", [0, 2, 6])
def test_texture_and_noise_without_a_depth_edge_are_no_worse_than_bilinear(noise: int) -> None:
    rng = np.random.default_rng(noise)
    clear = np.clip(0.4 + 0.15 * tiled_noise(rng, HEIGHT, WIDTH, 1.0)[..., None], 0, 1) * np.ones(3, np.float32)
    t = np.clip(0.45 + 0.3 * smooth_field(rng, HEIGHT, WIDTH), 0.15, 0.9).astype(np.float32)
    airlight = np.full(3, 0.8, np.float32)
    seen = (clear - airlight) * t[..., None] + airlight
    hazy = np.clip(np.rint(seen * 255 + noise * rng.standard_normal(seen.shape)), 0, 255).astype(np.uint8)
    removal = removal_of(hazy, t, airlight)
    bilinear = psnr(restored(hazy, replace(removal, guide=None)), clear)
    assert psnr(restored(hazy, removal), clear) > bilinear - 0.1 - (0.6 if noise == 0 else 0)


def test_a_map_of_the_pictures_own_size_is_taken_as_it_is() -> None:
    rng = np.random.default_rng(0)
    t = rng.uniform(0.2, 1, (9, 12)).astype(np.float32)
    of_t, of_veil = edge_slopes(t, 0.8 * (1 - t), rng.random((9, 12)).astype(np.float32), 9 * 12)
    assert not of_t.any()
    assert not of_veil.any()


def test_slopes_are_those_of_two_things_mixed_in_any_shares() -> None:
    share = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    t, luma = 0.1 + 0.8 * share, 0.9 - 0.6 * share
    of_t, of_veil = edge_slopes(t, 0.8 * (1 - t), luma, 10**9)
    np.testing.assert_allclose(of_t, -0.8 / 0.6, rtol=0.15)
    np.testing.assert_allclose(of_veil, 0.8 * 0.8 / 0.6, rtol=0.15)


def test_a_tone_curve_in_the_maps_is_no_depth_edge() -> None:
    luma = np.random.default_rng(1).random((20, 30)).astype(np.float32)
    lifted = 0.5 / (1 + (1 - luma) ** 2)
    of_t, of_veil = edge_slopes(lifted, np.full_like(luma, 0.4), luma, 10**9)
    assert np.abs(of_t).max() < 1e-3
    assert np.abs(of_veil).max() < 1e-3


def test_the_veil_of_one_airlight_has_one_colour() -> None:
    veil = np.random.default_rng(2).random((8, 8)).astype(np.float32)
    assert share_of_veil(0.3 * veil + 0.1, veil) == pytest.approx(0.3, abs=1e-5)
    assert share_of_veil(veil, np.full_like(veil, 0.5)) == 0.0
