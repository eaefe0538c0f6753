"""The public `Dehazer`, picture by picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import rtdehaze
from rtdehaze.core.errors import UnknownModelError, UsageError
from rtdehaze.synth.drive import FoggyDrive

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def drive() -> FoggyDrive:
    return FoggyDrive(192, 108, seconds=0.4, median_transmission=0.35)


def error_to(truth: Picture, picture: Picture) -> float:
    return float(np.abs(truth.astype(float) - picture.astype(float)).mean())


def test_a_hazy_picture_comes_closer_to_the_clear_one(drive: FoggyDrive) -> None:
    frame = drive.frame(0)
    clear = rtdehaze.Dehazer.load(mode="manual").process(frame.hazy)
    assert clear.shape == frame.hazy.shape
    assert clear.dtype == np.uint8
    assert error_to(frame.clear, clear) < 0.9 * error_to(frame.clear, frame.hazy)


def test_rgb_and_bgr_are_the_same_picture(drive: FoggyDrive) -> None:
    hazy = drive.frame(0).hazy
    rgb = rtdehaze.Dehazer.load(mode="manual").process(hazy, order="rgb")
    bgr = rtdehaze.Dehazer.load(mode="manual").process(hazy[:, :, ::-1].copy(), order="bgr")
    # The sums run in another order, so a sample may round the other way.
    assert np.abs(rgb.astype(int) - bgr[:, :, ::-1]).max() <= 1


def test_the_picture_given_is_not_written_to(drive: FoggyDrive) -> None:
    hazy = drive.frame(0).hazy.copy()
    before = hazy.copy()
    for mode in ("off", "auto", "manual"):
        assert rtdehaze.Dehazer.load(mode=mode).process(hazy) is not hazy
    np.testing.assert_array_equal(hazy, before)


def test_haze_holds_the_last_estimate_and_reset_forgets_it(drive: FoggyDrive) -> None:
    dehazer = rtdehaze.Dehazer.load(mode="manual")
    assert dehazer.haze is None
    first = dehazer.process(drive.frame(0).hazy)
    haze = dehazer.haze
    assert haze is not None
    assert haze.transmission.ndim == 2
    assert haze.airlight.shape == (3,)
    assert 0.0 <= haze.density <= 1.0
    for number in range(1, 6):
        dehazer.process(drive.frame(number).hazy)
    dehazer.reset()
    assert dehazer.haze is None
    np.testing.assert_array_equal(dehazer.process(drive.frame(0).hazy), first)


@pytest.mark.parametrize("seed", range(4))
def test_a_clear_picture_comes_out_as_it_went_in(seed: int) -> None:
    clear = FoggyDrive(480, 270, seconds=0.1, median_transmission=1.0, seed=seed).frame(0).hazy
    np.testing.assert_array_equal(rtdehaze.Dehazer.load().process(clear), clear)


def test_mode_off_needs_no_model_and_changes_nothing(drive: FoggyDrive) -> None:
    dehazer = rtdehaze.Dehazer.load("no such model", mode="off")
    hazy = drive.frame(0).hazy
    np.testing.assert_array_equal(dehazer.process(hazy), hazy)
    assert dehazer.haze is None


@pytest.mark.parametrize(
    ("picture", "says"),
    [
        (np.zeros((4, 4), np.uint8), "4 x 4"),
        (np.zeros((4, 4, 4), np.uint8), "4 x 4 x 4"),
        (np.zeros((0, 4, 3), np.uint8), "0 x 4 x 3"),
        (np.zeros((4, 4, 3), np.float32), "float32"),
        ([[1, 2, 3]], "list"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_shape_or_type(picture: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        rtdehaze.Dehazer.load(mode="off").process(picture)


def test_wrong_words_are_refused() -> None:
    with pytest.raises(UsageError, match="abacus"):
        rtdehaze.Dehazer.load(provider="abacus")
    with pytest.raises(UsageError, match="perhaps"):
        rtdehaze.Dehazer.load(mode="perhaps")
    with pytest.raises(UnknownModelError, match="nonesuch"):
        rtdehaze.Dehazer.load("nonesuch")
    with pytest.raises(UsageError, match="grb"):
        rtdehaze.Dehazer.load(mode="off").process(np.zeros((4, 4, 3), np.uint8), order="grb")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="strength"):
        rtdehaze.Dehazer.load(strength=101)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (17, 31), (1024, 8)])
def test_pictures_of_any_size_are_taken(size: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert rtdehaze.Dehazer.load(mode="manual").process(picture).shape == (*size, 3)
