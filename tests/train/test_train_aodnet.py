from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from rtdehaze.core.card import Kind, read_card
from rtdehaze.core.errors import ModelError
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.checkpoint import load_any, load_estimator
from rtdehaze.train.config import Config, HazeConfig, OptimConfig, StageConfig
from rtdehaze.train.export import About, export
from rtdehaze.train.loop import CHECKPOINT, Trainer
from rtdehaze.train.scenes import read_pack
from rtdehaze.train.validate import read_validation

CONFIG = Config(
    network="aod",
    steps=100,
    threads=1,
    validate_steps=50,
    haze=HazeConfig(median=(0.3, 0.6), steep_share=0.0, exposed_share=0.0, shade_share=0.0, grey_share=0.0),
    fog_share=0.0,
    optim=OptimConfig(rate=1e-2, average=0.9),
    stages=(StageConfig(1.0, 4, ((32, 48),)),),
)


@pytest.fixture(scope="module")
def trained(pack: Path, validation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("aod")
    Trainer(CONFIG, read_pack(pack), out, validation=read_validation(validation)).run()
    return out / CHECKPOINT


def test_it_has_the_parameters_of_the_paper() -> None:
    assert sum(value.numel() for value in AODNet().parameters()) == 1761


def test_it_starts_near_the_untouched_picture() -> None:
    picture = torch.rand(1, 3, 24, 32)
    with torch.no_grad():
        assert (AODNet()(picture) - picture).abs().mean() < 0.05


def test_the_loop_trains_it_to_restore_better_than_leaving_alone(trained: Path) -> None:
    with (trained.parent / "scores.csv").open(newline="") as file:
        last = list(csv.DictReader(file))[-1]
    assert float(last["psnr"]) > float(last["untouched"]) + 1.0
    assert last["transmission"] == "nan"


def test_its_export_is_a_restorer_that_the_runtime_turns_into_maps(trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "aod.onnx"
    export(trained, "aod", target, About("aod", "For the test.", "Apache-2.0", "boxes"))
    card = read_card(target.with_suffix(".json"))
    assert card.kind is Kind.RESTORER
    assert card.gate is None
    picture = np.random.default_rng(1).random((1, 3, 40, 56), dtype=np.float32)
    with torch.inference_mode():
        expected = load_any(trained, "aod")(torch.from_numpy(picture)).numpy()
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"image": picture})[0], expected, atol=1e-4)
    haze = open_estimator(target, provider="cpu").estimate(picture[0])
    assert haze.removal is not None
    assert haze.removal.luma.shape == (40, 56)


def test_what_needs_an_estimator_refuses_it(trained: Path) -> None:
    with pytest.raises(ModelError, match="is of a restorer"):
        load_estimator(trained, "aod")
