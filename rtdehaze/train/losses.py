"""What training minimises, and recomposition as the runtime does it, differentiable."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from rtdehaze.core.colour import Matrix, luma_weights
from rtdehaze.train.config import LossConfig
from rtdehaze.train.data import Batch
from rtdehaze.train.networks import Estimate

__all__ = ["LUMA", "Terms", "loss_terms", "luma_of", "recompose", "ssim", "total"]

LUMA: tuple[float, ...] = tuple(luma_weights(Matrix.BT709).tolist())
"""Weights of R, G, B in luma, as in the runtime's reading of gain and bias maps."""
SLOPE_OUTSIDE = 0.1
"""Share of an error beyond black and white that counts: the runtime clips there, but no gradient means no way back."""


class Terms(NamedTuple):
    """The terms of the loss, each a mean over the batch."""

    transmission: Tensor
    airlight: Tensor
    picture: Tensor
    decibel: Tensor
    structure: Tensor
    gate: Tensor


def luma_of(picture: Tensor) -> Tensor:
    """Luma of RGB (n, 3, h, w) as (n, 1, h, w)."""
    # chunk, not slices: the gradient of each slice would be a whole picture of zeros.
    red, green, blue = picture.chunk(3, 1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def recompose(picture: Tensor, estimate: Estimate) -> Tensor:
    """Takes the haze off: Y' = (Y - veil_Y) / luma, chroma likewise by `chroma`; the mathematics of `Removal`.

    Args:
        picture: (n, 3, h, w), RGB in [0, 1], of any size: the maps are enlarged bilinearly.
        estimate: What the network said.

    Returns:
        (n, 3, h, w), RGB, not clipped.
    """
    maps = torch.cat([estimate.luma, estimate.chroma, estimate.veil], 1).float()
    if maps.shape[-2:] != picture.shape[-2:]:
        maps = functional.interpolate(maps, size=picture.shape[-2:], mode="bilinear", align_corners=False)
    divisor, chroma, veil = torch.split(maps, [1, 1, 3], 1)
    bare = picture - veil
    luma = luma_of(bare)
    return luma / divisor + (bare - luma) / chroma


def ssim(first: Tensor, second: Tensor) -> Tensor:
    """Mean structural similarity of (n, 1, h, w) pictures in [0, 1], (n,) (Wang et al. 2004, windows of 7x7, flat).

    Every third window in each direction: their mean says the same, and the windows were a seventh of a step.
    """
    maps = torch.cat([first, second, first * first, second * second, first * second], 1)
    mean = functional.avg_pool2d(maps, 7, stride=3)
    a, b, aa, bb, ab = mean.unbind(1)
    c1, c2 = 0.01**2, 0.03**2
    alike = (2 * a * b + c1) * (2 * (ab - a * b) + c2)
    return (alike / ((a * a + b * b + c1) * (aa - a * a + bb - b * b + c2))).mean((1, 2))


def loss_terms(batch: Batch, answer: Estimate | Tensor) -> Terms:
    """Compares what the network said with the truth; computed in float32 whatever the network computed in.

    A restorer, which answers with a picture, is judged by the picture alone.

    Everything is compared at the maps' size, where a sample stands for the mean of the pixels under it: haze is
    linear, so recomposition commutes with that mean, and the loss costs a quarter.
    """
    if isinstance(answer, Tensor):
        nothing = answer.new_zeros((), dtype=torch.float32)
        terms = _picture_terms(answer.float(), batch.clear)
        return Terms(nothing, nothing, *terms, nothing)
    said = Estimate(*(part.float() for part in answer))
    truth, hazy, clear = (functional.avg_pool2d(part, 2) for part in (batch.transmission, batch.hazy, batch.clear))
    distance = (said.transmission - truth).abs().mean((1, 2, 3))
    # The airlight shows only as far as there is haze; in thin haze it is guessed from what little there is.
    shown = (1.0 - truth).mean((1, 2, 3)).clamp_min(0.3) * batch.is_hazy
    colour = (said.airlight - batch.airlight).abs().mean(1) * shown
    gate = functional.binary_cross_entropy_with_logits(said.hazy, batch.is_hazy)
    terms = _picture_terms(recompose(hazy, said), clear)
    return Terms((distance * batch.known).mean(), (colour * batch.known).mean(), *terms, gate)


def _picture_terms(restored: Tensor, clear: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The terms `picture`, `decibel` and `structure`."""
    inside = restored.clamp(0.0, 1.0)
    restored = inside + SLOPE_OUTSIDE * (restored - inside)
    error = (restored - clear).square()
    decibel = torch.log(error.mean((1, 2, 3)) + 1e-4).mean()
    return torch.sqrt(error + 1e-6).mean(), decibel, 1.0 - ssim(luma_of(restored), luma_of(clear)).mean()


def total(terms: Terms, weights: LossConfig) -> Tensor:
    """The weighted sum of the terms, a scalar."""
    pairs = ((getattr(weights, name), term) for name, term in terms._asdict().items())
    return torch.stack([weight * term for weight, term in pairs]).sum()
