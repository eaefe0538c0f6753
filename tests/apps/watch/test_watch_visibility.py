"""The visibility index: its two ends, its order, and metres where a distance is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.apps.watch.visibility import quantities, visibility_index, visual_range
from tests.apps.watch.observed import frame


@pytest.mark.parametrize("range_m", [60.0, 200.0, 1000.0, 3000.0])
def test_metres_are_the_optical_range_of_the_air_that_made_the_picture(range_m: float) -> None:
    extinction = -math.log(0.05) / range_m
    distance = 75.0
    numbers = quantities(frame(0, transmission=math.exp(-extinction * distance)), distance)
    assert numbers["visibility_m"] == pytest.approx(range_m, rel=1e-9)


def test_without_a_distance_there_are_no_metres() -> None:
    assert "visibility_m" not in quantities(frame(0))


def test_the_index_is_0_where_half_the_picture_is_out_of_sight_and_1_where_the_air_is_clear() -> None:
    assert visibility_index(0.05) == 0
    assert visibility_index(0.95) == visibility_index(1.0) == 1
    assert visibility_index(0.0) == 0


def test_equal_steps_of_the_index_are_equal_ratios_of_visibility() -> None:
    extinctions = (0.5, 1.0, 2.0)
    thick, middle, thin = (visibility_index(math.exp(-extinction)) for extinction in reversed(extinctions))
    assert thin - middle == pytest.approx(middle - thick)
    assert thin - middle > 0.1


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_transmission_is_never_less_visibility(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= visibility_index(low) <= visibility_index(high) <= 1
    assert visual_range(low) <= visual_range(high)
