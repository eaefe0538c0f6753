"""One dehazer over connections of different makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from rtdehaze.core.colour import Colour, ColourTags
from rtdehaze.core.errors import UsageError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame
from rtdehaze.core.options import Mode, Options
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.live.dehazing import SteadyDehazer
from rtdehaze.stages.encode.null import NullSink
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from tests.pipeline.live.fakes import frame, joined


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return open_estimator("dcp", provider="cpu")


def hazy(width: int, height: int, *, name: str = "yuv420p") -> Frame:
    """Noise of low contrast, which dehazing changes everywhere."""
    made = frame(0, width=width, height=height, name=name)
    noise = np.random.default_rng(0)
    for plane in made.planes[:1]:
        plane.samples[:] = noise.integers(150, 200, plane.samples.shape)
    return made


def untouched(steady: SteadyDehazer, shown: Frame) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Where the picture comes out as it went in."""
    out = NullSink(joined(shown).video).allocate(shown)
    steady.apply(shown, steady.decide(shown), out)
    same: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = shown.planes[0].samples == out.planes[0].samples
    return same


def steady_dehazer(estimator: Estimator, options: Options) -> SteadyDehazer:
    return SteadyDehazer(Dehazer(estimator, mode=Mode.MANUAL), options)


def test_a_box_that_is_kept_is_kept_in_proportion_when_the_camera_comes_back_larger(
    estimator: Estimator, caplog: pytest.LogCaptureFixture
) -> None:
    steady = steady_dehazer(estimator, Options(keep_boxes=((16, 8, 32, 16),)))
    small, large = hazy(160, 96), hazy(320, 192)
    steady.begin(joined(small).video)
    assert untouched(steady, small)[8:24, 16:48].all()
    assert not caplog.records
    steady.reset()
    steady.begin(joined(large, reconnects=1).video)
    same = untouched(steady, large)
    assert same[16:48, 32:96].all()
    assert same[100:].mean() < 0.5
    assert caplog.text.count("stretched") == 1


def test_for_a_picture_of_another_shape_nothing_is_kept_and_that_is_said(
    estimator: Estimator, caplog: pytest.LogCaptureFixture
) -> None:
    steady = steady_dehazer(estimator, Options(keep_boxes=((16, 8, 32, 16),)))
    steady.begin(joined(hazy(160, 96)).video)
    other = hazy(128, 96)
    steady.begin(joined(other, reconnects=1).video)
    assert untouched(steady, other).mean() < 0.5
    assert "nothing is kept" in caplog.text


def test_a_mask_that_does_not_fit_the_first_picture_is_refused(estimator: Estimator, tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), np.zeros((10, 10), np.uint8))
    with pytest.raises(UsageError, match="sizes must agree"):
        steady_dehazer(estimator, Options(mask=path)).begin(joined(hazy(160, 96)).video)


def test_hdr_video_that_was_let_through_is_left_as_it_is_and_what_follows_is_not(estimator: Estimator) -> None:
    steady = steady_dehazer(estimator, Options())
    shown = hazy(160, 96)
    plain = joined(shown).video
    steady.begin(replace(plain, colour=Colour(tags=ColourTags(transfer=16))))
    assert untouched(steady, shown).all()
    steady.begin(plain)
    assert untouched(steady, shown).mean() < 0.5


@pytest.mark.parametrize("name", PIXEL_FORMATS)
def test_warming_up_works_for_every_format_and_leaves_no_trace(estimator: Estimator, name: str) -> None:
    dehazer = Dehazer(estimator, mode=Mode.MANUAL)
    steady = SteadyDehazer(dehazer, Options())
    steady.warm_up()
    steady.begin(replace(joined(hazy(160, 96)).video, format=PIXEL_FORMATS[name]))
    assert dehazer.haze is None
