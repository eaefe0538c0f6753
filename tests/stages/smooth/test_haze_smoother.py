from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtdehaze.core.errors import UsageError
from rtdehaze.core.haze import Haze, Removal
from rtdehaze.stages.smooth.smoother import HazeSmoother

Array = NDArray[np.float32]

HEIGHT, WIDTH = 72, 128
GREY = np.array([0.8, 0.8, 0.8], np.float32)


def scene(seed: int, height: int = HEIGHT, width: int = WIDTH) -> Array:
    """A (3, h, w) picture of soft texture under thin fog."""
    rng = np.random.default_rng(seed)
    channels = [cv2.GaussianBlur(rng.random((height, width), np.float32), (0, 0), 1.5) for _ in range(3)]
    return np.stack([0.6 + 0.8 * (channel - 0.5) for channel in channels]).astype(np.float32)


def even(t: float, height: int = HEIGHT, width: int = WIDTH, density: float = 0.5, airlight: Array = GREY) -> Haze:
    return Haze(np.full((height, width), t, np.float32), airlight, density)


def grain(thumbnail: Array, seed: int, noise: float = 0.01) -> Array:
    rng = np.random.default_rng(seed)
    return np.clip(thumbnail + rng.normal(0, noise, thumbnail.shape), 0, 1).astype(np.float32)


def test_zero_seconds_returns_the_haze_as_it_came() -> None:
    smoother = HazeSmoother(0.0)
    for index in range(3):
        haze = even(0.2 + 0.3 * index)
        assert smoother.update(haze, scene(0), index / 25) is haze


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_impossible_seconds_are_refused(seconds: float) -> None:
    with pytest.raises(UsageError, match="smoothing"):
        HazeSmoother(seconds)


def test_the_first_haze_comes_out_as_it_is_and_after_reset_again() -> None:
    smoother = HazeSmoother()
    for t in (0.3, 0.9):
        smoother.reset()
        smoothed = smoother.update(even(t), scene(0), 0.0)
        assert np.array_equal(smoothed.transmission, even(t).transmission)
        assert not smoother.cut


def test_what_is_returned_is_the_callers_to_change() -> None:
    smoother = HazeSmoother()
    first = smoother.update(even(0.5), scene(0), 0.0)
    first.transmission[:], first.airlight[:] = 0.0, 0.0
    second = smoother.update(even(0.5), scene(0), 0.04)
    assert second.transmission == pytest.approx(0.5)
    assert second.airlight == pytest.approx(GREY)


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_a_change_of_haze_takes_the_same_seconds_at_any_frame_rate(rate: int) -> None:
    smoother, thumbnail = HazeSmoother(0.5), scene(0)
    for index in range(4 * rate):
        smoother.update(even(0.8, density=0.8), thumbnail, index / rate)
    for index in range(4 * rate, round(4.4 * rate) + 1):
        smoothed = smoother.update(even(0.4, density=0.4), thumbnail, index / rate)
    assert not smoother.cut
    assert smoothed.transmission[36, 64] == pytest.approx(0.56, abs=0.04)
    assert smoothed.density == pytest.approx(0.4 + 0.4 * np.exp(-0.4 / 0.5), abs=0.04)


def test_a_hard_cut_leaves_nothing_of_the_old_scene() -> None:
    smoother, other = HazeSmoother(), np.array([0.7, 0.75, 0.9], np.float32)
    cuts = []
    for index in range(12):
        old = index < 8
        haze = even(0.3, density=0.9) if old else even(0.8, density=0.2, airlight=other)
        smoothed = smoother.update(haze, grain(scene(1 if old else 2), index), index / 25)
        cuts.append(smoother.cut)
        if not old:
            assert smoothed.transmission == pytest.approx(0.8, abs=1e-6)
            assert smoothed.airlight == pytest.approx(other, abs=1e-6)
            assert smoothed.density == pytest.approx(0.2, abs=1e-6)
    assert cuts == [index == 8 for index in range(12)]


def exposure(picture: Array) -> Array:
    return np.clip(1.4 * picture, 0, 1)


