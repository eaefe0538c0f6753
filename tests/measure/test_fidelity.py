from __future__ import annotations

import numpy as np
import pytest

from rtdehaze.measure.fidelity import band_around_edges, mean_absolute_error, psnr


def test_psnr_of_a_known_error() -> None:
    truth = np.full((10, 10, 3), 100, np.uint8)
    assert psnr(truth + np.uint8(5), truth) == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(truth - np.uint8(5), truth) == pytest.approx(20 * np.log10(255 / 5))
    assert psnr(truth / 255.0 + 0.1, truth / 255.0) == pytest.approx(20.0)
    assert psnr(truth / 255.0 * 1023, truth / 255.0 * 1023 + 1, peak=1023) == pytest.approx(20 * np.log10(1023))


def test_equal_pictures_are_infinitely_alike() -> None:
    assert psnr(np.ones((4, 4)), np.ones((4, 4))) == float("inf")


def test_only_what_the_mask_selects_counts() -> None:
    truth, result = np.zeros((6, 6, 3)), np.zeros((6, 6, 3))
    result[:3] = 0.5
    mask = np.zeros((6, 6), np.bool_)
    mask[3:] = True
    assert psnr(result, truth, mask) == float("inf")
    assert psnr(result, truth, ~mask) == pytest.approx(20 * np.log10(2))
    assert mean_absolute_error(result, truth, mask) == 0
    assert mean_absolute_error(result, truth) == pytest.approx(0.25)
    assert np.isnan(psnr(result, truth, np.zeros((6, 6), np.bool_)))
    assert np.isnan(mean_absolute_error(result, truth, np.zeros((6, 6), np.bool_)))


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        psnr(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="one scale"):
        psnr(np.zeros((2, 2), np.uint8), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="mask"):
        mean_absolute_error(np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((3, 2), np.bool_))


def test_the_band_reaches_as_far_from_a_step_as_told() -> None:
    values = np.zeros((20, 60), np.float32)
    values[:, 30:] = 0.5
    for radius in (0, 1, 7):
        columns = np.flatnonzero(band_around_edges(values, radius).all(axis=0))
        assert (columns.min(), columns.max()) == (29 - radius, 30 + radius)


def test_gentle_slopes_are_no_edges_and_infinities_are() -> None:
    slope = np.linspace(0, 1, 200, dtype=np.float32)[None].repeat(5, axis=0)
    assert not band_around_edges(slope, 16).any()
    depth = np.full((5, 40), 3.0, np.float32)
    depth[:, 20:] = np.inf
    assert band_around_edges(depth, 2)[:, 18:22].all()
    assert not band_around_edges(depth, 2)[:, :16].any()
