"""A model with a memory within the dehazer: carried from picture to picture, dropped with the scene."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from rtdehaze.core.options import Mode
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.synth.drive import FoggyDrive
from tests.stages.estimate import onnx_files

CUT = 5


@pytest.fixture(scope="module")
def estimator(tmp_path_factory: pytest.TempPathFactory) -> Estimator:
    folder = tmp_path_factory.mktemp("model")
    return open_estimator(onnx_files.remembering_estimator(folder / "remembering.onnx"), provider="cpu")


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    drive = FoggyDrive(192, 112, seconds=0.4, median_transmission=0.5, cut_at=CUT / 25)
    assert drive.cut == CUT
    return [frame.hazy for frame in drive]


def last_map(dehazer: Dehazer, pictures: list[NDArray[np.uint8]], start: float = 0.0) -> NDArray[np.float32]:
    for number, picture in enumerate(pictures):
        dehazer.process(picture, time=start + number / 25)
    assert dehazer.haze is not None
    return dehazer.haze.transmission


@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_what_is_remembered_ends_at_a_cut(
    estimator: Estimator, pictures: list[NDArray[np.uint8]], smoothing: float
) -> None:
    across = last_map(Dehazer(estimator, smoothing=smoothing), pictures[: CUT + 1])
    afresh = last_map(Dehazer(estimator, smoothing=smoothing), pictures[CUT : CUT + 1])
    np.testing.assert_allclose(across, afresh, atol=1e-6)


@pytest.mark.parametrize(("smoothing", "estimated"), [(0.5, 5), (0.0, 10)])
def test_every_second_picture_is_estimated_the_first_after_a_cut_included(
    smoothing: float, estimated: int, pictures: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    estimator = open_estimator("dcp", provider="cpu")
    estimate, seen = estimator.estimate, []
    monkeypatch.setattr(estimator, "estimate", lambda *given: (seen.append(number), estimate(*given))[1])
    dehazer = Dehazer(estimator, mode=Mode.MANUAL, smoothing=smoothing, every=2)
    for number, picture in enumerate(pictures):
        dehazer.process(picture, time=number / 25)
    assert len(pictures) == 2 * CUT
    assert CUT in seen
    assert len(seen) == estimated + (smoothing > 0)


def test_what_is_moved_along_is_close_to_what_is_estimated(pictures: list[NDArray[np.uint8]]) -> None:
    results = []
    for every in (1, 2):
        dehazer = Dehazer(open_estimator("dcp", provider="cpu"), mode=Mode.MANUAL, every=every)
        results.append([dehazer.process(picture, time=number / 25) for number, picture in enumerate(pictures)])
    each, second = (np.stack(result[:CUT]).astype(np.float32) for result in results)
    assert np.abs(each - second)[1].max() > 0
    untouched = np.abs(each - np.stack(pictures[:CUT])).mean()
    assert np.abs(each - second).mean() < 0.05 * untouched


def test_within_a_scene_it_is_carried_along(estimator: Estimator, pictures: list[NDArray[np.uint8]]) -> None:
    levels = [float(last_map(Dehazer(estimator, smoothing=0.0), pictures[:count]).mean()) for count in (1, 2, 3)]
    assert levels[0] < levels[1] - 0.1 < levels[2] - 0.1


def test_a_seek_another_size_and_a_reset_start_afresh(estimator: Estimator, pictures: list[NDArray[np.uint8]]) -> None:
    first = last_map(Dehazer(estimator, smoothing=0.0), pictures[:1])
    dehazer = Dehazer(estimator, smoothing=0.0)
    last_map(dehazer, pictures[:3])
    np.testing.assert_array_equal(last_map(dehazer, pictures[:1], start=60.0), first)
    last_map(dehazer, [picture[:64, :96] for picture in pictures[:2]], start=61.0)
    np.testing.assert_array_equal(last_map(dehazer, pictures[:1], start=61.1), first)
    dehazer.reset()
    np.testing.assert_array_equal(last_map(dehazer, pictures[:1]), first)
