"""Clips made on the fly: the camera's motion, what drifts, cuts, and where films come from."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from rtdehaze.core.errors import SourceError
from rtdehaze.measure.flicker import warp_backward
from rtdehaze.train.clip_config import ClipConfig
from rtdehaze.train.clips import Clip, ClipSamples, clip_batches
from rtdehaze.train.config import Config, DataConfig, FogConfig, HazeConfig, StageConfig
from rtdehaze.train.films import Film, read_films, render_drive
from rtdehaze.train.panning import pan_over
from rtdehaze.train.scenes import Scene, read_pack

CONFIG = Config(
    network="tiny-video",
    steps=3,
    haze=HazeConfig(jpeg_share=0.0, noise_share=0.0, clear_share=0.0),
    fog_share=0.0,
    clips=ClipConfig(frames=4, cut_share=0.0, exposure_drift=0.0),
    stages=(StageConfig(1.0, 2, ((48, 64),)),),
)
KEY = (0, 48, 64)


@pytest.fixture(scope="module")
def scenes(pack: Path) -> list[Scene]:
    return list(read_pack(pack))


@pytest.fixture(scope="module")
def drive() -> Film:
    return render_drive(4, 0.4)


def with_clips(**changes: float) -> Config:
    return dataclasses.replace(CONFIG, clips=dataclasses.replace(CONFIG.clips, **changes))  # type: ignore[arg-type]


def followed(clip: Clip) -> tuple[float, float]:
    """Mean change of the clear picture from frame to frame, in place and along the motion."""
    small = clip.clear.reshape(len(clip.clear), 24, 2, 32, 2, 3).mean((2, 4)).astype(np.float32)
    changes: list[tuple[float, float]] = []
    for number in range(1, len(small)):
        valid = clip.valid[number]
        moved = warp_backward(small[number - 1], clip.flow[number])
        pairs = (np.abs(small[number] - other)[valid].mean() for other in (small[number - 1], moved))
        changes.append(tuple(map(float, pairs)))  # type: ignore[arg-type]
    in_place, along = np.mean(changes, axis=0)
    return float(in_place), float(along)


def texture() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (30, 40, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_the_motion_over_a_still_picture_is_where_its_parts_went() -> None:
    root = np.repeat(np.linspace(0, 1, 120, dtype=np.float32)[:, None], 160, 1)
    fast = ClipConfig(pan=0.05, zoom=0.03, parallax=0.06)
    pictures, roots, flow, valid = pan_over(texture(), root, (48, 64), (0.5, 0.6), np.random.default_rng(1), fast, 5)
    assert not valid[0].any()
    assert valid[1:].mean() > 0.7
    nothing = np.zeros((5, 48, 64))
    clip = Clip(np.stack(pictures), np.stack(pictures), nothing, nothing, nothing, nothing, flow, valid)  # type: ignore[arg-type]
    in_place, along = followed(clip)
    assert along < 0.35 * in_place
    assert np.ptp(flow[1][valid[1]][:, 0]) > 0.5  # near and far move by unlike amounts
    assert roots[0].shape == (48, 64)


def test_a_clip_is_a_function_of_its_number(scenes: list[Scene]) -> None:
    samples = ClipSamples(scenes, [], [], with_clips(cut_share=0.5))
    again = ClipSamples(scenes, [], [], with_clips(cut_share=0.5))
    for number in range(3):
        for one, other in zip(_parts(samples[number, 48, 64]), _parts(again[number, 48, 64]), strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(samples[0, 48, 64].hazy, samples[1, 48, 64].hazy)


def _parts(clip: Clip) -> list[NDArray[np.generic]]:
    return [np.asarray(getattr(clip, field.name)) for field in dataclasses.fields(clip)]


def test_the_haze_of_every_frame_is_its_truth(scenes: list[Scene]) -> None:
    clip = ClipSamples(scenes, [], [], CONFIG)[KEY]
    t = clip.transmission[..., None]
    expected = clip.clear / 255 * t + clip.airlight[:, None, None] * (1 - t)
    assert np.abs(expected - clip.hazy / 255).max() < 0.006
    assert np.ptp(clip.airlight, axis=0).max() > 0.0
    assert clip.is_hazy.all()
    assert clip.fresh.tolist() == [True, False, False, False]


def test_noise_is_each_frames_own(scenes: list[Scene]) -> None:
    still = with_clips(pan=0.0, zoom=0.0, parallax=0.0, shake=0.0, density_drift=0.0, airlight_drift=0.0)
    calm, noisy = (
        ClipSamples(scenes, [], [], dataclasses.replace(still, haze=dataclasses.replace(still.haze, noise_share=share)))
        for share in (0.0, 1.0)
    )
    assert np.ptp(calm[KEY].hazy, axis=0).max() == 0
    assert np.ptp(noisy[KEY].hazy, axis=0).mean() > 0.5


def test_cuts_are_told_or_missed_and_nothing_is_followed_across_them(scenes: list[Scene]) -> None:
    told, missed = (ClipSamples(scenes, [], [], with_clips(cut_share=1.0, missed_cuts=m)) for m in (0.0, 1.0))
    for number in range(4):
        clip = told[number, 48, 64]
        (cut,) = np.flatnonzero(clip.fresh[1:]) + 1
        assert not clip.valid[cut].any()
        assert missed[number, 48, 64].fresh.tolist() == [True, False, False, False]


def test_drives_bring_their_own_depth_and_motion(drive: Film) -> None:
    config = with_clips(drive_share=1.0)
    clip = ClipSamples([], [drive], [], config)[KEY]
    in_place, along = followed(clip)
    assert along < 0.9 * in_place
    assert clip.valid[1:].mean() > 0.5
    assert np.median(clip.transmission[0, -8:]) > np.median(clip.transmission[0, 20:28])  # the road is nearer


def test_videos_are_followed_by_what_is_seen(foggy_clip: Path) -> None:
    films = read_films([str(foggy_clip), str(foggy_clip.parent)])
    assert len(films) >= 2
    assert len(films[0].clear) == 24
    clip = ClipSamples([], [], films[:1], with_clips(video_share=1.0))[KEY]
    in_place, along = followed(clip)
    assert along <= in_place
    assert 0.0 < clip.transmission.min() < clip.transmission.max() <= 1.0


def test_without_any_video_to_use_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    with pytest.raises(SourceError, match=r"data\.videos names no video that can be used"):
        read_films([str(tmp_path / "broken.mp4")])
    assert "broken.mp4" in caplog.text


def test_workers_make_the_same_clips(scenes: list[Scene]) -> None:
    def taken(workers: int) -> list[torch.Tensor]:
        config = dataclasses.replace(with_clips(cut_share=0.5), data=DataConfig(workers=workers))
        samples = ClipSamples(scenes, [], [], config)
        return [batch.hazy for batch in clip_batches(samples, 1, lambda step: step / 3, lambda _: None)]

    alone, helped = taken(0), taken(1)
    assert [tuple(batch.shape) for batch in alone] == [(8, 48, 64, 3)] * 2
    for one, other in zip(alone, helped, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_unreadable_pictures_are_left_out_by_name_and_pairs_are_no_clips(pack: Path, tmp_path: Path) -> None:
    scenes = read_pack(pack)
    copy = tmp_path / "pack"
    shutil.copytree(pack, copy)
    (copy / "rgb" / "p3.jpg").write_bytes(b"no picture")
    samples = ClipSamples(read_pack(copy), [], [], CONFIG)
    clips = [samples[number, 48, 64] for number in range(12)]
    noted = [reason for clip in clips for reason in clip.left_out]
    assert noted
    assert all("p3.jpg" in reason for reason in noted)
    pair = dataclasses.replace(scenes[0], hazy=scenes[0].clear)
    with pytest.raises(SourceError, match="cannot be made clips of"):
        list(clip_batches(ClipSamples([pair], [], [], CONFIG), 0, lambda step: step / 3, lambda _: None))


def test_a_clip_of_a_foggy_day_is_foggy_from_its_first_frame_to_its_last(scenes: list[Scene]) -> None:
    thin = dataclasses.replace(CONFIG.haze, median=(0.9, 0.95))
    foggy_day = FogConfig(median=(0.1, 0.2), clear_share=0.0)
    config = dataclasses.replace(with_clips(cut_share=1.0), haze=thin, fog=foggy_day)

    def foggy(share: float) -> list[bool]:
        clips = ClipSamples(scenes, [], [], dataclasses.replace(config, fog_share=share))
        medians = [np.median(clips[number, 48, 64].transmission, axis=(1, 2)) for number in range(12)]
        assert all(len(set(one < 0.5)) == 1 for one in medians)
        return [bool(one[0] < 0.5) for one in medians]

    assert not any(foggy(0.0))
    assert all(foggy(1.0))
    assert 0 < sum(foggy(0.5)) < 12
