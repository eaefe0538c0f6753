from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.core.colour import Colour, Matrix, rgb_to_levels

LEVELS = st.sampled_from([8, 10])


@given(matrix=st.sampled_from(Matrix), bits=LEVELS)
def test_limited_range_puts_black_at_16_white_at_235_and_gray_at_neutral_chroma(matrix: Matrix, bits: int) -> None:
    affine, offset = rgb_to_levels(Colour(matrix, full_range=False), bits)
    unit = 1 << (bits - 8)
    assert affine @ np.zeros(3) + offset == pytest.approx([16 * unit, 128 * unit, 128 * unit])
    assert affine @ np.ones(3) + offset == pytest.approx([235 * unit, 128 * unit, 128 * unit])


@given(matrix=st.sampled_from(Matrix), bits=LEVELS)
def test_full_range_uses_every_level_of_luma(matrix: Matrix, bits: int) -> None:
    affine, offset = rgb_to_levels(Colour(matrix, full_range=True), bits)
    assert (affine @ np.ones(3) + offset)[0] == pytest.approx((1 << bits) - 1)
    assert (affine @ np.zeros(3) + offset)[0] == 0


@given(matrix=st.sampled_from(Matrix), full=st.booleans())
def test_pure_blue_and_pure_red_reach_the_ends_of_their_chroma(matrix: Matrix, full: bool) -> None:
    affine, offset = rgb_to_levels(Colour(matrix, full_range=full), 8)
    half = 127.5 if full else 112.0
    assert (affine @ np.array([0.0, 0.0, 1.0]) + offset)[1] == pytest.approx(128 + half)
    assert (affine @ np.array([1.0, 0.0, 0.0]) + offset)[2] == pytest.approx(128 + half)
