"""Edges that a network drew too soft."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.outline import outlined

HEIGHT, WIDTH = 72, 128
AIRLIGHT = 0.8
POLE = slice(60, 64)


def pole_before_fog() -> tuple[np.ndarray, np.ndarray]:
    """Transmission at twice the map's size, and the grey picture of a near dark pole before fog."""
    t = np.full((2 * HEIGHT, 2 * WIDTH), 0.15, np.float32)
    clear = np.full_like(t, 0.6)
    t[:, 2 * POLE.start : 2 * POLE.stop] = 0.8
    clear[:, 2 * POLE.start : 2 * POLE.stop] = 0.1
    return t, clear * t + np.float32(AIRLIGHT) * (1 - t)


def maps_of(t: np.ndarray, picture: np.ndarray, sigma: float) -> Removal:
    """What a network says whose maps are half as fine and blurred by `sigma` samples."""
    coarse = cv2.resize(t, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    if sigma:
        coarse = cv2.GaussianBlur(coarse, (0, 0), sigma)
    veil = np.repeat(np.float32(AIRLIGHT) * (1 - coarse)[None], 3, axis=0)
    return Removal(coarse, coarse, veil, np.repeat(picture[None], 3, axis=0))


def fringe(removal: Removal, picture: np.ndarray) -> float:
    """How much brighter or darker than the fog farther off the strip beside the pole comes out."""
    seen = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    result = (seen - removal.veil[0]) / removal.luma
    strips = np.r_[POLE.start - 3 : POLE.start - 1, POLE.stop + 1 : POLE.stop + 3]
    return float(np.abs(result[:, strips] - result[:, :20].mean()).max())


def test_the_fringe_beside_a_pole_goes() -> None:
    t, picture = pole_before_fog()
    soft = maps_of(t, picture, 1.2)
    assert fringe(soft, picture) > 0.05
    assert fringe(outlined(soft), picture) < 0.2 * fringe(soft, picture)


def test_the_pole_takes_nothing_from_the_fog_around_it() -> None:
    t, picture = pole_before_fog()
    soft = maps_of(t, picture, 1.2)
    middle = np.s_[:, POLE.start + 1 : POLE.stop - 1]
    assert outlined(soft).luma[middle].min() > 0.95 * soft.luma[middle].min()


def test_a_map_that_was_right_stays_nearly_so() -> None:
    t, picture = pole_before_fog()
    right = maps_of(t, picture, 0.0)
    drawn = outlined(right)
    assert np.abs(drawn.veil - right.veil).max() < 0.03
    assert np.abs(drawn.luma - right.luma).max() < 0.03


def test_texture_without_a_depth_edge_draws_nothing() -> None:
    rng = np.random.default_rng(3)
    picture = rng.uniform(0.2, 0.8, (2 * HEIGHT, 2 * WIDTH)).astype(np.float32)
    ramp = np.repeat(np.linspace(0.3, 0.8, WIDTH * 2, dtype=np.float32)[None], 2 * HEIGHT, axis=0)
    smooth = maps_of(ramp, picture, 0.0)
    np.testing.assert_allclose(outlined(smooth).veil, smooth.veil, atol=0.01)


def test_colour_of_the_veil_and_the_share_of_chroma_stay() -> None:
    t, picture = pole_before_fog()
    soft = maps_of(t, picture, 1.2)
    tinted = Removal(soft.luma, soft.luma * 1.5, soft.veil * np.float32([[[1.0]], [[0.9]], [[0.8]]]), soft.guide)
    drawn = outlined(tinted)
    np.testing.assert_allclose(drawn.veil[2] / drawn.veil[0], 0.8, rtol=1e-4)
    np.testing.assert_allclose(drawn.chroma / drawn.luma, 1.5, rtol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 5)])
def test_the_smallest_maps_pass(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    maps = rng.uniform(0.2, 0.9, (2, *size)).astype(np.float32)
    guide = rng.random((3, 2 * size[0], 2 * size[1]), np.float32)
    drawn = outlined(Removal(maps[0], maps[1], rng.random((3, *size), np.float32), guide))
    assert all(np.isfinite(m).all() for m in (drawn.luma, drawn.chroma, drawn.veil))


def test_maps_as_fine_as_the_guide_are_left_alone() -> None:
    removal = Removal(*(np.ones((4, 4), np.float32) for _ in range(2)), np.zeros((3, 4, 4), np.float32))
    assert outlined(removal) is removal
    fine = Removal(removal.luma, removal.chroma, removal.veil, np.zeros((3, 4, 4), np.float32))
    assert outlined(fine) is fine
