from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtdehaze.synth.haze import (
    add_haze,
    add_noise,
    beta_for_median,
    depth_from_disparity,
    random_airlight,
    transmission_from_depth,
    uneven_beta,
)


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    least=st.floats(0.05, 1.0),
    level=st.floats(0.0, 1.0),
)
def test_solving_the_haze_model_with_the_truth_gives_the_clear_picture_back(
    seed: int, height: int, width: int, least: float, level: float
) -> None:
    rng = np.random.default_rng(seed)
    clear = rng.random((height, width, 3), dtype=np.float32)
    transmission = rng.uniform(least, 1.0, (height, width)).astype(np.float32)
    airlight = np.full(3, level, np.float32)
    hazy = add_haze(clear, transmission, airlight)
    assert 0.0 <= hazy.min() <= hazy.max() <= 1.0
    solved = (hazy - airlight) / transmission[..., None] + airlight
    assert np.abs(solved - clear).max() < 1e-6 / least + 1e-6


def test_no_light_arriving_leaves_the_airlight_and_all_of_it_leaves_the_picture() -> None:
    clear = np.random.default_rng(0).random((3, 5, 3), dtype=np.float32)
    airlight = np.array([0.8, 0.85, 0.9], np.float32)
    assert np.array_equal(add_haze(clear, np.zeros((3, 5), np.float32), airlight), np.broadcast_to(airlight, (3, 5, 3)))
    assert add_haze(clear, np.ones((3, 5), np.float32), airlight) == pytest.approx(clear, abs=1e-6)


def test_an_airlight_of_its_own_at_each_pixel_is_taken() -> None:
    clear = np.zeros((2, 2, 3), np.float32)
    airlight = np.random.default_rng(1).random((2, 2, 3), dtype=np.float32)
    assert add_haze(clear, np.full((2, 2), 0.25, np.float32), airlight) == pytest.approx(0.75 * airlight)


def test_pictures_and_transmissions_of_unlike_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(4, 4, 3\).*\(4, 5\)"):
        add_haze(np.zeros((4, 4, 3), np.float32), np.ones((4, 5), np.float32), np.ones(3, np.float32))


@given(ratio=st.floats(1.0, 100.0))
def test_disparity_spans_depth_from_near_to_far_by_the_ratio(ratio: float) -> None:
    depth = depth_from_disparity(np.array([1.0, 0.5, 0.0], np.float32), ratio)
    assert depth[2] == pytest.approx(1.0)
    assert depth[2] / depth[0] == pytest.approx(ratio, rel=1e-4)
    assert depth[0] <= depth[1] <= depth[2]


@given(seed=st.integers(0, 1000), wanted=st.floats(0.02, 1.0))
def test_beta_gives_the_wanted_median_transmission(seed: int, wanted: float) -> None:
    depth = np.random.default_rng(seed).uniform(1, 200, (9, 11)).astype(np.float32)
    transmission = transmission_from_depth(depth, beta_for_median(depth, wanted))
    assert float(np.median(transmission)) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("wanted", [0.0, -0.1, 1.1])
def test_an_impossible_median_is_refused(wanted: float) -> None:
    with pytest.raises(ValueError, match="median transmission"):
        beta_for_median(np.ones((2, 2), np.float32), wanted)


def test_the_sky_keeps_what_the_longest_way_lets_through_and_clear_air_lets_all_through() -> None:
    depth = np.array([10.0, 1000.0, np.inf], np.float32)
    assert transmission_from_depth(depth, 0.01, far=200.0) == pytest.approx([np.exp(-0.1), np.exp(-2), np.exp(-2)])
    assert np.array_equal(transmission_from_depth(depth, 0.0), [1, 1, 1])


def test_uneven_haze_stays_within_its_spread_is_smooth_and_repeats_with_its_seed() -> None:
    beta = uneven_beta(np.random.default_rng(5), 60, 100, 0.02, spread=0.3)
    assert beta.shape == (60, 100)
    assert 0.014 - 1e-6 <= beta.min() < 0.019 < 0.021 < beta.max() <= 0.026 + 1e-6
    assert np.abs(np.diff(beta, axis=1)).max() < 0.001
    assert np.array_equal(beta, uneven_beta(np.random.default_rng(5), 60, 100, 0.02, spread=0.3))


def test_noise_has_the_sigma_asked_for_and_no_bias() -> None:
    grey = np.full((200, 200, 3), 0.5, np.float32)
    noise = add_noise(grey, 0.02, np.random.default_rng(3)) - grey
    assert noise.std() == pytest.approx(0.02, rel=0.02)
    assert abs(noise.mean()) < 3e-4
    assert add_noise(np.ones((50, 50, 3), np.float32), 0.1, np.random.default_rng(3)).max() == 1.0


@given(seed=st.integers(0, 10_000))
def test_drawn_airlight_is_a_light_grey_with_a_small_cast(seed: int) -> None:
    airlight = random_airlight(np.random.default_rng(seed))
    assert airlight.shape == (3,)
    assert 0.55 - 1e-6 <= airlight.min() <= airlight.max() <= 1.0
    assert np.ptp(airlight) <= 0.1 + 1e-6
