"""What is lowered where no truth is known: disagreement with the teacher, and what no clear picture looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from rtdehaze.train.losses import luma_of, recompose
from rtdehaze.train.networks import Estimate
from rtdehaze.train.teacher import Target, Views

__all__ = ["UnlabelledTerms", "UnlabelledWeights", "unlabelled_terms", "weighted"]

MARGIN = 0.02
"""How far beyond black and white a restored picture may go: sensor noise does."""
WINDOW = 6
"""A dark channel's window is the picture's shorter side over this."""
DARK = 0.1
"""A dark channel is no darker than this by nature: grey roads, pale walls."""
OPAQUE = 0.2
"""Transmission below which nothing of the scene is seen, and its darkness is nobody's to know."""
DARKENED = 0.15
"""How much darker than the haze an opaque place may come out."""
FLAT = 0.02
"""Difference of neighbouring samples, in units of the picture's range, at which it counts 1/e as one surface."""


class UnlabelledTerms(NamedTuple):
    """The terms, each a mean over the batch."""

    transmission: Tensor
    """Distance to the target's."""
    airlight: Tensor
    picture: Tensor
    gate: Tensor
    """Cross-entropy of hazy, where haze was added and the answer is known."""
    clipping: Tensor
    """How far the restored picture goes beyond black and white."""
    lifted: Tensor
    """How far its dark channel is from dark: haze that was left."""
    darkened: Tensor
    """How far opaque haze came out darker than it was."""
    rough: Tensor
    """Changes of the maps where the picture has none: patches in the sky."""


@dataclass(frozen=True, slots=True)
class UnlabelledWeights:
    """Weights of the terms."""

    transmission: float = 1.0
    airlight: float = 0.5
    picture: float = 2.0
    gate: float = 0.05
    clipping: float = 2.0
    lifted: float = 0.3
    darkened: float = 0.5
    rough: float = 1.0


def unlabelled_terms(views: Views, target: Target, said: Estimate) -> UnlabelledTerms:
    """Compares the student's answer on its view with the target, and judges the picture that comes of it.

    Lifted: Golts, Freedman, Elad 2020 train on the dark channel prior (He, Sun, Tang 2009) without truth; here it
    is one sided, over wide windows, and not counted where the teacher sees nothing but haze.
    """
    said = Estimate(*(part.float() for part in said))
    seen = functional.avg_pool2d(views.strong, 2)
    restored = recompose(seen, said)
    distance = (said.transmission - target.transmission).abs() * target.certainty
    shown = (1.0 - target.transmission).mean((1, 2, 3)).clamp_min(0.3)
    error = (restored.clamp(0.0, 1.0) + 0.1 * (restored - restored.clamp(0.0, 1.0)) - target.picture).square()
    gate = functional.binary_cross_entropy_with_logits(said.hazy, torch.ones_like(said.hazy), reduction="none")
    beyond = (restored - 1.0 - MARGIN).clamp_min(0.0) + (-restored - MARGIN).clamp_min(0.0)
    opaque = (1.0 - target.transmission / OPAQUE).clamp_min(0.0)
    return UnlabelledTerms(
        transmission=distance.mean(),
        airlight=((said.airlight - target.airlight).abs().mean(1) * shown).mean(),
        picture=(torch.sqrt(error + 1e-6) * target.certainty).mean(),
        gate=(gate * views.is_hazy).mean(),
        clipping=beyond.mean(),
        lifted=(_dark(restored).sub(DARK).clamp_min(0.0) * (target.transmission > OPAQUE)).mean(),
        darkened=((luma_of(seen) - luma_of(restored) - DARKENED).clamp_min(0.0) * opaque).mean(),
        rough=_rough(seen, torch.cat([said.transmission, said.luma, said.veil], 1)),
    )


def weighted(terms: UnlabelledTerms, weights: UnlabelledWeights) -> Tensor:
    """The weighted sum of the terms, a scalar."""
    return torch.stack([getattr(weights, name) * term for name, term in terms._asdict().items()]).sum()


def _dark(picture: Tensor) -> Tensor:
    """The dark channel over wide windows, (n, 1, h, w)."""
    least = picture.amin(1, keepdim=True)
    side = min(picture.shape[-2:]) // WINDOW * 2 + 1
    return -functional.max_pool2d(-least, side, stride=1, padding=side // 2)


def _rough(picture: Tensor, maps: Tensor) -> Tensor:
    """Mean change of the maps between neighbours, counted where the picture's colour stays."""
    parts = []
    for axis in (2, 3):
        steps = [value.narrow(axis, 1, value.shape[axis] - 1) - value.narrow(axis, 0, value.shape[axis] - 1)
                 for value in (picture, maps)]  # fmt: skip
        same = torch.exp(-steps[0].abs().amax(1, keepdim=True) / FLAT)
        parts.append((steps[1].abs() * same).mean())
    return torch.stack(parts).mean()
