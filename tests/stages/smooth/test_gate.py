from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtdehaze.core.errors import UsageError
from rtdehaze.stages.smooth.gate import Gate


def run(gate: Gate, densities: list[float], rate: float = 25.0) -> list[float]:
    return [gate.update(density, index / rate) for index, density in enumerate(densities)]


@pytest.mark.parametrize(("density", "weight"), [(0.05, 0.0), (0.19, 0.0), (0.21, 1.0), (0.9, 1.0)])
def test_the_first_frame_decides_at_once(density: float, weight: float) -> None:
    assert Gate(0.25, 0.15, 1.0).update(density, 5.0) == weight


@pytest.mark.parametrize("threshold", [0.15, 0.2, 0.25])
def test_a_clip_that_hovers_at_a_threshold_does_not_flap(threshold: float) -> None:
    rng = np.random.default_rng(0)
    weights = run(Gate(0.25, 0.15, 0.2), (threshold + rng.normal(0, 0.012, 500)).tolist())
    directions = np.sign(np.diff(weights))
    turns = np.count_nonzero(np.diff(directions[directions != 0]))
    assert turns == 0


def test_it_opens_and_closes_by_a_ramp_and_ends_exactly() -> None:
    gate = Gate(0.25, 0.15, 0.4)
    weights = run(gate, [0.05] * 5 + [0.6] * 15 + [0.05] * 15)
    assert weights[4] == 0.0
    assert weights[5] == pytest.approx(0.1)
    assert weights[19] == 1.0
    assert weights[20] == pytest.approx(0.9)
    assert weights[-1] == 0.0


def test_without_a_ramp_it_switches_at_once() -> None:
    assert run(Gate(0.25, 0.15, 0.0), [0.0, 0.5, 0.2, 0.0]) == [0.0, 1.0, 1.0, 0.0]


def test_after_a_reset_the_next_frame_decides_at_once() -> None:
    gate = Gate(0.25, 0.15, 10.0)
    run(gate, [0.9, 0.9])
    gate.reset()
    assert gate.update(0.0, 0.12) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-1, 1)), min_size=1, max_size=30))
def test_the_weight_stays_in_range_and_never_moves_faster_than_the_ramp(frames: list[tuple[float, float]]) -> None:
    gate, time, last = Gate(0.3, 0.2, 0.5), 0.0, None
    for density, step in frames:
        time += step
        weight = gate.update(density, time)
        assert 0.0 <= weight <= 1.0
        if last is not None:
            assert abs(weight - last) <= max(0.0, step) / 0.5 + 1e-9
        last = weight


@pytest.mark.parametrize("arguments", [(0.2, 0.2, 1.0), (0.2, 0.3, 1.0), (1.2, 0.1, 1.0), (0.2, -0.1, 1.0)])
def test_thresholds_out_of_order_or_range_are_refused(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="thresholds"):
        Gate(*arguments)


def test_a_negative_ramp_is_refused() -> None:
    with pytest.raises(UsageError, match="ramp"):
        Gate(0.2, 0.1, -1.0)
