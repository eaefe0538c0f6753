"""What the program believes of one frame's haze and does about it, as maps that can be shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.card import Gate
from rtdehaze.core.haze import Haze, Map, Removal
from rtdehaze.pipeline.decision import Decision
from rtdehaze.stages.recompose.removal import MAX_CHROMA_GAIN, MIN_TRANSMISSION, plan_removal

__all__ = ["Belief", "belief_of"]

_NEAR = 1.0 + 1e-4
"""Rounding that still counts as being at a limit."""


@dataclass(frozen=True, slots=True)
class Belief:
    """All maps have the model's own size, (h, w), and are smoothed over time as in a run."""

    transmission: Map
    airlight: Map
    """(3,), RGB in [0, 1]."""
    density: float
    gain: Map
    """What luma's contrast is multiplied by, exposure included; 1 where nothing is done."""
    veil: Map
    """(3, h, w), RGB: the light that is subtracted; 0 where nothing is done."""
    at_floor: NDArray[np.bool_]
    """Where the transmission lies at or below the least that is divided by."""
    luma_capped: NDArray[np.bool_]
    """Where the gain of luma is held at its cap."""
    chroma_capped: NDArray[np.bool_]
    """Where the gain of chroma is held at its own, lower cap."""
    weight: float
    """In [0, 1]: how far the gate lets dehazing through."""
    gate: Gate | None
    """The model's thresholds; None where it cannot tell clear frames."""
    always: bool
    """Whether every frame is dehazed whatever the gate would say."""

    @property
    def depth(self) -> Map:
        """Optical depth -ln t: distance in units of the length over which light falls to 1/e (Koschmieder)."""
        depth: Map = -np.log(self.transmission)
        return depth

    @property
    def nothing_done(self) -> bool:
        """Whether the frame comes out as it went in."""
        return self.weight == 0.0

    @property
    def verdict(self) -> str:
        """The gate's answer in a few words."""
        if self.always:
            return "dehazed, as mode manual always does"
        if self.gate is None:
            return "dehazed, for the model has no gate"
        if self.nothing_done:
            return "clear, left as it is"
        if self.weight == 1.0:
            return "hazy, dehazed in full"
        return f"between clear and hazy, dehazed by {self.weight:.0%}".replace("%", " %")

    def turned(self, turns: int) -> Belief:
        """The maps turned by quarters, counter-clockwise."""
        if turns % 4 == 0:
            return self
        names = ("transmission", "gain", "veil", "at_floor", "luma_capped", "chroma_capped")
        return replace(self, **{name: np.rot90(getattr(self, name), turns, (-2, -1)) for name in names})


def belief_of(haze: Haze, decision: Decision, *, strength: float, gate: Gate | None, always: bool) -> Belief:
    """Turns a decision into what is shown.

    Args:
        haze: What is believed, `decision.haze`.
        decision: What is done about it.
        strength: The dehazer's, 0 to 100.
        gate: The model's thresholds.
        always: Whether the mode is `manual`.
    """
    shape = haze.transmission.shape
    removal = decision.removal
    if removal is None:
        removal = Removal(np.ones(shape, np.float32), np.ones(shape, np.float32), np.zeros((3, *shape), np.float32))
    # The limits act before the exposure is given back, which may lift what they held.
    planned = plan_removal(haze, strength=strength / 100.0, weight=decision.weight)
    luma = np.ones(shape, np.float32) if planned is None else planned.luma
    chroma = np.ones(shape, np.float32) if planned is None else planned.chroma
    return Belief(
        transmission=haze.transmission,
        airlight=haze.airlight,
        density=haze.density,
        gain=(np.float32(1.0) / removal.luma).astype(np.float32),
        veil=removal.veil,
        at_floor=haze.transmission <= MIN_TRANSMISSION * _NEAR,
        luma_capped=luma <= MIN_TRANSMISSION * _NEAR,
        chroma_capped=chroma <= _NEAR / MAX_CHROMA_GAIN,
        weight=decision.weight,
        gate=gate,
        always=always,
    )
