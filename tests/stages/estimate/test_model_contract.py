"""One contract, every kind of model that can be opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_files
import pytest
from onnx import TensorProto

from rtdehaze.core.errors import ModelError
from rtdehaze.core.haze import Map
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.memory import Memory
from rtdehaze.stages.estimate.models import list_models

KINDS = ["gains", "no-card", "fixed-size", "half-precision", "signed-range", "remembering", *list_models()]


@pytest.fixture(scope="module", params=KINDS)
def estimator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Estimator:
    path = tmp_path_factory.mktemp("models") / f"{request.param}.onnx"
    picture = {"image": "restored"}
    match request.param:
        case "gains":
            onnx_files.gain_estimator(path)
        case "remembering":
            onnx_files.remembering_estimator(path)
        case "no-card":
            onnx_files.affine_restorer(path)
        case "fixed-size":
            onnx_files.affine_restorer(path, shape=(1, 3, 96, 160))
        case "half-precision":
            card = onnx_files.card("restorer", picture, multiple=8)
            onnx_files.affine_restorer(path, kind=TensorProto.FLOAT16, card=card)
        case "signed-range":
            card = onnx_files.card("restorer", picture, range=[-1.0, 1.0], order="bgr")
            onnx_files.affine_restorer(path, bias=0.1, card=card)
        case shipped:
            return open_estimator(shipped, provider="cpu")
    return open_estimator(path, provider="cpu")


def hazy_scene(width: int, height: int) -> Map:
    rng = np.random.default_rng(3)
    scene = rng.uniform(0, 0.6, (3, height, width)).astype(np.float32)
    return scene * np.float32(0.4) + np.float32(0.55)


@pytest.mark.parametrize("size", [(1920, 1080), (1080, 1920), (1, 1), (2, 2), (17, 31), (8192, 32), (640, 479)])
def test_any_frame_size_gets_maps_that_fit_together(estimator: Estimator, size: tuple[int, int]) -> None:
    width, height = estimator.thumbnail_size(*size)
    haze = estimator.estimate(np.clip(hazy_scene(width, height), 0, 1))
    assert haze.transmission.ndim == 2
    assert haze.transmission.dtype == np.float32
    assert 0 < haze.transmission.min() <= haze.transmission.max() <= 1
    assert haze.airlight.shape == (3,)
    assert 0 <= haze.airlight.min() <= haze.airlight.max() <= 1
    assert 0 <= haze.density <= 1
    if haze.removal is not None:
        removal = haze.removal
        assert removal.luma.shape == removal.chroma.shape == removal.veil.shape[1:]
        assert removal.veil.shape[0] == 3
        assert min(removal.luma.min(), removal.chroma.min()) > 0
        assert np.isfinite(removal.veil).all()


def test_the_thumbnail_keeps_to_the_card(estimator: Estimator) -> None:
    spec = estimator.card.input
    width, height = estimator.thumbnail_size(1920, 1080)
    assert width % spec.multiple == height % spec.multiple == 0
    assert max(width, height) <= spec.long_side
    assert width / height == pytest.approx(16 / 9, rel=0.15)


def test_the_same_picture_gives_the_same_answer(estimator: Estimator) -> None:
    picture = np.clip(hazy_scene(*estimator.thumbnail_size(320, 192)), 0, 1)
    first, second = estimator.estimate(picture), estimator.estimate(picture)
    np.testing.assert_array_equal(first.transmission, second.transmission)
    assert first.density == second.density


def test_a_clip_with_a_memory_starts_as_single_pictures_do_and_starts_again_when_it_forgets(
    estimator: Estimator,
) -> None:
    size, memory = estimator.thumbnail_size(320, 192), Memory()
    alone = estimator.estimate(np.clip(hazy_scene(*size), 0, 1)).transmission
    for _ in range(2):
        for number in range(3):
            haze = estimator.estimate(np.clip(hazy_scene(*size), 0, 1), memory)
            assert np.array_equal(haze.transmission, alone) == (number == 0 or not estimator.card.state)
        memory.forget()


def test_clips_that_share_a_model_do_not_disturb_each_other(estimator: Estimator) -> None:
    width, height = estimator.thumbnail_size(320, 192)
    bright = np.clip(hazy_scene(width, height), 0, 1)
    clips, lone = [Memory(), Memory()], Memory()
    for _ in range(3):
        estimator.estimate(0.5 * bright, clips[0])
        together = estimator.estimate(bright, clips[1])
        np.testing.assert_array_equal(together.transmission, estimator.estimate(bright, lone).transmission)


def test_the_provider_is_named_with_a_reason(estimator: Estimator) -> None:
    assert estimator.provider == "cpu"
    assert estimator.provider_note == "CPU, as asked"


def test_small_frames_are_not_enlarged() -> None:
    cap = open_estimator("cap", provider="cpu")
    assert cap.thumbnail_size(100, 60) == (100, 60)
    assert cap.thumbnail_size(256, 144) == (256, 144)


def test_shipped_models_are_listed() -> None:
    assert {"cap", "dcp"} <= set(list_models())


def test_gains_and_bias_become_transmission_and_veil(tmp_path: Path) -> None:
    estimator = open_estimator(onnx_files.gain_estimator(tmp_path / "gains.onnx"), provider="cpu")
    haze = estimator.estimate(np.full((3, 8, 12), 0.5, np.float32))
    assert haze.removal is not None
    np.testing.assert_allclose(haze.removal.luma, 0.5)
    np.testing.assert_allclose(haze.removal.chroma, 1 / 1.5, rtol=1e-6)
    # A colour through the model's own words and through the maps: J = gain * I + bias in luma and in chroma.
    weights = np.array([0.2126, 0.7152, 0.0722])
    before, bias = np.array([0.7, 0.6, 0.5]), np.array([-0.5, -0.4, -0.3])
    veil = haze.removal.veil[:, 0, 0].astype(np.float64)
    assert (weights @ (before - veil)) / 0.5 == pytest.approx(2 * (weights @ before) + weights @ bias, abs=1e-5)
    chroma = np.eye(3) - weights
    np.testing.assert_allclose((chroma @ (before - veil)) * 1.5, 1.5 * (chroma @ before) + chroma @ bias, atol=1e-5)


def test_nonsense_in_mid_run_is_an_error_and_not_a_picture(tmp_path: Path) -> None:
    nodes = [onnx_files.node("ReduceMax", "image", "top"), onnx_files.node("Div", "image top", "restored")]
    even = open_estimator(
        onnx_files.write(tmp_path / "even.onnx", nodes, {"restored": onnx_files.OPEN}, {}), provider="cpu"
    )
    falling = open_estimator(onnx_files.gain_estimator(tmp_path / "falling.onnx", slope=-2.1), provider="cpu")
    picture = np.full((3, 64, 64), 0.5, np.float32)
    for estimator in (even, falling):
        estimator.estimate(picture)
    with pytest.raises(ModelError, match="'restored' holds NaN or infinity"):
        even.estimate(0 * picture)
    with pytest.raises(ModelError, match=r"luma_gain of a picture falls to -0\.1, but must be above 0"):
        falling.estimate(2 * picture)


def test_pictures_of_another_size_are_the_start_of_another_clip(tmp_path: Path) -> None:
    estimator = open_estimator(onnx_files.remembering_estimator(tmp_path / "m.onnx"), provider="cpu")
    memory = Memory()
    pictures = [np.full((3, side, side), 0.8, np.float32) for side in (64, 64, 32, 32, 64)]
    levels = [float(estimator.estimate(picture, memory).transmission[0, 0]) for picture in pictures]
    assert levels == pytest.approx([0.4, 0.6, 0.4, 0.6, 0.4])
