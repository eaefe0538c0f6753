"""Motion followed while the model estimates: the same answers, and nothing left behind."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rtdehaze.core.errors import ModelError
from rtdehaze.pipeline.tracker import HazeTracker, Tracked
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.synth.drive import FoggyDrive
from tests.stages.estimate import onnx_files

CUT = 4


@pytest.fixture(scope="module")
def thumbnails() -> list[NDArray[np.float32]]:
    drive = FoggyDrive(192, 112, seconds=0.32, median_transmission=0.5, cut_at=CUT / 25)
    return [np.ascontiguousarray(frame.hazy.transpose(2, 0, 1), np.float32) / 255 for frame in drive]


def track(estimator: Estimator, thumbnails: list[NDArray[np.float32]], *, every: int = 1, aside: bool) -> list[Tracked]:
    tracker = HazeTracker(smoothing=0.5, every=every, aside=aside)
    tracked = [tracker.update(estimator, thumbnail, number / 25) for number, thumbnail in enumerate(thumbnails)]
    tracker.close()
    return tracked


def motion_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "motion" in thread.name]


@pytest.mark.parametrize("every", [1, 2])
@pytest.mark.parametrize("memory", [False, True])
def test_the_answers_are_those_of_one_after_the_other(
    tmp_path: Path, thumbnails: list[NDArray[np.float32]], every: int, *, memory: bool
) -> None:
    model = onnx_files.remembering_estimator(tmp_path / "remembering.onnx") if memory else "dcp"
    estimator = open_estimator(model, provider="cpu")
    plain, aside = (track(estimator, thumbnails, every=every, aside=aside) for aside in (False, True))
    assert [one.cut for one in plain] == [number == CUT for number in range(len(thumbnails))]
    for one, other in zip(plain, aside, strict=True):
        assert (one.cut, one.carried) == (other.cut, other.carried)
        np.testing.assert_array_equal(one.haze.transmission, other.haze.transmission)
        np.testing.assert_array_equal(one.haze.airlight, other.haze.airlight)


def test_motion_is_followed_in_a_thread_that_ends_with_the_tracker(thumbnails: list[NDArray[np.float32]]) -> None:
    tracker = HazeTracker(smoothing=0.5, aside=True)
    tracker.update(open_estimator("dcp", provider="cpu"), thumbnails[0], 0.0)
    assert len(motion_threads()) == 1
    tracker.close()
    tracker.close()
    assert motion_threads() == []


def test_a_model_that_fails_leaves_the_tracker_usable(
    thumbnails: list[NDArray[np.float32]], monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = open_estimator("dcp", provider="cpu")
    tracker = HazeTracker(smoothing=0.5, aside=True)

    def fail(_: object) -> None:
        raise ModelError("it failed")

    with monkeypatch.context() as patch:
        patch.setattr(estimator, "estimate", fail)
        with pytest.raises(ModelError, match="it failed"):
            tracker.update(estimator, thumbnails[0], 0.0)
    assert not tracker.update(estimator, thumbnails[1], 0.04).carried
    tracker.close()
