"""Where the gate between clear and hazy lies: chosen on samples made for it, never on a validation set."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from rtdehaze.core.card import Gate
from rtdehaze.train.config import Config, Range
from rtdehaze.train.data import Samples
from rtdehaze.train.networks import Estimator
from rtdehaze.train.scenes import Scene

__all__ = ["choose_gate", "densities", "gate_of"]

THIN: Range = (0.5, 0.9)
"""Median transmission of the haze that must be told from clear air; thicker haze is no question."""
SIZE = (176, 256)
"""(height, width) of the samples, a usual thumbnail."""
GATE_SAMPLES = 800
"""Clear samples, and as many hazy ones, that the gate is chosen on: with 200 the thresholds moved by a third."""
HYSTERESIS = 0.15
"""The thresholds lie this share above and below the best one."""


def gate_of(model: Estimator, scenes: Sequence[Scene], config: Config) -> Gate:
    """The gate of a network in evaluation mode, chosen on seeded samples of these scenes."""
    clear, hazy = (densities(model, scenes, config, hazy=hazy, count=GATE_SAMPLES) for hazy in (False, True))
    return choose_gate(clear, hazy)


def densities(
    model: Estimator, scenes: Sequence[Scene], config: Config, *, hazy: bool, count: int
) -> NDArray[np.float64]:
    """The density that a network reports for seeded samples, all clear or all thinly hazy.

    Args:
        model: In evaluation mode.
        scenes: What to look at.
        config: Its haze is used, but for the share of clear samples and the amount of haze.
        hazy: Which of the two.
        count: Number of samples.

    Returns:
        (count,), in [0, 1].
    """
    clear = 0.0 if hazy else 1.0
    haze = dataclasses.replace(config.haze, clear_share=clear, median=THIN)
    fog = dataclasses.replace(config.fog, clear_share=clear, median=THIN)
    samples = Samples(scenes, dataclasses.replace(config, haze=haze, fog=fog))
    device = next(model.parameters()).device
    found = []
    with torch.inference_mode():
        for number in range(count):
            seen = torch.from_numpy(samples[number, *SIZE].hazy).permute(2, 0, 1)[None]
            found.append(model(seen.to(device).float() / 255.0).density.item())
    return np.array(found)


def choose_gate(clear: NDArray[np.float64], hazy: NDArray[np.float64]) -> Gate:
    """The thresholds about the density that tells the two best apart (largest mean of the two shares told right).

    Args:
        clear: Densities reported for clear pictures.
        hazy: Densities reported for hazy ones.
    """
    cuts = np.unique(np.concatenate([clear, hazy]))
    told = np.array([[np.mean(clear < cut), np.mean(hazy >= cut)] for cut in cuts])
    right = told.mean(axis=1)
    first = told[np.argmax(right)]
    # So many samples do not tell these cuts from the best one; the middle of them has most room to both sides.
    error = 0.5 * float(np.sqrt(np.sum(first * (1.0 - first) / [len(clear), len(hazy)])))
    good = cuts[right >= right.max() - error]
    best = float(good[0] + good[-1]) / 2
    low, high = best * (1.0 - HYSTERESIS), min(1.0, best * (1.0 + HYSTERESIS))
    return Gate(hazy_above=round(high, 4), clear_below=round(low, 4))
