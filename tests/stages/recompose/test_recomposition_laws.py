from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recompose_frames import (
    chroma_step,
    empty_frame,
    levels_of,
    make_frame,
    physical,
    plane_sizes,
    random_frame,
)

from rtdehaze.core.colour import Colour, Matrix, rgb_to_levels
from rtdehaze.core.frame import PIXEL_FORMATS
from rtdehaze.core.haze import Removal
from rtdehaze.stages.recompose.fields import axis
from rtdehaze.stages.recompose.recomposer import Recomposer
from rtdehaze.stages.recompose.reference import enlarge, recompose_planes

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 40)
map_sizes = st.integers(1, 9)


def dither(gain: np.ndarray) -> np.ndarray:
    return 0.5 * np.clip(gain - 1, 0, 1)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, width=sizes, height=sizes, matrix=st.sampled_from(Matrix), full=st.booleans())
def test_the_true_haze_taken_off_in_floats_gives_the_clear_picture_back(
    seed: int, width: int, height: int, matrix: Matrix, full: bool
) -> None:
    rng = np.random.default_rng(seed)
    colour = Colour(matrix, full)
    clear = rng.random((3, height, width))
    t = rng.uniform(0.1, 1.0, (height, width)).astype(np.float32)
    airlight = rng.random((3, 1, 1))
    veil = (airlight * (1 - t.astype(np.float64))).astype(np.float32)
    forward, offset = rgb_to_levels(colour, 8)
    hazy = clear * t + veil
    planes = list(np.tensordot(forward, hazy, 1) + offset[:, None, None])
    found = recompose_planes(planes, Removal(t, t, veil), colour)
    wanted = np.tensordot(forward, clear, 1) + offset[:, None, None]
    assert np.abs(np.array(found) - wanted).max() / 255 < 1e-6


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@settings(max_examples=12, deadline=None)
@given(seed=seeds, width=sizes, height=sizes, map_width=map_sizes, map_height=map_sizes)
def test_hazy_levels_come_back_clear_to_within_what_rounding_lost(
    name: str, seed: int, width: int, height: int, map_width: int, map_height: int
) -> None:
    rng = np.random.default_rng(seed)
    pixels = PIXEL_FORMATS[name]
    removal = physical(rng.uniform(0.25, 1.0, (map_height, map_width)), rng.uniform(0.5, 1.0, 3))
    colour = make_frame(name, [np.zeros((h, w)) for w, h in plane_sizes(pixels, width, height)]).colour
    forward, offset = rgb_to_levels(colour, pixels.bits)
    unit = 1 << (pixels.bits - 8)
    clear, hazy, gains = [], [], []
    for number, (w, h) in enumerate(plane_sizes(pixels, width, height)):
        step = chroma_step(pixels) if number else (1, 1)
        across, down = axis(width, w, step[0], map_width), axis(height, h, step[1], map_height)
        t = enlarge(removal.luma, across, down)
        veil = enlarge(np.tensordot(forward, removal.veil.astype(np.float64), 1)[number], across, down)
        middle, reach = (125, 40) if number == 0 else (128, 16)
        clear.append(rng.uniform(middle - reach, middle + reach, (h, w)) * unit)
        hazy.append(np.rint((clear[-1] - offset[number]) * t + veil + offset[number]))
        gains.append(1 / t)
    out = empty_frame(name, width, height)
    with Recomposer() as recomposer:
        recomposer.apply(make_frame(name, hazy), removal, out)
    for wanted, found, gain in zip(clear, levels_of(out), gains, strict=True):
        assert (np.abs(found - wanted) <= 0.5 * gain + 0.5 + dither(gain) + 0.01).all()


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@settings(max_examples=12, deadline=None)
@given(seed=seeds, width=sizes, height=sizes, map_width=map_sizes, map_height=map_sizes)
def test_the_kernel_is_within_half_a_level_and_the_dither_of_the_reference(
    name: str, seed: int, width: int, height: int, map_width: int, map_height: int
) -> None:
    rng = np.random.default_rng(seed)
    pixels = PIXEL_FORMATS[name]
    shape = (map_height, map_width)
    removal = Removal(
        rng.uniform(0.75, 1.3, shape).astype(np.float32),
        rng.uniform(0.75, 1.3, shape).astype(np.float32),
        rng.uniform(-0.03, 0.03, (3, *shape)).astype(np.float32),
    )
    frame, out = random_frame(name, width, height, rng, 0.08), empty_frame(name, width, height)
    with Recomposer() as recomposer:
        recomposer.apply(frame, removal, out)
    wanted = recompose_planes(levels_of(frame), removal, frame.colour, pixels.bits, chroma_step(pixels))
    for plane, exact in zip(levels_of(out), wanted, strict=True):
        assert (np.abs(plane - exact) <= 0.5 + 0.5 * (1 / 0.75 - 1) + 0.01).all()


@pytest.mark.parametrize("name", PIXEL_FORMATS)
@settings(max_examples=12, deadline=None)
@given(seed=seeds, width=sizes, height=sizes)
def test_where_there_is_no_haze_every_level_stays_even_with_a_guide(
    name: str, seed: int, width: int, height: int
) -> None:
    rng = np.random.default_rng(seed)
    frame, out = random_frame(name, width, height, rng), empty_frame(name, width, height)
    one = np.ones((4, 6), np.float32)
    nothing = Removal(one, one, np.zeros((3, 4, 6), np.float32), rng.random((3, 4, 6)).astype(np.float32))
    with Recomposer() as recomposer:
        recomposer.apply(frame, nothing, out)
    for plane, copied in zip(frame.planes, out.planes, strict=True):
        np.testing.assert_array_equal(copied.samples, plane.samples)
