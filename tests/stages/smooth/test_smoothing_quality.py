from __future__ import annotations

import pytest

from rtdehaze.core.haze import Haze
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.smooth.smoother import HazeSmoother
from tests.stages.smooth.trial import FrameByFrame, PlainAverage, Shot, judge, noisy_truth, shoot

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shots() -> list[Shot]:
    return shoot(30)


def estimates(shots: list[Shot], name: str) -> list[Haze]:
    if name == "truth with noise":
        return [noisy_truth(shot.truth) for shot in shots]
    estimator = open_estimator(name, provider="cpu")
    return [estimator.estimate(shot.thumbnail) for shot in shots]


# An estimator's own fault (0.15 on average) hides noise and lag alike: what smoothing changes in its error is chance.
@pytest.mark.parametrize(("name", "slack"), [("truth with noise", 0.0), ("cap", 0.01), ("dcp", 0.01)])
def test_smoothing_halves_the_jitter_at_no_cost_in_fidelity_and_a_plain_average_does_not(
    shots: list[Shot], name: str, slack: float
) -> None:
    hazes = estimates(shots, name)
    frame_by_frame = judge(shots, hazes, FrameByFrame())
    smoothed = judge(shots, hazes, HazeSmoother(0.5))
    averaged = judge(shots, hazes, PlainAverage(0.5))
    assert smoothed.is_steadier_and_no_worse_than(frame_by_frame, slack), (smoothed, frame_by_frame)
    assert not averaged.is_steadier_and_no_worse_than(frame_by_frame, slack), (averaged, frame_by_frame)
