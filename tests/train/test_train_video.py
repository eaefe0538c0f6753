"""Networks with a memory: unrolled, trained on clips, exported, run."""

from __future__ import annotations

import csv
import dataclasses
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from rtdehaze.core.card import State, read_card
from rtdehaze.core.errors import ModelError, UsageError
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.estimate.memory import Memory
from rtdehaze.train.checkpoint import load_estimator, save_weights
from rtdehaze.train.clip_config import ClipConfig
from rtdehaze.train.config import Config, HazeConfig, LossConfig, OptimConfig, StageConfig
from rtdehaze.train.data import Batch, Motion
from rtdehaze.train.export import About, agreement, export
from rtdehaze.train.loop import CHECKPOINT, Trainer
from rtdehaze.train.networks import Estimate, Estimator, build
from rtdehaze.train.scenes import Scene, read_pack
from rtdehaze.train.video import ClipTrainer, steadiness, trainer_for

CONFIG = Config(
    network="tiny-video",
    steps=100,
    threads=1,
    validate_steps=0,
    haze=HazeConfig(median=(0.2, 0.6), clear_share=0.0),
    fog_share=0.0,
    clips=ClipConfig(frames=4, cut_share=0.3),
    loss=LossConfig(steady=1.0),
    optim=OptimConfig(rate=1e-2, average=0.9),
    stages=(StageConfig(1.0, 2, ((32, 48),)),),
)
ABOUT = About("tiny-video", "For the test.", "Apache-2.0", "boxes")


@pytest.fixture(scope="module")
def scenes(pack: Path) -> list[Scene]:
    return list(read_pack(pack))


