from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from rtdehaze.train import samples
from rtdehaze.train.config import HazeConfig
from rtdehaze.train.samples import Sample, make_sample
from rtdehaze.train.scenes import Scene, read_pack

CLEAN = HazeConfig(
    noise_share=0.0, jpeg_share=0.0, clear_share=0.0, floor=0.0, steep_share=0.0, exposed_share=0.0, shade_share=0.0
)


@pytest.fixture(scope="module")
def scene(pack: Path) -> Scene:
    return read_pack(pack)[0]


def make(scene: Scene, seed: int, haze: HazeConfig = CLEAN) -> Sample:
    return make_sample(scene, (48, 64), np.random.default_rng(seed), haze)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(scene: Scene) -> None:
    noisy = HazeConfig()
    first, again, other = (make(scene, seed, noisy) for seed in (5, 5, 6))
    for name in ("hazy", "clear", "transmission", "airlight"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.hazy, other.hazy)


def test_the_hazy_picture_is_the_clear_one_behind_the_haze_that_is_told(scene: Scene) -> None:
    for seed in range(10):
        sample = make(scene, seed)
        t = sample.transmission[..., None]
        expected = sample.clear / 255.0 * t + sample.airlight * (1 - t)
        # Half a level of the hazy picture's rounding and half a level of the clear one's.
        np.testing.assert_allclose(sample.hazy / 255.0, expected, atol=1.01 / 255)


def test_a_grey_sample_has_no_colour_in_scene_and_air(scene: Scene) -> None:
    grey = make(scene, 3, dataclasses.replace(CLEAN, grey_share=1.0))
    for picture in (grey.hazy, grey.clear):
        assert np.ptp(picture.astype(int), axis=2).max() == 0
    assert np.ptp(grey.airlight) == 0
    coloured = make(scene, 3, dataclasses.replace(CLEAN, grey_share=0.0))
    assert np.ptp(coloured.clear.astype(int), axis=2).max() > 20


def test_the_median_transmission_is_the_one_that_was_asked_for(scene: Scene) -> None:
    haze = dataclasses.replace(CLEAN, median=(0.3, 0.3), uneven_share=0.0)
    for seed in range(5):
        assert np.median(make(scene, seed, haze).transmission) == pytest.approx(0.3, abs=0.01)


def test_haze_may_lie_before_everything_that_is_seen(scene: Scene) -> None:
    haze = dataclasses.replace(CLEAN, median=(0.2, 0.2), uneven_share=0.0, scale=(1.0, 1.0), away_share=0.0)
    haze = dataclasses.replace(haze, far_to_near=(60.0, 60.0))
    near = make(scene, 3, haze).transmission
    away = make(scene, 3, dataclasses.replace(haze, away_share=1.0, away=(1.5, 1.5))).transmission
    assert near.max() > 0.8
    assert away.max() < 0.6
    assert np.median(away) == pytest.approx(0.2, abs=0.01)


def test_what_is_far_may_be_farther_than_its_disparity_tells(scene: Scene) -> None:
    haze = dataclasses.replace(CLEAN, median=(0.5, 0.5), uneven_share=0.0, scale=(1.0, 1.0), away_share=0.0)
    plain = make(scene, 3, haze).transmission
    steep = make(scene, 3, dataclasses.replace(haze, steep_share=1.0, steep=(3.0, 3.0))).transmission
    assert np.median(steep) == pytest.approx(0.5, abs=0.01)
    assert steep.max() > plain.max()
    assert steep.min() < plain.min()


def test_a_camera_may_expose_scene_and_air_alike(scene: Scene) -> None:
    dim = make(scene, 3, dataclasses.replace(CLEAN, exposed_share=1.0, exposed=(0.4, 0.4)))
    assert dim.airlight.max() <= 0.4
    assert dim.clear.max() <= round(0.4 * 255)
    t = dim.transmission[..., None]
    np.testing.assert_allclose(dim.hazy / 255.0, dim.clear / 255.0 * t + dim.airlight * (1 - t), atol=1.01 / 255)


