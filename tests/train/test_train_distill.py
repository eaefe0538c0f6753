"""Distilling: a lesson is learned, a model delivered, and what cannot be is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import torch

from rtdehaze.core.card import read_card
from rtdehaze.core.errors import UsageError
from rtdehaze.train.checkpoint import save_weights
from rtdehaze.train.config import LossConfig
from rtdehaze.train.distill import Distiller, lesson
from rtdehaze.train.networks import build
from rtdehaze.train.scenes import read_pack
from rtdehaze.train.simplified import TABLE, finish, open_distillation, open_pruning
from tests.train.simplifying import picture, random_model, tiny


def test_a_lesson_is_nothing_for_the_same_answers_and_more_for_others() -> None:
    teacher, other = random_model(), random_model(seed=2)
    with torch.no_grad():
        said, taught = teacher(picture()), other(picture())
    assert float(lesson(said, said)) == 0.0
    assert float(lesson(taught, said)) > 0.01


@pytest.mark.slow
def test_a_teacher_draws_the_student_to_its_answers_and_stays_as_it_is(
    pack: Path, validation: Path, tmp_path: Path
) -> None:
    teacher = random_model()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    config = tiny(pack, validation, steps=100, loss=LossConfig(0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    run = Distiller(config, read_pack(pack), tmp_path, teacher=teacher)
    run.run()
    taught = [float(line.split(",")[-1]) for line in (tmp_path / "curves.csv").read_text().splitlines()[1:]]
    assert taught[1] < 0.8 * taught[0]
    assert "taught" in (tmp_path / "curves.csv").read_text().splitlines()[0]
    for name, value in teacher.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
    with pytest.raises(UsageError, match=r"weight = -1.* must be 0 or more"):
        Distiller(config, read_pack(pack), tmp_path, teacher=teacher, weight=-1.0)


@pytest.mark.slow
def test_distillation_delivers_a_model_its_card_and_a_table(
    pack: Path, validation: Path, large: Path, tmp_path: Path, brief: None
) -> None:
    config = tiny(pack, validation)
    open_distillation(config, large, tmp_path / "run").run(steps=3)
    run = open_distillation(config, large, tmp_path / "run")
    assert run.progress.step == 3
    run.run()
    whole = open_distillation(config, large, tmp_path / "whole")
    whole.run()
    for one, other in zip(run.average.state_dict().values(), whole.average.state_dict().values(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    made = finish(run, large, "Taught.", rounds=3)
    assert [row.model for row in made.rows] == ["tiny, before", "tiny, untrained", "tiny, 6 steps"]
    assert made.rows[2].macs < made.rows[0].macs
    stored = json.loads((tmp_path / "run" / TABLE).read_text())
    assert stored["models"][2]["psnr"] == made.rows[2].psnr
    card = read_card(tmp_path / "run" / "tiny.json")
    assert (card.summary, "boxes" in card.trained_on) == ("Taught.", True)
    with pytest.raises(UsageError, match="holds a run of another kind"):
        open_pruning(config, large, tmp_path / "run", share=0.5, multiple=2)


def test_what_cannot_be_simplified_is_refused(pack: Path, validation: Path, tmp_path: Path) -> None:
    save_weights(tmp_path / "v.safetensors", "tiny-video", build("tiny-video"))
    config = tiny(pack, validation)
    with pytest.raises(UsageError, match="only estimators of single pictures"):
        open_distillation(config, tmp_path / "v.safetensors", tmp_path / "run")
    save_weights(tmp_path / "t.safetensors", "tiny", build("tiny"))
    with pytest.raises(UsageError, match="'aod' cannot be taught"):
        open_distillation(dataclasses.replace(config, network="aod"), tmp_path / "t.safetensors", tmp_path / "run")
    with pytest.raises(UsageError, match="share = 1 must lie between 0 and 1"):
        open_pruning(config, tmp_path / "t.safetensors", tmp_path / "run", share=1.0)