@pytest.fixture(scope="module")
def trained(scenes: list[Scene], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    ClipTrainer(CONFIG, scenes, out).run()
    return out


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose memory says much, as exported; its weights beside it."""
    path = tmp_path_factory.mktemp("model") / "tiny-video.onnx"
    save_weights(path.with_suffix(".safetensors"), "tiny-video", speaking())
    export(path.with_suffix(".safetensors"), "tiny-video", path, ABOUT)
    return path


def pictures(count: int, height: int = 48, width: int = 64) -> torch.Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(1))


def weights(model: Estimator) -> dict[str, torch.Tensor]:
    return {key: value for key, value in model.state_dict().items() if "num_batches" not in key}


@torch.no_grad()
def speaking() -> Estimator:
    """A network whose memory has something to say."""
    torch.manual_seed(0)
    model = build("tiny-video").eval()
    assert model.memory is not None
    model.memory.tell.weight.normal_()
    return model


@torch.no_grad()
def test_a_started_network_answers_like_the_one_it_was_started_from(scenes: list[Scene], tmp_path: Path) -> None:
    before = build("tiny").eval()
    for value in before.parameters():
        value.add_(0.05 * torch.randn(value.shape, generator=torch.Generator().manual_seed(3)))
    save_weights(tmp_path / "tiny.safetensors", "tiny", before)
    model = ClipTrainer(CONFIG, scenes, tmp_path / "run", start=tmp_path / "tiny.safetensors").average
    state = None
    for picture in pictures(3).split(1):
        expected, (said, state) = before(picture), model.advance(picture, state)
        for one, other in zip(expected, said, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_network_without_the_weights_of_a_memory_is_started_but_not_used(tmp_path: Path) -> None:
    save_weights(tmp_path / "tiny.safetensors", "tiny", build("tiny"))
    with pytest.raises(ModelError, match="is of network 'tiny', not 'tiny-video'"):
        load_estimator(tmp_path / "tiny.safetensors", "tiny-video")


@torch.no_grad()
def test_whole_clips_give_what_frame_by_frame_gives_and_a_fresh_scene_knows_nothing() -> None:
    model, frames = speaking(), pictures(6)
    fresh = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 1.0]])
    unrolled = model.unroll(frames, fresh)
    state, answers = None, []
    for picture, new in zip(frames.split(1), fresh.flatten(), strict=True):
        said, state = model.advance(picture, None if new else state)
        answers.append(said)
    for number, said in enumerate(answers):
        for whole, part in zip(unrolled, said, strict=True):
            torch.testing.assert_close(whole[number : number + 1], part)
    alone = model(frames)
    same = [torch.allclose(unrolled.transmission[i], alone.transmission[i], atol=1e-6) for i in range(6)]
    assert same == [True, False, False, True, False, True]


def moving_batch(flicker: float) -> tuple[Batch, Estimate]:
    """A surface of uneven transmission that moves right by two samples of the map a frame; said with an error."""
    wide = torch.rand(1, 1, 8, 24, generator=torch.Generator().manual_seed(2)) * 0.4 + 0.4
    error = torch.rand(1, 1, 8, 24, generator=torch.Generator().manual_seed(4)) * 0.2 + 0.9
    frames = [slice(8 - 2 * i, 20 - 2 * i) for i in range(3)]
    truth = torch.cat([wide[..., frame] for frame in frames])
    wrong = (
        torch.cat([error[..., frame] for frame in frames])
        * (1 + flicker * torch.tensor([0.0, 1, 0]))[:, None, None, None]
    )
    airlight = torch.full((3, 3), 0.8)
    said = truth * wrong
    veil = airlight[:, :, None, None] * (1 - truth)
    estimate = Estimate(said, airlight, torch.zeros(3), said, said, veil, torch.zeros(3))
    flow = torch.zeros(1, 3, 8, 12, 2)
    flow[..., 0] = -2.0
    valid = torch.ones(1, 3, 8, 12, dtype=torch.bool)
    valid[..., :2] = False
    fine = torch.nn.functional.interpolate(truth, scale_factor=2)
    picture = torch.zeros(3, 3, 16, 24)
    known = torch.ones(3)
    motion = Motion(torch.tensor([[1.0, 0, 0]]), flow, valid)
    return Batch(picture, picture, fine, airlight, known, known, motion), estimate


def test_an_error_that_moves_with_its_surface_is_steady_and_one_that_flickers_is_not() -> None:
    assert float(steadiness(*moving_batch(0.0))) < 1e-5
    assert float(steadiness(*moving_batch(0.1))) > 0.02


@pytest.mark.slow
def test_the_loss_of_clips_falls(trained: Path) -> None:
    with (trained / "curves.csv").open(newline="") as file:
        curves = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    assert [row["step"] for row in curves] == [50, 100]
    first, last = (sum(row[name] * getattr(CONFIG.loss, name) for name in ClipTrainer.terms) for row in curves)
    assert last < first - 0.05
    assert curves[-1]["steady"] < curves[0]["steady"]


@pytest.mark.slow
def test_training_gives_the_memory_something_to_say(trained: Path) -> None:
    model, frames = load_estimator(trained / CHECKPOINT, "tiny-video"), pictures(2)
    with torch.no_grad():
        remembered = model.unroll(frames, torch.tensor([[1.0, 0.0]])).transmission[1]
        assert float((remembered - model(frames).transmission[1]).abs().max()) > 1e-4


@pytest.mark.slow
def test_an_interrupted_run_on_clips_ends_with_the_numbers_of_an_uninterrupted_one(
    scenes: list[Scene], tmp_path: Path
) -> None:
    config = dataclasses.replace(CONFIG, steps=6)
    ClipTrainer(config, scenes, tmp_path / "whole").run()
    ClipTrainer(config, scenes, tmp_path / "parts").run(steps=2)
    assert ClipTrainer(config, scenes, tmp_path / "parts").run().step == 6
    whole, parts = (weights(load_estimator(tmp_path / name / CHECKPOINT, "tiny-video")) for name in ("whole", "parts"))
    for key, value in whole.items():
        torch.testing.assert_close(value, parts[key], rtol=0, atol=0, msg=key)


def test_frozen_levels_stay_as_they_were_started(scenes: list[Scene], tmp_path: Path) -> None:
    save_weights(tmp_path / "start.safetensors", "tiny", build("tiny"))
    config = dataclasses.replace(CONFIG, steps=2, clips=dataclasses.replace(CONFIG.clips, frozen=3))
    trainer = ClipTrainer(config, scenes, tmp_path / "run", start=tmp_path / "start.safetensors")
    before = {key: value.clone() for key, value in weights(trainer.model).items()}
    trainer.run()
    assert trainer.progress.step == 2
    moved = {key.split(".")[0] for key, value in weights(trainer.model).items() if not torch.equal(value, before[key])}
    assert {"stem", "hint"}.isdisjoint(moved)
    assert {"memory", "up", "maps"} <= moved
    assert Trainer is not ClipTrainer is trainer_for(config)


def test_a_network_without_a_memory_learns_from_clips_and_a_restorer_does_not(
    scenes: list[Scene], tmp_path: Path
) -> None:
    trainer = ClipTrainer(dataclasses.replace(CONFIG, network="tiny", steps=2), scenes, tmp_path / "tiny")
    assert trainer.run().step == 2
    with pytest.raises(UsageError, match="network 'aod' does not learn from clips"):
        ClipTrainer(dataclasses.replace(CONFIG, network="aod"), scenes, tmp_path / "aod")
    assert not (tmp_path / "aod").exists()


def test_the_export_agrees_with_pytorch_over_a_clip(exported: Path) -> None:
    session = onnxruntime.InferenceSession(str(exported), providers=["CPUExecutionProvider"])
    model = load_estimator(exported.with_suffix(".safetensors"), "tiny-video")
    assert agreement(model, lambda picture, state: session.run(None, {"image": picture, "before": state})) < 1e-4
    assert read_card(exported.with_suffix(".json")).state == (State("before", "after", channels=4, stride=16),)
    stuck = agreement(model, lambda picture, state: session.run(None, {"image": picture, "before": 0 * state}))
    assert stuck > 1e-3


def test_the_runtime_remembers_as_training_did(exported: Path) -> None:
    model, estimator = speaking(), open_estimator(exported, provider="cpu")
    frames, memory = pictures(4), Memory()
    with torch.no_grad():
        expected = model.unroll(frames, torch.tensor([[1.0, 0.0, 0.0, 1.0]])).transmission[:, 0].numpy()
    for number, picture in enumerate(frames.numpy()):
        if number == 3:
            memory.forget()
        np.testing.assert_allclose(estimator.estimate(picture, memory).transmission, expected[number], atol=1e-4)
    np.testing.assert_allclose(estimator.estimate(frames[3].numpy()).transmission, expected[3], atol=1e-4)
