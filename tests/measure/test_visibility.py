from __future__ import annotations

from itertools import product

import cv2
import numpy as np
import pytest

from rtdehaze.measure.visibility import appearance, visibility_gain, visible_edges


def texture(height: int = 36, width: int = 41, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (5, 5), 1.0), None, 10, 245, cv2.NORM_MINMAX)


def scene() -> np.ndarray:
    picture = np.repeat(cv2.resize(texture(), (96, 72))[..., None], 3, axis=2)
    picture[..., 0] = picture[..., 0] // 2 + 60
    return np.ascontiguousarray(picture)


def hazy(picture: np.ndarray, transmission: float) -> np.ndarray:
    return np.round(picture * transmission + 210 * (1 - transmission)).astype(np.uint8)


def edges_by_definition(grey: np.ndarray) -> np.ndarray:
    """Every window, every threshold, every pair, as the paper says."""
    height, width = grey.shape
    levels = cv2.copyMakeBorder(grey, 0, 7, 0, 7, cv2.BORDER_REFLECT).astype(float)
    found = np.zeros(levels.shape, bool)
    for top, left in product(range(0, height, 4), range(0, width, 4)):
        window = levels[top : top + 7, left : left + 7]
        pairs = [((y, x), (y, x + 1)) for y, x in product(range(7), range(6))]
        pairs += [((y, x), (y + 1, x)) for y, x in product(range(6), range(7))]
        best, best_pairs = 0.0, []
        for s in range(max(1, int(window.min())), int(window.max())):
            split = [p for p in pairs if min(window[p[0]], window[p[1]]) <= s < max(window[p[0]], window[p[1]])]
            values = [min(abs(s - window[at]) / max(s, window[at]) for at in pair) for pair in split]
            if split and np.mean(values) > best + 1e-12:
                best, best_pairs = float(np.mean(values)), split
        if 2 * best > 0.05:
            for y, x in (at for pair in best_pairs for at in pair):
                found[top + y, left + x] = True
    return found[:height, :width]


@pytest.mark.parametrize("grey", [texture(20, 17), texture(20, 17) // 8 + 110], ids=["strong", "faint"])
def test_visible_edges_are_those_of_the_definition(grey: np.ndarray) -> None:
    expected = edges_by_definition(grey)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(visible_edges(grey), expected)


def test_a_step_below_five_percent_contrast_is_not_seen_and_one_above_is() -> None:
    faint, plain = np.full((2, 16, 16), 200, np.uint8)
    faint[:, 8:], plain[:, 8:] = 208, 216
    assert not visible_edges(faint).any()
    assert visible_edges(plain)[:, 7:9].all()
    assert not visible_edges(plain)[:, :7].any()


def test_haze_hides_edges_fades_colours_and_lifts_the_dark_channel() -> None:
    clear, foggy = appearance(scene()), appearance(hazy(scene(), 0.3))
    assert foggy.edges < clear.edges
    assert foggy.colourfulness < clear.colourfulness
    assert foggy.dark_channel > clear.dark_channel
    assert foggy.brightness > clear.brightness


def test_the_gradient_ratio_is_the_contrast_that_was_given_back() -> None:
    before, after = appearance(hazy(scene(), 0.5)), appearance(scene())
    gain = visibility_gain(after, before)
    assert gain.gradient_ratio == pytest.approx(2.0, rel=0.03)
    assert gain.new_edges == pytest.approx(after.edges / before.edges - 1)
    assert gain.new_edges > 0


def test_an_untouched_picture_gains_nothing() -> None:
    same = appearance(hazy(scene(), 0.5))
    gain = visibility_gain(same, same)
    assert (gain.new_edges, gain.gradient_ratio, gain.saturated) == (0.0, pytest.approx(1.0), 0.0)


def test_only_pixels_that_became_black_or_white_count_as_saturated() -> None:
    before = np.full((20, 20, 3), 128, np.uint8)
    before[:5] = 255
    after = before.copy()
    after[5:10] = 0
    assert visibility_gain(appearance(after), appearance(before)).saturated == 0.25


def test_pictures_of_different_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        visibility_gain(appearance(scene()), appearance(scene()[:50]))


def test_a_picture_of_one_pixel_and_a_large_one_can_be_looked_at() -> None:
    assert appearance(np.zeros((1, 1, 3), np.uint8)).edges == 0.0
    assert max(appearance(np.zeros((600, 900, 3), np.uint8)).grey.shape) == 512
