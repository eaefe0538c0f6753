from __future__ import annotations

import numpy as np

from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.estimate.models import load_model
from rtdehaze.synth.drive import FoggyDrive

NAME = "base-open"


def test_the_open_weights_say_what_they_were_trained_on_and_on_what_terms() -> None:
    card = load_model(NAME).card
    assert card.licence.startswith("Apache-2.0")
    for named in ("generated", "Udacity", "MIT", "Intel", "CC BY 4.0"):
        assert named in card.trained_on
    assert all(score.command for score in card.scores)


def test_the_open_weights_find_fog_where_it_is_and_leave_a_clear_day_alone() -> None:
    model = open_estimator(NAME, provider="cpu")
    gate = model.card.gate
    assert gate is not None
    foggy = FoggyDrive(256, 144, seed=0, median_transmission=0.35, noise=0.004, seconds=0.1).frame(0)
    clear = FoggyDrive(256, 144, seed=0, median_transmission=1.0, seconds=0.1).frame(0)
    said, calm = (
        model.estimate(np.ascontiguousarray(frame.hazy.astype(np.float32).transpose(2, 0, 1) / 255))
        for frame in (foggy, clear)
    )
    truth = foggy.transmission
    rows = np.linspace(0, truth.shape[0] - 1, said.transmission.shape[0]).astype(int)
    columns = np.linspace(0, truth.shape[1] - 1, said.transmission.shape[1]).astype(int)
    assert np.corrcoef(said.transmission.ravel(), truth[np.ix_(rows, columns)].ravel())[0, 1] > 0.8
    assert said.density > gate.hazy_above
    assert calm.density < gate.clear_below
