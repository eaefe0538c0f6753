from __future__ import annotations

from dataclasses import replace

import numpy as np
from recompose_frames import empty_frame, levels_of, make_frame, physical

from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.recomposer import Recomposer

WIDTH, HEIGHT, CELL = 512, 64, 8
DENSE = 0.15
AIRLIGHT = 0.8
RNG = np.random.default_rng(5)


def sky() -> np.ndarray:
    """The luma of a smooth sky seen through dense haze, exact, in limited levels: six levels over the whole width."""
    return np.tile(np.linspace(178.3, 184.4, WIDTH), (HEIGHT, 1))


def removal(luma: np.ndarray) -> Removal:
    """Dense haze with the picture's thumbnail, and the neutral chroma of a grey sky."""
    small = luma.reshape(HEIGHT // CELL, CELL, WIDTH // CELL, CELL).mean(axis=(1, 3))
    guide = np.tile((small - 16) / 219, (3, 1, 1)).astype(np.float32)
    return replace(physical(np.full(small.shape, DENSE), (AIRLIGHT,) * 3), guide=guide)


def clear_of(luma: np.ndarray) -> np.ndarray:
    return (luma - 16 - 219 * AIRLIGHT * (1 - DENSE)) / DENSE + 16


def recompose(luma: np.ndarray, how: Removal) -> np.ndarray:
    neutral = np.full((HEIGHT // 2, WIDTH // 2), 128)
    out = empty_frame("yuv420p", WIDTH, HEIGHT)
    Recomposer().apply(make_frame("yuv420p", [np.rint(luma), neutral, neutral]), how, out)
    return levels_of(out)[0]


def longest_run(row: np.ndarray) -> int:
    ends = np.flatnonzero(np.diff(row)) + 1
    return int(np.diff(np.concatenate([[0], ends, [row.size]])).max())


def test_a_smooth_sky_under_dense_haze_shows_no_bands() -> None:
    luma = sky()
    plain = np.rint(clear_of(np.rint(luma)))
    found = recompose(luma, removal(luma))
    assert np.abs(np.diff(plain, axis=1)).max() >= 6
    assert np.abs(np.diff(found, axis=1)).max() <= 2
    assert longest_run(plain[5]) > 60
    assert longest_run(found[5]) < 20
    inner = slice(CELL, -CELL)
    assert np.abs(found - clear_of(luma))[:, inner].mean() < 0.5
    assert np.abs(plain - clear_of(luma))[:, inner].mean() > 1.4


def test_the_sky_stays_within_half_an_input_level_and_the_dither() -> None:
    luma = sky()
    found = recompose(luma, removal(luma))
    assert np.abs(found - clear_of(np.rint(luma))).max() <= 0.5 / DENSE + 1.01


def test_chroma_of_the_sky_shows_no_bands_either() -> None:
    blue = np.tile(np.linspace(129.2, 132.8, WIDTH // 2), (HEIGHT // 2, 1))
    luma = np.full((HEIGHT, WIDTH), 181.0)
    small = blue.reshape(HEIGHT // CELL, CELL // 2, WIDTH // CELL, CELL // 2).mean(axis=(1, 3))
    how = removal(luma)
    assert how.guide is not None
    how.guide[2] += ((small - 128) / 224 * 2 * (1 - 0.0722)).astype(np.float32)
    how.guide[1] -= ((small - 128) / 224 * 2 * (1 - 0.0722) * 0.0722 / 0.7152).astype(np.float32)
    out = empty_frame("yuv420p", WIDTH, HEIGHT)
    planes = [np.rint(luma), np.rint(blue), np.full(blue.shape, 128)]
    Recomposer().apply(make_frame("yuv420p", planes), how, out)
    found = levels_of(out)[1]
    assert np.abs(np.diff(found, axis=1)).max() <= 2
    assert longest_run(found[3]) < 20


def test_texture_of_a_few_levels_is_no_rounding_and_keeps_its_contrast() -> None:
    luma = np.rint(sky() + RNG.choice([-3.0, 3.0], (HEIGHT, WIDTH)))
    found = recompose(luma, removal(luma))
    exact = clear_of(luma)
    assert np.abs(found - exact).max() <= 1.6
    assert (found - found.mean()).std() > 0.97 * (exact - exact.mean()).std()


def test_without_a_guide_there_is_dither_alone() -> None:
    luma = sky()
    found = recompose(luma, replace(removal(luma), guide=None))
    assert np.abs(found - clear_of(np.rint(luma))).max() <= 1.01


def test_the_dither_is_the_same_in_every_frame_and_even() -> None:
    luma = np.full((HEIGHT, WIDTH), 181.0)
    how = replace(removal(luma), guide=None)
    once, again = recompose(luma, how), recompose(luma, how)
    np.testing.assert_array_equal(once, again)
    blocks = once.reshape(HEIGHT // 8, 8, WIDTH // 8, 8).mean(axis=(1, 3))
    assert np.abs(blocks - clear_of(luma).mean()).max() < 0.1