def test_a_foggy_sky_is_fog_in_the_clear_picture_too_and_what_is_near_stays(scene: Scene) -> None:
    root = np.zeros(scene.clear.shape[:2], np.uint16)
    root[root.shape[0] // 2 :] = 65535
    split = dataclasses.replace(scene, disparity=root)
    haze = dataclasses.replace(CLEAN, rotation=0.0, scale=(1.0, 1.0), overcast_share=0.0)
    plain = make(split, 3, haze)
    foggy = make(split, 3, dataclasses.replace(haze, overcast_share=1.0))
    sky, ground = np.s_[:20], np.s_[28:]
    assert np.ptp(plain.clear[sky].astype(int)) > 100
    for picture in (foggy.clear, foggy.hazy):
        assert np.abs(picture[sky] / (foggy.airlight * 255) - 1).max() < 0.25
    assert np.ptp(foggy.clear[ground].astype(int)) == np.ptp(plain.clear[ground].astype(int))


def test_transmission_never_falls_below_the_floor(scene: Scene) -> None:
    haze = dataclasses.replace(CLEAN, median=(0.08, 0.08), floor=0.05)
    assert min(make(scene, seed, haze).transmission.min() for seed in range(10)) == pytest.approx(0.05)


def test_a_clear_sample_is_told_to_be_clear_and_differs_from_its_truth_by_noise_only(scene: Scene) -> None:
    sample = make(scene, 1, dataclasses.replace(CLEAN, clear_share=1.0))
    assert not sample.is_hazy
    assert sample.transmission.min() == 1.0
    np.testing.assert_array_equal(sample.hazy, sample.clear)


def test_noise_comes_after_the_haze(scene: Scene) -> None:
    haze = dataclasses.replace(CLEAN, noise_share=1.0, noise=(0.02, 0.02), median=(0.08, 0.08))
    sample = make(scene, 3, haze)
    t = sample.transmission[..., None]
    error = sample.hazy / 255.0 - (sample.clear / 255.0 * t + sample.airlight * (1 - t))
    assert np.std(error) == pytest.approx(0.02, rel=0.15)


def test_a_picture_without_depth_gets_haze_that_thickens_upwards(scene: Scene) -> None:
    sample = make(dataclasses.replace(scene, disparity=None), 2, dataclasses.replace(CLEAN, rotation=0.0))
    assert sample.transmission[:8].mean() < sample.transmission[-8:].mean()


def test_a_ready_made_pair_is_varied_alike_and_claims_no_transmission(scene: Scene) -> None:
    pair = dataclasses.replace(scene, hazy=scene.clear)
    sample = make(pair, 4)
    assert not sample.known
    assert sample.is_hazy
    np.testing.assert_array_equal(sample.hazy, sample.clear)


def test_video_artefacts_come_last_and_leave_the_samples_of_configurations_without_them(scene: Scene) -> None:
    streamed = make(scene, 3, dataclasses.replace(CLEAN, h264_share=1.0, h264=(35.0, 35.0)))
    plain = make(scene, 3)
    np.testing.assert_array_equal(streamed.clear, plain.clear)
    np.testing.assert_array_equal(streamed.transmission, plain.transmission)
    difference = np.abs(streamed.hazy.astype(float) - plain.hazy).mean()
    assert 0.5 < difference < 12.0


def test_half_of_the_video_artefacts_are_of_predicted_frames(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def counted(frames: list[np.ndarray], quality: float) -> list[np.ndarray]:
        assert 30.0 <= quality <= 35.0
        counts.append(len(frames))
        return frames

    monkeypatch.setattr(samples, "compress_h264", counted)
    for seed in range(20):
        make(scene, seed, dataclasses.replace(CLEAN, h264_share=1.0, h264=(30.0, 35.0)))
    assert set(counts) == {1, 2}