def flash(picture: Array) -> Array:
    return np.clip(1.5 * picture + 0.15, 0, 1)


def focus(picture: Array) -> Array:
    return np.stack([cv2.GaussianBlur(channel, (0, 0), 1.2) for channel in picture])


def noise(picture: Array) -> Array:
    return grain(picture, 99, 0.04)


@pytest.mark.parametrize("change", [exposure, flash, focus, noise])
def test_what_a_camera_does_is_no_cut(change) -> None:
    smoother = HazeSmoother()
    for index in range(6):
        smoother.update(even(0.5), grain(scene(3), index), index / 25)
    smoother.update(even(0.5), change(grain(scene(3), 6)).astype(np.float32), 6 / 25)
    assert not smoother.cut


def test_a_pan_is_no_cut() -> None:
    wide, smoother = scene(4, HEIGHT, 3 * WIDTH), HeldCuts()
    for index in range(20):
        smoother.update(np.ascontiguousarray(wide[:, :, 5 * index : 5 * index + WIDTH]), index)
    assert smoother.cuts == 0


def test_motion_that_cannot_be_followed_is_no_series_of_cuts() -> None:
    wide, smoother = scene(4, HEIGHT, 8 * WIDTH), HeldCuts()
    for index in range(20):
        smoother.update(np.ascontiguousarray(wide[:, :, 40 * index : 40 * index + WIDTH]), index)
    assert smoother.cuts <= 3


class HeldCuts:
    """Counts the cuts over a clip of evenly hazy frames."""

    def __init__(self) -> None:
        self._smoother, self.cuts = HazeSmoother(), 0

    def update(self, picture: Array, index: int) -> None:
        self._smoother.update(even(0.5), grain(picture, index), index / 25)
        self.cuts += self._smoother.cut


def test_fog_without_any_structure_is_no_series_of_cuts_but_black_after_it_is_one() -> None:
    smoother = HeldCuts()
    for index in range(6):
        smoother.update(np.full((3, HEIGHT, WIDTH), 0.8, np.float32), index)
    assert smoother.cuts == 0
    smoother.update(np.full((3, HEIGHT, WIDTH), 0.02, np.float32), 6)
    assert smoother.cuts == 1


@pytest.mark.parametrize(("noise", "most"), [(0.0, 0.002), (0.05, 0.02)])
def test_the_map_moves_with_the_picture_and_its_faults_do_not_build_up(noise: float, most: float) -> None:
    frames, speed = 80, 3
    wide = scene(5, HEIGHT, speed * frames + WIDTH)
    depth = np.full(wide.shape[1:], 0.3, np.float32)
    for left in range(20, depth.shape[1], 60):
        depth[:, left : left + 24] = 0.8
    smoother, rng, errors = HazeSmoother(), np.random.default_rng(0), []
    for index in range(frames):
        part = slice(speed * index, speed * index + WIDTH)
        estimate = np.clip(depth[:, part] + rng.normal(0, noise, (HEIGHT, WIDTH)), 0.05, 1).astype(np.float32)
        smoothed = smoother.update(Haze(estimate, GREY, 0.5), np.ascontiguousarray(wide[:, :, part]), index / 25)
        errors.append(float(np.abs(smoothed.transmission - depth[:, part]).mean()))
    # Frame by frame the error is 0.04 at this noise.
    assert max(errors[10:]) < most


def test_a_gap_far_beyond_the_time_constant_forgets() -> None:
    smoother = HazeSmoother(0.2)
    for index in range(10):
        smoother.update(even(0.3), scene(0), index / 25)
    smoothed = smoother.update(even(0.8), scene(0), 30.0)
    assert smoother.cut
    assert smoothed.transmission == pytest.approx(0.8)


def test_time_far_backwards_starts_afresh() -> None:
    smoother = HazeSmoother()
    for index in range(10):
        smoother.update(even(0.3), scene(0), 100 + index / 25)
    assert smoother.update(even(0.8), scene(0), 0.0).transmission == pytest.approx(0.8)
    assert smoother.cut


