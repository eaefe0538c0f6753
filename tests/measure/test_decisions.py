from __future__ import annotations

import math

import pytest

from rtdehaze.measure.decisions import Decisions


def test_accuracy_precision_recall_and_f1_of_a_known_table() -> None:
    counted = Decisions.count([True, True, True, False], [True, False, False, False, False, False])
    assert counted == Decisions(true_hazy=3, false_hazy=1, true_clear=5, false_clear=1)
    assert counted.accuracy == pytest.approx(0.8)
    assert counted.precision == pytest.approx(0.75)
    assert counted.recall == pytest.approx(0.75)
    assert counted.f1 == pytest.approx(0.75)


def test_what_cannot_be_said_is_nan() -> None:
    silent = Decisions.count([False, False], [False])
    assert math.isnan(silent.precision)
    assert silent.recall == 0.0
    assert silent.f1 == 0.0
    assert math.isnan(Decisions().accuracy)
