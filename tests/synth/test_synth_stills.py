from __future__ import annotations

import hashlib
import subprocess
import sys
from itertools import pairwise

import cv2
import numpy as np
import pytest

from rtdehaze.synth.haze import add_haze, beta_for_median, transmission_from_depth
from rtdehaze.synth.library import views
from rtdehaze.synth.stills import KINDS, render_still
from rtdehaze.synth.stills.landscape import Country, open_country
from rtdehaze.synth.stills.palette import Light, material
from rtdehaze.synth.stills.props import box, surroundings
from rtdehaze.synth.stills.shade import shade
from rtdehaze.synth.stills.stage import Stage, View

SMALL = (96, 144)


def plain(seed: int = 1):
    return material(np.random.default_rng(seed), "stone", "smooth", 4.0, (0.0, 0.0))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_renders_at_odd_sizes(kind: str) -> None:
    picture, depth = render_still(3, kind, (67, 91))
    assert picture.shape == (67, 91, 3)
    assert picture.dtype == np.uint8
    assert depth.shape == (67, 91)
    assert depth.dtype == np.float32
    assert not np.isnan(depth).any()
    assert (depth > 0).all()
    assert picture.std() > 8, "an empty picture teaches nothing"


def test_a_seed_gives_the_same_scene_and_another_seed_another_one() -> None:
    first, again, other = (render_still(seed, size=SMALL) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert (first[0] != other[0]).mean() > 0.5


def test_another_process_renders_the_same_bytes() -> None:
    code = (
        "import sys, hashlib; from rtdehaze.synth.stills import render_still;"
        "print(hashlib.sha256(b''.join(part.tobytes() for part in render_still(8, 'leaves', (48, 64)))).hexdigest())"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    here = hashlib.sha256(b"".join(part.tobytes() for part in render_still(8, "leaves", (48, 64)))).hexdigest()
    assert ran.stdout.strip() == here


def test_an_unknown_kind_and_a_tiny_size_are_refused_by_value() -> None:
    with pytest.raises(ValueError, match="'moon'"):
        render_still(1, "moon")
    with pytest.raises(ValueError, match="8x64"):
        render_still(1, "room", (8, 64))


@pytest.mark.parametrize("kind", KINDS)
def test_the_picture_has_its_edges_where_the_depth_has(kind: str) -> None:
    at_edges, elsewhere = [], []
    for seed in range(4):
        picture, depth = render_still(seed, kind, SMALL)
        luma = picture.astype(np.float32).mean(axis=2)
        steps = np.abs(np.diff(luma, axis=1))
        near = np.log(np.minimum(depth, 1e4))
        jumps = np.abs(np.diff(near, axis=1)) > np.log(1.5)
        at_edges.append(steps[jumps])
        elsewhere.append(steps[~jumps])
    assert np.concatenate(at_edges).mean() > 1.25 * np.concatenate(elsewhere).mean()


def test_haze_laid_on_by_the_depth_comes_off_with_the_same_numbers() -> None:
    picture, depth = render_still(11, "street", SMALL)
    clear = picture.astype(np.float32) / 255
    air = np.array([0.8, 0.82, 0.86], np.float32)
    t = np.maximum(transmission_from_depth(depth, beta_for_median(depth, 0.5), 1000.0), 0.1)
    hazy = np.rint(add_haze(clear, t, air) * 255) / 255
    back = (hazy - air) / t[..., None] + air
    # Half a level of the hazy picture, divided by t.
    assert (np.abs(back - clear) <= 0.51 / 255 / t[..., None] + 1e-6).all()
    assert t.max() - t.min() > 0.3, "near and far must differ"


@pytest.mark.parametrize(
    ("pitch", "roll", "focal"), [(0.0, 0.0, 0.7), (-0.4, 0.0, 1.6), (0.1, 0.15, 0.7), (-0.3, -0.3, 40.0)]
)
def test_the_ground_lies_where_the_camera_says_down_to_the_lower_edge(pitch: float, roll: float, focal: float) -> None:
    view = View((61, 83), focal, 1.6, pitch, roll)
    stage = Stage(view)
    surroundings(stage, plain())
    down = -view.rays[..., 1]
    expected = view.eye[1] / np.maximum(down, 1e-9)
    sure = expected < 2000
    assert sure.sum() > 1200
    np.testing.assert_allclose(stage.depth[sure], expected[sure], rtol=1e-3)
    assert np.isinf(stage.depth[down < 0]).all()


def test_what_is_nearer_hides_what_is_farther_whatever_is_drawn_first() -> None:
    depths = []
    for order in ((4.0, 9.0), (9.0, 4.0)):
        stage = Stage(View((40, 60), 1.0, 1.0))
        for z in order:
            stage.board(np.array([0.0, 1.0, z]), (0.5, 0.5), plain())
        depths.append(stage.depth)
    np.testing.assert_array_equal(depths[0], depths[1])
    assert depths[0][20, 30] == pytest.approx(4.0, rel=1e-4)


def test_a_box_throws_its_shadow_away_from_the_sun() -> None:
    stage = Stage(View((120, 160), 0.9, 6.0, -0.5))
    surroundings(stage, plain())
    box(stage, (0.0, 0.0, 10.0), (2.0, 2.0, 2.0), 0.0, plain(2))
    to_sun = np.array([1.0, 1.0, 0.0], np.float32) / np.float32(np.sqrt(2))
    light = Light(to_sun, np.full(3, 2, np.float32), np.full(3, 0.3, np.float32), np.full(3, 0.1, np.float32))
    picture = shade(stage, light, np.ones((120, 160, 3), np.float32), corners=0.0, shadow_range=30.0)

    def seen(x: float, z: float) -> float:
        camera = (np.array([[x, 0.0, z]]) - stage.view.eye) @ stage.view.axes.T
        column, row = np.rint(stage.view.project(camera)[0]).astype(int)
        return float(picture[row, column].mean())

    assert seen(-1.9, 10.0) < 0.5 * seen(2.2, 10.0)


def test_hills_are_seen_where_the_map_of_heights_has_them() -> None:
    rng = np.random.default_rng(4)
    country = Country.draw(np.random.default_rng(4))
    view = View((80, 120), 1.0, 5.0)
    stage = Stage(view)
    open_country(stage, rng, "leaf")
    ground = list(stage.curved)
    seen = np.isin(stage.part, ground)
    place = view.eye + view.rays * np.where(seen, stage.depth, 1)[..., None]
    heights = country.at(place[..., 0].astype(np.float32), place[..., 2].astype(np.float32))
    wrong = np.abs(heights - place[..., 1])[seen] / stage.depth[seen]
    assert seen.sum() > 2000
    assert np.median(wrong) < 0.004
    assert np.quantile(wrong, 0.9) < 0.03


def test_scenes_have_the_statistics_of_photographs() -> None:
    lumas, spreads, darks, slopes = [], [], [], []
    for seed in range(24):
        picture = render_still(seed, size=SMALL)[0].astype(np.float32) / 255
        luma = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
        lumas.append(luma.mean())
        spreads.append(luma.std())
        darks.append(np.median(cv2.erode(picture.min(axis=2), np.ones((7, 7), np.uint8))))
        slopes.append(_slope(luma))
    assert 0.25 < np.median(lumas) < 0.55
    assert 0.14 < np.median(spreads) < 0.3
    assert np.median(darks) < 0.22, "without haze the dark channel is low (He, Sun, Tang 2009)"
    assert -3.3 < np.median(slopes) < -2.0, "power falls about as the square of the frequency (Field 1987)"


def _slope(luma: np.ndarray) -> float:
    power = np.abs(np.fft.fft2(luma - luma.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(luma.shape[0])[:, None], np.fft.fftfreq(luma.shape[1])[None, :])
    bounds = np.geomspace(0.03, 0.4, 8)
    mean = [power[(frequency >= low) & (frequency < high)].mean() for low, high in pairwise(bounds)]
    return float(np.polyfit(np.log(np.sqrt(bounds[:-1] * bounds[1:])), np.log(mean), 1)[0])


def test_views_for_learning_count_the_nearest_hundredth_as_one_distance() -> None:
    for number, (clear, depth) in enumerate(views("still", 3, 3, 48, 64)):
        picture, exact = render_still(30_000 + number, size=(48, 64))
        np.testing.assert_array_equal(clear, picture)
        changed = depth != exact
        assert changed.mean() <= 0.011
        assert (depth[changed] == depth.min()).all()
