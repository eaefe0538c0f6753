from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.core.haze import Haze, Removal
from rtdehaze.stages.recompose.removal import plan_removal

AIRLIGHT = np.array([0.7, 0.8, 0.9], np.float32)


def haze_of(transmission: np.ndarray, removal: Removal | None = None) -> Haze:
    return Haze(np.asarray(transmission, np.float32), AIRLIGHT, 0.5, removal)


@given(seed=st.integers(0, 2**32 - 1), strength=st.floats(0.01, 1.0), weight=st.floats(0.01, 1.0))
def test_strength_is_the_share_of_the_optical_depth_that_is_removed(seed: int, strength: float, weight: float) -> None:
    t = np.random.default_rng(seed).uniform(0.15, 1.0, (4, 5))
    clear = np.random.default_rng(seed + 1).random((3, 4, 5))
    airlight = AIRLIGHT.reshape(3, 1, 1)
    hazy = clear * t + airlight * (1 - t)
    plan = plan_removal(haze_of(t), strength=strength, weight=weight, max_chroma_gain=10)
    assert plan is not None
    remaining = t ** (1 - strength * weight)
    np.testing.assert_allclose(
        (hazy - plan.veil) / plan.luma, clear * remaining + airlight * (1 - remaining), atol=1e-4
    )
    np.testing.assert_allclose(plan.luma, t ** (strength * weight), rtol=1e-4)


@pytest.mark.parametrize(("strength", "weight"), [(0.0, 1.0), (1.0, 0.0), (-0.5, 1.0)])
def test_nothing_to_remove_is_no_plan_at_all(strength: float, weight: float) -> None:
    assert plan_removal(haze_of(np.full((2, 2), 0.3)), strength=strength, weight=weight) is None


def test_the_maps_of_a_model_that_says_more_are_weakened_alike() -> None:
    t = np.full((2, 3), 0.4, np.float32)
    said = Removal(t * 0.9, t * 1.2, np.full((3, 2, 3), 0.3, np.float32))
    whole = plan_removal(haze_of(t, said), strength=1.0)
    assert whole is not None
    np.testing.assert_allclose(whole.luma, said.luma, rtol=1e-6)
    np.testing.assert_allclose(whole.chroma, said.chroma, rtol=1e-6)
    np.testing.assert_allclose(whole.veil, said.veil, rtol=1e-6)
    half = plan_removal(haze_of(t, said), strength=0.5)
    assert half is not None
    remaining = 0.4**0.5
    np.testing.assert_allclose(half.luma, said.luma / remaining, rtol=1e-5)
    clear = (0.5 - said.veil) / said.luma
    airlight = AIRLIGHT.reshape(3, 1, 1)
    np.testing.assert_allclose((0.5 - half.veil) / half.luma, clear * remaining + airlight * (1 - remaining), rtol=1e-4)


def test_gains_have_their_caps_and_chromas_is_lower() -> None:
    said = Removal(*(np.full((2, 2), 0.02, np.float32) for _ in range(2)), np.zeros((3, 2, 2), np.float32))
    plan = plan_removal(haze_of(np.full((2, 2), 0.4), said), strength=1.0, min_transmission=0.1, max_chroma_gain=4)
    assert plan is not None
    np.testing.assert_allclose(plan.luma, 0.1, rtol=1e-5)
    np.testing.assert_allclose(plan.chroma, 0.25, rtol=1e-5)


def test_where_no_light_arrives_the_veil_goes_whole_and_what_is_left_gets_no_colour() -> None:
    plan = plan_removal(haze_of(np.full((2, 2), 0.01)), strength=1.0, min_transmission=0.05, max_chroma_gain=4)
    assert plan is not None
    np.testing.assert_allclose(plan.chroma, 1.0, rtol=1e-5)
    np.testing.assert_allclose(plan.veil, AIRLIGHT.reshape(3, 1, 1) * np.full((3, 2, 2), 0.95), rtol=1e-5)


@given(low=st.floats(0.01, 1.0), high=st.floats(0.01, 1.0))
def test_more_light_never_means_less_colour(low: float, high: float) -> None:
    said = Removal(*(np.full((1, 2), 0.1, np.float32) for _ in range(2)), np.zeros((3, 1, 2), np.float32))
    plan = plan_removal(haze_of(np.array([sorted((low, high))]), said), strength=1.0)
    assert plan is not None
    assert plan.chroma[0, 1] <= plan.chroma[0, 0] + 1e-6


def test_the_guide_is_handed_on() -> None:
    guide = np.random.default_rng(0).random((3, 2, 2)).astype(np.float32)
    plan = plan_removal(haze_of(np.full((2, 2), 0.5)), strength=1.0, guide=guide)
    assert plan is not None
    assert plan.guide is guide
