from __future__ import annotations

from pathlib import Path

import numpy as np

from rtdehaze.train.config import Config
from rtdehaze.train.gate import choose_gate, densities
from rtdehaze.train.networks import build
from rtdehaze.train.scenes import read_pack


def test_the_gate_lies_between_clear_and_hazy() -> None:
    gate = choose_gate(np.array([0.0, 0.02, 0.05]), np.array([0.15, 0.2, 0.6]))
    assert 0.05 < gate.clear_below < gate.hazy_above < 0.2


def test_a_stray_clear_picture_does_not_move_the_gate_past_the_hazy_ones() -> None:
    gate = choose_gate(np.array([0.01] * 20 + [0.9]), np.linspace(0.2, 0.8, 20))
    assert gate.hazy_above < 0.25


def test_densities_are_reported_for_as_many_samples_as_asked(pack: Path) -> None:
    model = build("tiny").eval()
    scenes = read_pack(pack)
    found = densities(model, scenes, Config(), hazy=True, count=3)
    assert found.shape == (3,)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(found, densities(model, scenes, Config(), hazy=True, count=3))
    assert not np.array_equal(found, densities(model, scenes, Config(), hazy=False, count=3))
