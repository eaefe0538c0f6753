from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from rtdehaze.core.haze import Map
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator
from rtdehaze.stages.estimate.models import list_models, load_model, models_folder
from rtdehaze.synth.drive import DriveFrame, FoggyDrive

CLASSICAL = ["cap", "dcp"]


@pytest.fixture(scope="module", params=CLASSICAL)
def model(request: pytest.FixtureRequest) -> Estimator:
    return open_estimator(request.param, provider="cpu")


@pytest.fixture(scope="module")
def foggy() -> DriveFrame:
    return FoggyDrive(256, 144, seed=0, median_transmission=0.35, noise=0.004, seconds=0.1).frame(0)


@pytest.fixture(scope="module")
def clear_day() -> DriveFrame:
    return FoggyDrive(256, 144, seed=0, median_transmission=1.0, seconds=0.1).frame(0)


def planes(picture: np.ndarray) -> Map:
    return np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1) / 255)


def psnr(a: Map, b: Map) -> float:
    return float(-10 * np.log10(np.mean((a - b) ** 2)))


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rebuilt")
    script = models_folder() / "build_classical.py"
    subprocess.run([sys.executable, str(script), str(folder)], check=True)
    return folder


@pytest.mark.parametrize("name", CLASSICAL)
def test_the_script_builds_what_is_shipped(rebuilt: Path, name: str) -> None:
    for ending in (".onnx", ".json"):
        assert (rebuilt / (name + ending)).read_bytes() == (models_folder() / (name + ending)).read_bytes()


def test_an_installed_package_carries_its_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "rtdehaze" / "_models"
    installed.mkdir(parents=True)
    monkeypatch.setattr("rtdehaze.__file__", str(tmp_path / "rtdehaze" / "__init__.py"))
    assert models_folder() == installed


@pytest.mark.parametrize("name", list_models())
def test_every_shipped_model_is_valid_and_its_card_complete(name: str) -> None:
    onnx.checker.check_model(str(models_folder() / f"{name}.onnx"), full_check=True)
    card = load_model(name).card
    assert card.name == name
    assert card.sha256 == hashlib.sha256((models_folder() / f"{name}.onnx").read_bytes()).hexdigest()
    assert card.summary
    assert card.source
    assert card.gate is not None
    assert card.licence != "unknown"
    assert card.scores
    assert f"`{name}`" in (models_folder() / "README.md").read_text(encoding="utf-8")


def test_the_default_is_shipped_and_leads_the_committed_comparison() -> None:
    assert DEFAULT_MODEL in list_models()
    results = Path(__file__).parents[3] / "benchmarks" / "results" / "models.json"
    figures = json.loads(results.read_text(encoding="utf-8"))["figures"]
    scores = {name: means["psnr"] for name, means in figures["outdoor"]["means"].items()}
    assert set(list_models()) < set(scores)
    assert scores[DEFAULT_MODEL] == max(scores.values())


def test_haze_is_found_where_it_is(model: Estimator, foggy: DriveFrame) -> None:
    haze = model.estimate(planes(foggy.hazy))
    assert np.abs(haze.transmission - foggy.transmission).mean() < 0.25
    assert np.corrcoef(haze.transmission.ravel(), foggy.transmission.ravel())[0, 1] > 0.8
    np.testing.assert_allclose(haze.airlight, foggy.airlight, atol=0.04)


def test_dehazing_brings_the_clear_picture_nearer(model: Estimator, foggy: DriveFrame) -> None:
    hazy, clear = planes(foggy.hazy), planes(foggy.clear)
    haze = model.estimate(hazy)
    airlight = haze.airlight[:, None, None]
    restored = np.clip((hazy - airlight) / haze.transmission + airlight, 0, 1)
    assert psnr(restored, clear) > psnr(hazy, clear) + 1.5


def test_density_opens_the_gate_in_fog_and_shuts_it_on_a_clear_day(
    model: Estimator, foggy: DriveFrame, clear_day: DriveFrame
) -> None:
    gate = model.card.gate
    assert gate is not None
    assert model.estimate(planes(foggy.hazy)).density > gate.hazy_above
    assert model.estimate(planes(clear_day.hazy)).density < gate.clear_below


def test_density_rises_with_the_haze(model: Estimator) -> None:
    densities = [
        model.estimate(planes(FoggyDrive(192, 108, seed=4, median_transmission=t, seconds=0.1).frame(0).hazy)).density
        for t in (0.8, 0.5, 0.25)
    ]
    assert densities == sorted(densities)
    assert densities[-1] > densities[0] + 0.1


def test_nothing_but_fog_stays_as_it_is(model: Estimator) -> None:
    fog = np.full((3, 144, 256), 0.75, np.float32)
    fog += np.linspace(-0.02, 0.02, 256, dtype=np.float32)
    haze = model.estimate(fog)
    airlight = haze.airlight[:, None, None]
    restored = (fog - airlight) / haze.transmission + airlight
    assert haze.transmission.min() >= 0.18 - 1e-6
    assert np.abs(restored - fog).max() < 0.15


def test_noise_moves_the_answer_little(model: Estimator, foggy: DriveFrame) -> None:
    picture = planes(foggy.hazy)
    noise = np.random.default_rng(0).normal(0, 0.004, picture.shape).astype(np.float32)
    first, second = model.estimate(picture), model.estimate(np.clip(picture + noise, 0, 1))
    assert np.abs(first.transmission - second.transmission).mean() < 0.02
    assert np.abs(first.airlight - second.airlight).max() < 0.01
    assert abs(first.density - second.density) < 0.05
