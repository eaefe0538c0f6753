"""What may be changed about dehazing while it goes on."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rtdehaze.apps.drive import drive_frames
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import Frame
from rtdehaze.core.options import Mode
from rtdehaze.pipeline.choices import Glide
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return open_estimator("dcp", provider="cpu")


@pytest.fixture(scope="module")
def clip() -> list[Frame]:
    return drive_frames(width=160, height=96, count=40)


def strengths(dehazer: Dehazer, clip: list[Frame]) -> NDArray[np.float64]:
    """How much light is added to each frame's veil, on average: 0 where the frame passes as it is."""
    veils = []
    for frame in clip:
        removal = dehazer.decide(frame).removal
        veils.append(0.0 if removal is None else float(removal.veil.mean()))
    return np.array(veils)


def test_a_changed_strength_is_reached_within_half_a_second_and_without_a_jump(
    estimator: Estimator, clip: list[Frame]
) -> None:
    dehazer = Dehazer(estimator, mode=Mode.MANUAL)
    before = strengths(dehazer, clip[:15])
    dehazer.change(strength=20.0)
    after = strengths(dehazer, clip[15:])
    steps = np.abs(np.diff(np.concatenate([before[-1:], after])))
    assert after[-1] < 0.5 * before[-1]
    assert steps.max() < 0.2 * (before[-1] - after[-1])
    settled = strengths(Dehazer(estimator, mode=Mode.MANUAL, strength=20.0), clip)
    assert after[-5:] == pytest.approx(settled[-5:], rel=0.02)


def test_off_and_back_on_leaves_frames_untouched_between(estimator: Estimator, clip: list[Frame]) -> None:
    dehazer = Dehazer(estimator, mode=Mode.MANUAL)
    strengths(dehazer, clip[:5])
    dehazer.change(mode="off")
    off = strengths(dehazer, clip[5:25])
    assert off[-1] == 0.0
    assert dehazer.haze is not None
    dehazer.change(mode="manual")
    assert strengths(dehazer, clip[25:])[-1] > 0.0


def test_a_changed_smoothing_keeps_the_scene(estimator: Estimator, clip: list[Frame]) -> None:
    dehazer = Dehazer(estimator, mode=Mode.MANUAL, smoothing=0.2)
    strengths(dehazer, clip[:20])
    dehazer.change(smoothing=0.9)
    kept = dehazer.decide(clip[20]).haze
    afresh = Dehazer(estimator, mode=Mode.MANUAL, smoothing=0.9).decide(clip[20]).haze
    steady = Dehazer(estimator, mode=Mode.MANUAL, smoothing=0.2)
    strengths(steady, clip[:20])
    unchanged = steady.decide(clip[20]).haze
    assert kept is not None
    assert afresh is not None
    assert unchanged is not None
    far = np.abs(kept.transmission - afresh.transmission).mean()
    assert np.abs(kept.transmission - unchanged.transmission).mean() < 0.5 * far


def test_every_may_change_at_any_frame_and_decisions_say_what_was_carried(
    estimator: Estimator, clip: list[Frame]
) -> None:
    dehazer = Dehazer(estimator, mode=Mode.MANUAL)
    assert not any(dehazer.decide(frame).carried for frame in clip[:6])
    dehazer.every = 3
    assert [dehazer.decide(frame).carried for frame in clip[6:12]] == [True, True, False] * 2
    dehazer.every = 1
    assert not any(dehazer.decide(frame).carried for frame in clip[12:16])


def test_after_a_reset_the_next_frame_is_taken_as_the_first(estimator: Estimator, clip: list[Frame]) -> None:
    dehazer = Dehazer(estimator, mode=Mode.MANUAL, every=4)
    strengths(dehazer, clip[:7])
    dehazer.reset()
    first, fresh = dehazer.decide(clip[7]), Dehazer(estimator, mode=Mode.MANUAL).decide(clip[7])
    assert not first.carried
    assert first.haze is not None
    assert fresh.haze is not None
    np.testing.assert_array_equal(first.haze.transmission, fresh.haze.transmission)


def test_brightness_is_that_of_the_picture(estimator: Estimator, clip: list[Frame]) -> None:
    dehazer = Dehazer(estimator)
    bright = dehazer.decide(clip[0]).brightness
    assert bright is not None
    luma = clip[0].planes[0].samples
    assert bright == pytest.approx((float(luma.mean()) - 16) / 219, abs=0.05)


def test_what_cannot_be_is_refused_and_changes_nothing(estimator: Estimator, clip: list[Frame]) -> None:
    with pytest.raises(UsageError, match="needs a model"):
        Dehazer(None, mode=Mode.OFF).change(mode="auto")
    dehazer = Dehazer(estimator, mode=Mode.MANUAL)
    for wrong in ({"strength": 101.0}, {"smoothing": -1.0}, {"mode": "perhaps"}):
        with pytest.raises(UsageError):
            dehazer.change(**wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="every"):
        dehazer.every = 0
    untouched = Dehazer(estimator, mode=Mode.MANUAL)
    np.testing.assert_array_equal(strengths(dehazer, clip[:3]), strengths(untouched, clip[:3]))


def test_a_glide_is_even_and_ends() -> None:
    glide = Glide(1.0)
    assert glide.towards(0.8, 0.0) == 0.8
    glide.begin(1.0)
    assert [round(glide.towards(0.0, time), 3) for time in (1.0, 1.25, 1.5, 1.75, 2.0)] == [0.8, 0.6, 0.4, 0.2, 0.0]
    assert glide.towards(1.0, 2.1) == 1.0
