from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtdehaze.core.haze import Haze, Map
from rtdehaze.stages.estimate.fit import haze_from_picture


def applied(haze: Haze, picture: Map) -> Map:
    """What recomposition does, at the maps' own size, in BT.709."""
    removal = haze.removal
    assert removal is not None
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    rest = picture - removal.veil
    luma = np.tensordot(weights, rest, 1)
    return luma / removal.luma + (rest - luma) / removal.chroma


def textured(height: int, width: int, seed: int = 0) -> Map:
    return np.random.default_rng(seed).uniform(0, 1, (3, height, width)).astype(np.float32)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.4, 8), st.floats(-2, 0.5), st.integers(0, 99), st.sampled_from([(36, 64), (9, 200), (8, 8)]))
def test_an_affine_restorer_is_reproduced_exactly(gain: float, bias: float, seed: int, size: tuple[int, int]) -> None:
    picture = textured(*size, seed=seed)
    wanted = np.float32(gain) * picture + np.float32(bias)
    haze = haze_from_picture(picture, wanted)
    np.testing.assert_allclose(applied(haze, picture), wanted, atol=2e-3)
    np.testing.assert_allclose(haze.transmission, np.clip(1 / gain, 0.05, 1), atol=2e-3)


def test_luma_and_chroma_may_have_gains_of_their_own() -> None:
    picture = textured(36, 64)
    luma = np.tensordot(np.array([0.2126, 0.7152, 0.0722], np.float32), picture, 1)
    wanted = 2 * luma + 1.3 * (picture - luma) - 0.3
    np.testing.assert_allclose(applied(haze_from_picture(picture, wanted), picture), wanted, atol=2e-3)


def test_a_restorer_that_solves_the_haze_model_tells_transmission_and_airlight() -> None:
    t = np.linspace(0.25, 0.9, 96, dtype=np.float32)[None, :].repeat(54, 0)
    clear, airlight = textured(54, 96), np.array([0.9, 0.85, 0.8], np.float32)
    hazy = clear * t + airlight[:, None, None] * (1 - t)
    haze = haze_from_picture(hazy, clear)
    assert np.abs(haze.transmission - t).mean() < 0.03
    np.testing.assert_allclose(haze.airlight, airlight, atol=0.04)
    assert haze.density == pytest.approx(1 - t.mean(), abs=0.03)


def test_flat_dense_haze_takes_its_gain_from_around_it_and_not_from_noise() -> None:
    rng = np.random.default_rng(1)
    hazy = np.full((3, 72, 128), 0.8, np.float32)
    hazy[:, 40:] = 0.8 * 0.7 + 0.3 * textured(32, 128)
    hazy += rng.normal(0, 0.002, hazy.shape).astype(np.float32)
    restored = (hazy - 0.8) / 0.3 + 0.8
    restored[:, :40] = 0.8 + rng.normal(0, 0.1, (3, 40, 128))
    haze = haze_from_picture(hazy, restored.astype(np.float32))
    assert haze.removal is not None
    sky = haze.removal.luma[:25]
    assert 0.2 < sky.min() <= sky.max() < 0.5
    assert np.abs(applied(haze, hazy)[:, :25] - 0.8).max() < 0.1


def test_a_picture_of_one_colour_is_only_shifted() -> None:
    picture = np.full((3, 20, 30), 0.6, np.float32)
    haze = haze_from_picture(picture, picture - np.float32(0.1))
    np.testing.assert_allclose(applied(haze, picture), 0.5, atol=1e-5)
    assert np.isfinite(haze.airlight).all()
