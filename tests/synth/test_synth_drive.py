from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from rtdehaze.measure.fidelity import psnr
from rtdehaze.measure.flicker import jitter, warp_backward
from rtdehaze.synth.drive import FoggyDrive


@pytest.fixture(scope="module", params=[0, 1], ids=["country", "town"])
def drive(request: pytest.FixtureRequest) -> FoggyDrive:
    return FoggyDrive(240, 136, fps=25, seconds=8, seed=request.param)


def _inside(mask: np.ndarray, margin: int = 1) -> np.ndarray:
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    return cv2.erode(mask.astype(np.uint8), kernel, borderValue=0) > 0


def _away_from_edges(depth: np.ndarray) -> np.ndarray:
    """Pixels whose whole neighbourhood is one surface."""
    near = np.minimum(depth, 1e6).astype(np.float32)
    kernel = np.ones((5, 5), np.uint8)
    return cv2.dilate(near, kernel) < 1.35 * cv2.erode(near, kernel)


def test_a_frame_has_the_documented_shapes_types_and_ranges(drive: FoggyDrive) -> None:
    frame = drive.frame(3)
    assert len(drive) == 200
    assert frame.time == pytest.approx(3 / 25)
    assert frame.hazy.shape == frame.clear.shape == (136, 240, 3)
    assert frame.hazy.dtype == frame.clear.dtype == np.uint8
    assert frame.transmission.shape == frame.depth.shape == (136, 240)
    assert frame.transmission.dtype == frame.depth.dtype == np.float32
    assert 0 < frame.transmission.min() < frame.transmission.max() <= 1
    assert frame.depth.min() > 0.3
    assert np.isinf(frame.depth).any()
    assert ((frame.airlight >= 0) & (frame.airlight <= 1)).all()


def test_the_same_seed_gives_the_same_bytes_in_any_order(drive: FoggyDrive) -> None:
    again = FoggyDrive(240, 136, fps=25, seconds=8, seed=drive.seed)
    backwards = {index: again.frame(index) for index in (150, 7, 0)}
    for index in (0, 7, 150):
        first, second = drive.frame(index), backwards[index]
        assert np.array_equal(first.hazy, second.hazy)
        assert np.array_equal(first.clear, second.clear)
        assert np.array_equal(first.transmission, second.transmission)
        assert np.array_equal(first.depth, second.depth)


def test_another_seed_is_another_place() -> None:
    first, second = (FoggyDrive(48, 27, seed=seed).frame(0).clear for seed in (3, 4))
    assert psnr(first, second) < 25


def test_the_haze_solves_back_to_the_clear_frame_to_a_millionth(drive: FoggyDrive) -> None:
    frame = drive.frame(40)
    light = frame.transmission.astype(np.float64)[..., None]
    solved = (frame.hazy_float.astype(np.float64) - frame.airlight) / light + frame.airlight
    assert (np.abs(solved - frame.clear_float) * light).max() < 1e-6
    assert np.abs(frame.hazy / 255.0 - frame.hazy_float).max() <= 0.5 / 255 + 1e-6


def test_transmission_falls_exponentially_with_depth_up_to_the_longest_way(drive: FoggyDrive) -> None:
    frame = drive.frame(0)
    plain = _away_from_edges(frame.depth)
    thickness = -np.log(frame.transmission[plain].astype(np.float64))
    depth = frame.depth[plain]
    beta = float(np.median(thickness[depth < 20] / depth[depth < 20]))
    far = float(-np.log(frame.transmission.min()) / beta)
    agrees = np.abs(thickness - beta * np.minimum(depth, far)) < 2e-3 * thickness + 1e-4
    # Leaves cover parts of pixels, so crowns are mixtures; the road before the car is not.
    assert agrees.mean() > 0.9
    rows, cols = np.nonzero(plain)
    road = (rows > 100) & (cols > 60) & (cols < 180)
    assert road.sum() > 3000
    assert agrees[road].all()


def test_the_first_frame_has_the_wanted_median_transmission() -> None:
    for wanted in (0.2, 0.6):
        frame = FoggyDrive(48, 27, seed=2, median_transmission=wanted).frame(0)
        assert float(np.median(frame.transmission)) == pytest.approx(wanted, abs=0.02)


