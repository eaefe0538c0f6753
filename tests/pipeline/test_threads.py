from __future__ import annotations

import cv2
import pytest

from rtdehaze.pipeline.threads import opencv_threads, plan_live_threads, plan_threads


@pytest.mark.parametrize("cores", [1, 2, 4, 8, 64])
def test_every_part_has_a_thread_and_live_runs_use_no_more_than_there_are_cores(cores: int) -> None:
    for plan in (plan_threads(cores), plan_live_threads(cores)):
        assert min(plan.decode, plan.inference, plan.recompose, plan.encode) >= 1
    live = plan_live_threads(cores)
    assert max(live.decode, live.inference, live.recompose, live.encode) <= cores


def test_the_process_gets_its_opencv_threads_back() -> None:
    before = cv2.getNumThreads()
    with opencv_threads(1):
        assert cv2.getNumThreads() == 1
    assert cv2.getNumThreads() == before
