from __future__ import annotations

import cv2
import numpy as np

from rtdehaze.measure.motion import estimated_motion


def scene(shift: int) -> np.ndarray:
    noise = np.random.default_rng(5).integers(0, 256, (96, 160, 3), np.uint8)
    wide = cv2.GaussianBlur(noise, (0, 0), 3.0)
    wide = cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX)
    return np.ascontiguousarray(wide[:, 20 - shift : 140 - shift])


def test_the_flow_leads_back_to_where_the_surface_was_and_what_came_into_view_does_not_count() -> None:
    flow, valid = estimated_motion(scene(3), scene(0))
    inner = flow[16:-16, 16:-16]
    assert np.abs(inner[..., 0] + 3).mean() < 0.3
    assert np.abs(inner[..., 1]).mean() < 0.3
    assert valid[16:-16, 16:-16].mean() > 0.95
    assert valid[:, 0].mean() < 0.5


def test_frames_that_have_nothing_in_common_have_few_pixels_to_measure() -> None:
    other = np.ascontiguousarray(scene(0)[::-1, ::-1])
    assert estimated_motion(scene(0), other)[1].mean() < 0.6