def test_the_ground_in_front_of_the_car_lies_where_its_depth_says(drive: FoggyDrive) -> None:
    for index in (0, 60):
        camera, depth = drive.camera(index), drive.frame(index).depth
        rows, cols = np.mgrid[125:136:3, 60:180:10]
        rays = np.stack([cols, rows, np.ones_like(cols)], axis=-1) @ np.linalg.inv(camera.projection).T
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        points = camera.position + rays * depth[rows, cols][..., None]
        assert np.abs(points[..., 1]).max() < 1e-3
        back = camera.project(points)
        assert back[..., 0] == pytest.approx(cols, abs=1e-3)
        assert back[..., 1] == pytest.approx(rows, abs=1e-3)


def test_the_car_ahead_is_as_deep_in_the_picture_as_it_is_far_on_the_road(drive: FoggyDrive) -> None:
    for index in (10, 90):
        camera = drive.camera(index)
        rear = drive.movers(index)[2] + (0.0, 0.5, 0.0)
        x, y, along = camera.project(rear)
        measured = drive.frame(index).depth[round(float(y)), round(float(x))]
        assert measured == pytest.approx(np.linalg.norm(rear - camera.position), rel=0.01)
        assert 10 < along < 32


def test_the_previous_frame_moved_by_the_true_motion_is_the_present_frame(drive: FoggyDrive) -> None:
    for index in (1, 50, 121):
        flow, valid = drive.motion(index)
        before, now = drive.frame(index - 1), drive.frame(index)
        inside = _inside(valid)
        assert inside.mean() > 0.6
        moved = np.rint(warp_backward(before.clear, flow)).astype(np.uint8)
        after = psnr(moved, now.clear, inside)
        assert after > 30
        assert after > psnr(before.clear, now.clear, inside) + 4


def test_the_motion_of_every_car_is_followed(drive: FoggyDrive) -> None:
    index = next(
        i
        for i in range(5, 200)
        if any(8 < p[2] - drive.camera(i).position[2] < 25 for o, p in drive.movers(i).items() if o > 2)
    )
    flow, _ = drive.motion(index)
    camera, earlier = drive.camera(index), drive.camera(index - 1)
    checked = 0
    for owner, place in drive.movers(index).items():
        middle = place + (0.1, 0.5, 0.0)
        x, y, along = camera.project(middle)
        if not (4 < x < 236 and along < 40):
            continue
        column, row = round(float(x)), round(float(y))
        offset = middle - place
        was = earlier.project(drive.movers(index - 1)[owner] + offset)
        assert flow[row, column] == pytest.approx(was[:2] - (x, y), abs=0.35)
        checked += 1
    assert checked == 2


def test_what_was_hidden_or_out_of_view_is_not_valid(drive: FoggyDrive) -> None:
    flow, valid = drive.motion(30)
    assert not valid.all()
    rows, cols = np.nonzero(valid)
    x, y = cols + flow[valid][:, 0], rows + flow[valid][:, 1]
    assert x.min() >= 0
    assert y.min() >= 0
    assert x.max() <= 239
    assert y.max() <= 135
    # Driving forward, the ground at the bottom of the picture came from further up and stays in view; what the
    # car ahead or a tree hid a frame ago does not exist there. Warping across such places is visibly worse.
    before, now = drive.frame(29).clear, drive.frame(30).clear
    moved = warp_backward(before, flow)
    error = np.abs(moved - now).mean(axis=2)
    assert error[~valid].mean() > 2 * error[_inside(valid)].mean()


def test_true_transmission_hardly_flickers_along_the_true_motion(drive: FoggyDrive) -> None:
    flow, valid = drive.motion(20)
    before, now = drive.frame(19).transmission, drive.frame(20).transmission
    steady = jitter(now, before, flow, _inside(valid))
    assert steady < 0.02
    assert steady < 0.5 * float(np.abs(now - before).mean()) + 0.012


def test_the_first_frame_has_no_motion(drive: FoggyDrive) -> None:
    flow, valid = drive.motion(0)
    assert flow.shape == (136, 240, 2)
    assert not valid.any()


