from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.core.timing import Durations


@given(st.lists(st.floats(2e-6, 900.0), min_size=1, max_size=50), st.sampled_from([50, 95, 99]))
def test_a_percentile_is_right_to_two_percent(seconds: list[float], percent: int) -> None:
    durations = Durations()
    for value in seconds:
        durations.add(value)
    exact = float(np.percentile(seconds, percent, method="inverted_cdf"))
    assert durations.percentile(percent) == pytest.approx(exact, rel=0.02)


def test_durations_outside_the_scale_are_counted_at_its_ends() -> None:
    durations = Durations()
    durations.add(0.0)
    durations.add(1e9)
    assert durations.count == 2
    assert durations.percentile(99) >= 999


def test_no_durations_give_zero() -> None:
    assert Durations().percentile(50) == 0.0


def test_a_block_that_raises_is_not_counted() -> None:
    durations = Durations()
    with pytest.raises(ValueError, match="x"), durations.measure():
        raise ValueError("x")
    assert durations.count == 0
