from __future__ import annotations

import csv
import dataclasses
import json
import logging
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from rtdehaze.core.card import read_card
from rtdehaze.core.errors import ModelError, SinkError
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.train import checkpoint
from rtdehaze.train.checkpoint import load_estimator, load_weights, save_weights
from rtdehaze.train.config import Config, HazeConfig, OptimConfig, StageConfig
from rtdehaze.train.data import Batch, Samples, batches, stage_at
from rtdehaze.train.export import About, agreement, export
from rtdehaze.train.loop import CHECKPOINT, Trainer, learning_rate
from rtdehaze.train.networks import Size, build
from rtdehaze.train.scenes import Scene, read_pack
from rtdehaze.train.validate import read_validation, restore, score, thumbnail_size

TINY = Config(
    network="tiny",
    steps=60,
    threads=1,
    validate_steps=0,
    haze=HazeConfig(median=(0.2, 0.6)),
    fog_share=0.0,
    optim=OptimConfig(rate=1e-2, average=0.9),
    stages=(StageConfig(0.5, 4, ((32, 48), (48, 32))), StageConfig(0.5, 2, ((48, 64),))),
)


@pytest.fixture(scope="module")
def scenes(pack: Path) -> list[Scene]:
    return read_pack(pack)


@pytest.fixture(scope="module")
def trained(scenes: list[Scene], validation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished tiny run."""
    out = tmp_path_factory.mktemp("run")
    config = dataclasses.replace(TINY, steps=150, validate_steps=75)
    Trainer(config, scenes, out, validation=read_validation(validation)).run()
    return out


def rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def weights(path: Path) -> dict[str, torch.Tensor]:
    return checkpoint._read(path, "tiny")[1]


def test_the_loss_falls_and_the_curves_say_so(trained: Path) -> None:
    curves = rows(trained / "curves.csv")
    assert [row["step"] for row in curves] == [50, 100, 150]
    assert curves[-1]["picture"] < curves[0]["picture"]
    assert curves[-1]["rate"] < curves[0]["rate"]


def test_a_trained_network_restores_better_than_leaving_alone(trained: Path) -> None:
    scores = rows(trained / "scores.csv")
    assert [row["step"] for row in scores] == [75, 150]
    assert scores[-1]["psnr"] > scores[-1]["untouched"] + 1.0
    assert 0.0 < scores[-1]["transmission"] < 0.4


def test_an_interrupted_run_ends_with_the_numbers_of_an_uninterrupted_one(scenes: list[Scene], tmp_path: Path) -> None:
    config = dataclasses.replace(TINY, steps=12)
    Trainer(config, scenes, tmp_path / "whole").run()
    Trainer(config, scenes, tmp_path / "parts").run(steps=5)
    assert Trainer(config, scenes, tmp_path / "parts").run().step == 12
    whole, parts = (weights(tmp_path / name / CHECKPOINT) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    for key, value in whole.items():
        torch.testing.assert_close(value, parts[key], rtol=0, atol=0, msg=key)


def test_workers_make_the_same_batches(scenes: list[Scene]) -> None:
    def taken(workers: int) -> list[torch.Tensor]:
        config = dataclasses.replace(TINY, steps=3, data=dataclasses.replace(TINY.data, workers=workers))
        return [batch.hazy for batch in batches(Samples(scenes, config), 1, lambda step: step / 3)]

    alone, helped = taken(0), taken(2)
    assert len(alone) == 2
    for one, other in zip(alone, helped, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_minutes_end_the_schedule_and_a_pause_is_not_counted(
    scenes: list[Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(dataclasses.replace(TINY, steps=10_000), scenes, tmp_path, minutes=1.0)
    clock = iter(range(0, 10**9, 3600))  # every step seems to take an hour: a paused process
    monkeypatch.setattr(trainer, "_clock", lambda: float(next(clock)))
    assert trainer.run().step == 6
    assert trainer.completed == 1.0


def test_the_rate_warms_up_and_falls_to_its_last_value() -> None:
    rates = [learning_rate(TINY, done) for done in np.linspace(0.0, 1.0, 101)]
    assert max(rates) == pytest.approx(TINY.optim.rate, rel=1e-3)
    assert rates[0] < rates[1] < rates[2]
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] == pytest.approx(TINY.optim.last)


def test_stages_take_their_shares() -> None:
    assert [stage_at(TINY, done).batch for done in (0.0, 0.49, 0.51, 1.0)] == [4, 4, 2, 2]


def test_the_export_answers_as_pytorch_does(trained: Path, tmp_path: Path) -> None:
    target = tmp_path / "tiny.onnx"
    export(trained / CHECKPOINT, "tiny", target, About("tiny", "For the test.", "Apache-2.0", "boxes"))
    model = build("tiny").eval()
    load_weights(trained / CHECKPOINT, "tiny", model)
    session = onnxruntime.InferenceSession(str(target), providers=["CPUExecutionProvider"])
    assert agreement(model, lambda picture: session.run(None, {"image": picture})) < 1e-4
    assert read_card(target.with_suffix(".json")).sha256


def test_the_runtime_opens_the_export_and_removes_what_training_removed(
    trained: Path, validation: Path, tmp_path: Path
) -> None:
    target = tmp_path / "tiny.onnx"
    export(trained / CHECKPOINT, "tiny", target, About("tiny", "For the test.", "Apache-2.0", "boxes"))
    model = build("tiny").eval()
    load_weights(trained / CHECKPOINT, "tiny", model)
    pair = read_validation(validation)[0]
    estimator = open_estimator(target, provider="cpu")
    height, width = pair.hazy.shape[:2]
    assert estimator.thumbnail_size(width, height) == thumbnail_size(height, width)[::-1]
    from rtdehaze.stages.estimate.thumbnail import thumbnail_of_rgb

    haze = estimator.estimate(thumbnail_of_rgb(pair.hazy, "rgb", *estimator.thumbnail_size(width, height)))
    _, said = restore(model, pair.hazy)
    assert haze.removal is not None
    # The trainer's thumbnail is of whole levels, the runtime's is not: half a level apart.
    np.testing.assert_allclose(haze.transmission, said.transmission[0, 0].numpy(), atol=5e-3)
    np.testing.assert_allclose(haze.removal.luma, said.luma[0, 0].numpy(), atol=5e-3)
    np.testing.assert_allclose(haze.removal.chroma, said.chroma[0, 0].numpy(), atol=5e-3)
    np.testing.assert_allclose(haze.removal.veil, said.veil[0].numpy(), atol=5e-3)


def test_scores_of_the_untouched_pair_are_known(validation: Path) -> None:
    model = build("tiny").eval()
    scores = score(model, read_validation(validation))
    assert scores.untouched < 20.0
    assert scores.airlight < 0.6


def test_a_checkpoint_of_another_network_is_refused(trained: Path, scenes: list[Scene]) -> None:
    with pytest.raises(ModelError, match="of network 'tiny', not 'fast'"):
        Trainer(dataclasses.replace(TINY, network="fast"), scenes, trained)


def test_weights_alone_start_a_run_but_do_not_resume_one(trained: Path, scenes: list[Scene], tmp_path: Path) -> None:
    model = build("tiny").eval()
    load_weights(trained / CHECKPOINT, "tiny", model)
    save_weights(tmp_path / "kept.safetensors", "tiny", model)
    started = Trainer(TINY, scenes, tmp_path / "new", start=tmp_path / "kept.safetensors")
    assert started.progress.step == 0
    for key, value in model.state_dict().items():
        torch.testing.assert_close(started.average.state_dict()[key], value, rtol=0, atol=0, msg=key)
    (tmp_path / "kept.safetensors").rename(tmp_path / CHECKPOINT)
    with pytest.raises(ModelError, match="weights alone"):
        Trainer(TINY, scenes, tmp_path)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"no weights")
    with pytest.raises(ModelError, match="cannot be read"):
        load_weights(tmp_path / CHECKPOINT, "tiny", build("tiny"))


def test_a_full_disk_is_one_line_and_keeps_the_last_checkpoint(
    scenes: list[Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(dataclasses.replace(TINY, steps=4), scenes, tmp_path)
    trainer.run(steps=1)
    before = (tmp_path / CHECKPOINT).read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(SinkError, match="No space left"):
        trainer.run(steps=1)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_ctrl_c_saves_what_was_done(scenes: list[Scene], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(TINY, scenes, tmp_path)
    step = trainer.step

    def interrupted(batch: Batch) -> list[torch.Tensor]:
        if trainer.progress.step == 3:
            raise KeyboardInterrupt
        return step(batch)

    monkeypatch.setattr(trainer, "step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    assert Trainer(TINY, scenes, tmp_path).progress.step == 3


def test_progress_is_logged_with_the_time_to_go(
    scenes: list[Scene], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        Trainer(dataclasses.replace(TINY, steps=50), scenes, tmp_path).run()
    assert "step 50 (100 %)" in caplog.text
    assert "s to go" in caplog.text


def test_a_checkpoint_of_another_size_says_its_size_and_is_started_from(scenes: list[Scene], tmp_path: Path) -> None:
    size = Size((4, 6, 8, 8, 8), (0, 0, 1, 1, 1), down=((), (), (5,), (3,), (16,)), up=(4, 7, 16, 2))
    narrow = build("tiny", size)
    save_weights(tmp_path / "narrow.safetensors", "tiny", narrow)
    assert load_estimator(tmp_path / "narrow.safetensors", "tiny").size == size
    config = dataclasses.replace(TINY, steps=4)
    Trainer(config, scenes, tmp_path / "run", start=tmp_path / "narrow.safetensors").run(steps=2)
    resumed = Trainer(config, scenes, tmp_path / "run")
    assert resumed.model.size == resumed.average.size == size
    assert resumed.run().step == 4
    export(tmp_path / "run" / CHECKPOINT, "tiny", tmp_path / "t.onnx", About("t", "For the test.", "none", "boxes"))


@pytest.mark.parametrize("wrong", [{"up": [4]}, {"widths": [4, 6, 8, 8, 10**9]}, {"down": 3}])
def test_a_checkpoint_with_an_impossible_size_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    path = tmp_path / "bad.safetensors"
    model = build("tiny")
    about = {"format": checkpoint.FORMAT, "network": "tiny", "size": dataclasses.asdict(model.size) | wrong}
    save_file({"average.x": torch.zeros(1)}, path, {"about": json.dumps(about)})
    with pytest.raises(ModelError, match="no size that can be built"):
        load_estimator(path, "tiny")
