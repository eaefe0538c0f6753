from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("skimage")

from rtdehaze.core.errors import MissingDependencyError
from rtdehaze.measure.similarity import ciede2000, ssim


def picture(seed: int, height: int = 40, width: int = 52) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return np.ascontiguousarray(cv2.GaussianBlur(noise, (7, 7), 2.0))


def test_ssim_is_the_papers_with_a_gaussian_window_of_eleven_samples_on_each_channel() -> None:
    # Wang et al. 2004, eq. 13, written out by another library.
    first, second = picture(1), np.clip(picture(1) * 0.7 + 40 + picture(2) * 0.1, 0, 255).astype(np.uint8)
    x, y = first.astype(np.float64), second.astype(np.float64)

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)

    mx, my = mean(x), mean(y)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    cross = 2 * (mean(x * y) - mx * my) + c2
    spread = (mean(x * x) - mx * mx) + (mean(y * y) - my * my) + c2
    expected = ((2 * mx * my + c1) / (mx * mx + my * my + c1) * cross / spread)[5:-5, 5:-5].mean()
    assert ssim(first, second) == pytest.approx(expected, abs=1e-5)


def test_an_equal_picture_has_ssim_one_and_no_colour_difference() -> None:
    one = picture(3)
    assert ssim(one, one) == pytest.approx(1.0, abs=1e-6)
    assert ciede2000(one, one) == 0.0


def test_ciede2000_of_a_known_pair_of_colours() -> None:
    # Pure red against pure green in sRGB: 86.6 (Sharma's formula, published by every calculator).
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    green = np.full((4, 4, 3), (0, 255, 0), np.uint8)
    assert ciede2000(red, green) == pytest.approx(86.6, abs=0.1)


def test_a_picture_smaller_than_the_window_has_no_ssim() -> None:
    assert np.isnan(ssim(picture(1, 10, 30), picture(2, 10, 30)))


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        ciede2000(picture(1), picture(1, 20, 20))


def test_without_scikit_image_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'rtdehaze\[evaluate\]'"):
        ssim(picture(1), picture(2))
