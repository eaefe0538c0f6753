from __future__ import annotations

import numpy as np
import pytest

from rtdehaze.measure.flicker import jitter, warp_backward, warping_error


def _shifted(picture: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A picture moved right by whole columns, the backward flow of it, and what was in view."""
    flow = np.zeros((*picture.shape[:2], 2), np.float32)
    flow[..., 0] = -columns
    valid = np.ones(picture.shape[:2], np.bool_)
    valid[:, :columns] = False
    return np.roll(picture, columns, axis=1), flow, valid


def test_warping_by_the_motion_brings_the_previous_picture_to_the_present_one() -> None:
    before = np.random.default_rng(0).random((12, 20, 3), dtype=np.float32)
    now, flow, valid = _shifted(before, 3)
    assert np.array_equal(warp_backward(before, flow)[valid], now[valid])
    assert jitter(now, before, flow, valid) == 0
    assert warping_error(now, before, flow, valid) == 0


def test_half_a_pixel_is_the_mean_of_two() -> None:
    before = np.array([[0.0, 1.0, 3.0, 7.0]], np.float32)
    flow = np.zeros((1, 4, 2), np.float32)
    flow[..., 0] = 0.5
    assert warp_backward(before, flow)[0, :3] == pytest.approx([0.5, 2.0, 5.0])


def test_jitter_is_the_mean_change_along_the_motion_and_ignores_what_is_not_valid() -> None:
    before = np.random.default_rng(1).random((12, 20), dtype=np.float32)
    now, flow, valid = _shifted(before, 4)
    now = now + np.float32(0.05)
    now[~valid] = 9
    assert jitter(now, before, flow, valid) == pytest.approx(0.05, abs=1e-6)
    assert np.isnan(jitter(now, before, flow, np.zeros_like(valid)))


def test_warping_error_sums_squares_over_channels() -> None:
    before = np.zeros((4, 4, 3), np.uint8)
    now = np.full((4, 4, 3), 2, np.uint8)
    flow, valid = np.zeros((4, 4, 2), np.float32), np.ones((4, 4), np.bool_)
    assert warping_error(now, before, flow, valid) == pytest.approx(12.0)
    assert np.isnan(warping_error(now, before, flow, ~valid))


def test_a_flow_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="flow"):
        warp_backward(np.zeros((4, 5), np.float32), np.zeros((5, 4, 2), np.float32))