def test_after_a_cut_place_and_haze_are_others_and_no_motion_leads_across() -> None:
    drive = FoggyDrive(96, 54, fps=10, seconds=2, seed=5, cut_at=1.0)
    plain = FoggyDrive(96, 54, fps=10, seconds=2, seed=5)
    assert drive.cut == 10
    assert plain.cut is None
    assert np.array_equal(drive.frame(9).hazy, plain.frame(9).hazy)
    assert psnr(drive.frame(10).clear, plain.frame(10).clear) < 25
    medians = [float(np.median(drive.frame(index).transmission)) for index in (9, 10)]
    assert abs(medians[1] - medians[0]) > 0.2
    assert not drive.motion(10)[1].any()
    assert drive.motion(11)[1].mean() > 0.5


def test_haze_can_thicken_over_time() -> None:
    drive = FoggyDrive(64, 36, fps=10, seconds=4, seed=2, median_transmission=lambda time: 0.9 - 0.2 * time)
    medians = [float(np.median(drive.frame(index).transmission)) for index in (0, 13, 26, 39)]
    assert all(later < earlier - 0.1 for earlier, later in pairwise(medians))


def test_a_clear_drive_comes_without_haze() -> None:
    frame = FoggyDrive(64, 36, seed=2, median_transmission=1.0).frame(5)
    assert np.array_equal(frame.hazy, frame.clear)
    assert (frame.transmission == 1).all()


def test_airlight_is_as_given_and_drifts_only_when_told() -> None:
    still = FoggyDrive(32, 18, seed=2, airlight=(0.7, 0.8, 0.9))
    assert still.frame(0).airlight == pytest.approx([0.7, 0.8, 0.9])
    assert np.array_equal(still.frame(0).airlight, still.frame(100).airlight)
    moving = FoggyDrive(32, 18, seed=2, airlight=(0.7, 0.8, 0.9), airlight_drift=0.05)
    swell = np.array([moving.frame(index).airlight - (0.7, 0.8, 0.9) for index in range(0, 200, 25)])
    assert 0.04 < np.abs(swell).max() <= 0.05 + 1e-6


def test_noise_comes_after_the_haze_with_the_sigma_asked_for() -> None:
    clean = FoggyDrive(120, 68, seed=6, median_transmission=0.3)
    noisy = FoggyDrive(120, 68, seed=6, median_transmission=0.3, noise=0.02)
    difference = noisy.frame(4).hazy.astype(float) - clean.frame(4).hazy
    unclipped = (clean.frame(4).hazy > 20) & (clean.frame(4).hazy < 235)
    assert difference[unclipped].std() == pytest.approx(0.02 * 255, rel=0.03)
    assert abs(difference[unclipped].mean()) < 0.1
    assert np.array_equal(noisy.frame(4).clear, clean.frame(4).clear)
    assert not np.array_equal(noisy.frame(4).hazy - noisy.frame(4).clear, noisy.frame(5).hazy - noisy.frame(5).clear)


@pytest.mark.parametrize(
    "size", [(17, 31), (1, 1), (2, 2), (300, 8), pytest.param((1920, 1080), marks=pytest.mark.slow)], ids=str
)
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    width, height = size
    drive = FoggyDrive(width, height, seconds=0.2, seed=7)
    frame = drive.frame(1)
    assert frame.hazy.shape == (height, width, 3)
    flow, valid = drive.motion(1)
    assert flow.shape == (height, width, 2)
    assert np.isfinite(flow).all()
    assert valid.shape == (height, width)


def test_the_same_place_is_drawn_at_every_size() -> None:
    small, large = (FoggyDrive(width, width * 9 // 16, seed=8).frame(0) for width in (128, 320))
    shrunk = cv2.resize(large.clear, (128, 72), interpolation=cv2.INTER_AREA)
    assert psnr(shrunk, small.clear) > 22
    assert float(np.median(small.transmission)) == pytest.approx(float(np.median(large.transmission)), abs=0.03)


def test_frames_that_do_not_exist_and_impossible_drives_are_refused() -> None:
    drive = FoggyDrive(16, 16, seconds=1)
    with pytest.raises(IndexError, match="frame 25 of a drive of 25"):
        drive.frame(25)
    with pytest.raises(IndexError):
        drive.motion(-1)
    with pytest.raises(ValueError, match="0x9"):
        FoggyDrive(0, 9)
    with pytest.raises(ValueError, match="median transmission"):
        FoggyDrive(16, 16, median_transmission=0.0)