def test_equal_timestamps_average_and_never_freeze() -> None:
    smoother = HazeSmoother()
    smoother.update(even(0.2), scene(0), 1.0)
    assert smoother.update(even(0.4), scene(0), 1.0).transmission == pytest.approx(0.3, abs=1e-3)
    for _ in range(600):
        smoothed = smoother.update(even(0.8), scene(0), 1.0)
    assert smoothed.transmission.mean() > 0.75


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-3, 3, allow_nan=False), min_size=2, max_size=12), st.integers(0, 2**31))
def test_any_timestamps_give_maps_within_the_estimates(steps: list[float], seed: int) -> None:
    smoother, rng, time = HazeSmoother(), np.random.default_rng(seed), 0.0
    for step in steps:
        time += step
        t = rng.uniform(0.2, 0.9, (40, 64)).astype(np.float32)
        smoothed = smoother.update(Haze(t, GREY, 0.5), scene(seed % 7, 40, 64), time)
        assert smoothed.transmission.min() >= 0.2 - 1e-6
        assert smoothed.transmission.max() <= 0.9 + 1e-6
        assert smoothed.airlight == pytest.approx(GREY)
        assert smoothed.density == pytest.approx(0.5)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 31), (1, 256), (31, 5), (90, 160), (36, 64)])
def test_maps_and_thumbnails_of_any_size_are_smoothed(size: tuple[int, int]) -> None:
    smoother = HazeSmoother()
    for index, t in enumerate((0.4, 0.6)):
        smoothed = smoother.update(even(t, *size), scene(0, 40, 64), index / 25)
    assert smoothed.transmission.shape == size
    assert smoothed.transmission == pytest.approx(0.5, abs=0.02)
    for index, t in enumerate((0.4, 0.6)):
        smoothed = smoother.update(even(t, 40, 64), scene(0, *size), 1 + index / 25)
    assert smoothed.transmission.shape == (40, 64)


def test_another_size_of_the_maps_starts_afresh() -> None:
    smoother = HazeSmoother()
    smoother.update(even(0.3, 40, 64), scene(0), 0.0)
    assert smoother.update(even(0.8, 20, 32), scene(0), 0.04).transmission == pytest.approx(0.8)
    assert smoother.cut


def test_the_maps_of_a_removal_are_smoothed_like_the_transmission() -> None:
    smoother, thumbnail = HazeSmoother(), scene(0)
    for index, level in enumerate((0.4, 0.6)):
        plane = np.full((HEIGHT, WIDTH), level, np.float32)
        veil = np.stack([plane * 0.1, plane * 0.2, plane * 0.3])
        haze = Haze(plane, GREY, 0.5, Removal(plane, plane * 1.5, veil))
        smoothed = smoother.update(haze, thumbnail, index / 25)
    removal = smoothed.removal
    assert removal is not None
    assert removal.luma == pytest.approx(smoothed.transmission, abs=1e-5)
    assert removal.luma == pytest.approx(0.5, abs=0.02)
    assert removal.chroma == pytest.approx(1.5 * removal.luma, abs=1e-4)
    assert removal.veil == pytest.approx(removal.luma * np.array([0.1, 0.2, 0.3])[:, None, None], abs=1e-4)


def test_headlights_do_not_move_the_airlight() -> None:
    smoother = HazeSmoother()
    for index in range(40):
        glare = 20 <= index < 24
        airlight = np.ones(3, np.float32) if glare else GREY
        smoothed = smoother.update(even(0.5, airlight=airlight), grain(scene(0), index), index / 25)
    assert smoothed.airlight == pytest.approx(GREY, abs=1e-3)


def test_the_airlight_follows_the_weather() -> None:
    smoother, dusk = HazeSmoother(), np.array([0.5, 0.5, 0.6], np.float32)
    for index in range(50):
        smoother.update(even(0.5), scene(0), index / 5)
    for index in range(50, 150):
        smoothed = smoother.update(even(0.5, airlight=dusk), scene(0), index / 5)
    assert smoothed.airlight == pytest.approx(dusk, abs=0.01)
