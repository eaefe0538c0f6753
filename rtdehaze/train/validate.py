"""Scores of a network while it trains: PSNR of the restored picture, errors of transmission and airlight, the gate."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rtdehaze.core.errors import SourceError
from rtdehaze.measure.fidelity import mean_absolute_error, psnr
from rtdehaze.measure.pairs import Pair, find_pairs, read_pair
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.losses import recompose
from rtdehaze.train.networks import Estimate

__all__ = ["Pair", "Scores", "read_validation", "restore", "score", "thumbnail_size"]

log = logging.getLogger("rtdehaze.train")

LONG_SIDE = 256
"""Samples of a thumbnail's longer side, as the exported card says."""
MULTIPLE = 16
"""Both sides of a thumbnail are multiples of this, likewise."""
HIGHEST = 60.0
"""dB. A PSNR counts as no more, so that an identical picture does not make a mean infinite."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over a validation set; NaN where the truth is not known."""

    psnr: float
    """Of the restored picture, dB."""
    untouched: float
    """Of the hazy picture as it is, dB."""
    transmission: float
    """Mean absolute error."""
    airlight: float
    """Mean absolute error."""
    clear_psnr: float
    """Of the clear pictures put in as if hazy, without a gate, against themselves; dB, 60 at most for each."""
    density_clear: float
    """Density that nine in ten clear pictures stay under."""
    density_hazy: float
    """Density that nine in ten hazy pictures exceed."""


def read_validation(folder: Path) -> list[Pair]:
    """Reads the pairs of a folder, see `measure.pairs`; those that cannot be used are named and left out.

    Raises:
        SourceError: The folder holds no pairs, or not one that can be used.
    """
    pairs = []
    for files in find_pairs(folder):
        try:
            pairs.append(read_pair(files))
        except SourceError as error:
            log.warning("validation pair left out: %s", error)
    if not pairs:
        raise SourceError(f"validation folder {folder} holds no pair of hazy/NAME and clear/NAME that can be used")
    return pairs


def thumbnail_size(height: int, width: int) -> tuple[int, int]:
    """The (height, width) of the thumbnail of a picture of that size."""
    scale = min(1.0, LONG_SIDE / max(height, width))
    sides = [max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in (height, width)]
    return sides[0], sides[1]


def restore(model: nn.Module, picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Estimate | None]:
    """Estimates on the thumbnail and recomposes at full size; a restorer restores the full picture itself.

    Args:
        model: In evaluation mode.
        picture: (H, W, 3) RGB.

    Returns:
        The restored picture, (H, W, 3) RGB in [0, 1], and what the network said; None of a restorer.
    """
    # An exported model has no parameters: it is run on the CPU.
    device = next((value.device for value in model.parameters()), torch.device("cpu"))
    if isinstance(model, AODNet):
        with torch.inference_mode():
            answer = model(_tensor(picture).to(device)).clamp(0.0, 1.0)
        return answer[0].permute(1, 2, 0).cpu().numpy(), None
    height, width = thumbnail_size(*picture.shape[:2])
    # Means are not rounded to levels: the runtime does not round them either.
    small = cv2.resize(picture.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    with torch.inference_mode():
        estimate = model(_tensor(small).to(device))
        restored = recompose(_tensor(picture).to(device), estimate).clamp(0.0, 1.0)
    return restored[0].permute(1, 2, 0).cpu().numpy(), estimate


def _tensor(picture: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))[None]).float() / 255.0


def score(model: nn.Module, pairs: list[Pair]) -> Scores:
    """Scores a network in evaluation mode."""
    rows = np.array([_score_one(model, pair) for pair in pairs])
    means = np.array([np.nan if np.isnan(column).all() else np.nanmean(column) for column in rows.T])
    low, high = np.quantile(rows[:, 5], 0.9), np.quantile(rows[:, 6], 0.1)  # NaN of a restorer
    names = ("psnr", "untouched", "transmission", "airlight", "clear_psnr")
    values = {name: float(value) for name, value in zip(names, means[:5], strict=True)}
    return Scores(**values, density_clear=float(low), density_hazy=float(high))


def _score_one(model: nn.Module, pair: Pair) -> tuple[float, ...]:
    restored, estimate = restore(model, pair.hazy)
    kept, calm = restore(model, pair.clear)
    fidelity = [_fidelity(picture, pair.clear) for picture in (restored, kept)]
    untouched = psnr(pair.hazy, pair.clear)
    wrong_t = wrong_a = np.nan
    if estimate is None or calm is None:
        return (fidelity[0], untouched, wrong_t, wrong_a, fidelity[1], np.nan, np.nan)
    if pair.transmission is not None:
        said = cv2.resize(estimate.transmission[0, 0].cpu().numpy(), pair.transmission.shape[::-1])
        wrong_t = mean_absolute_error(said, pair.transmission)
    if pair.airlight is not None:
        wrong_a = mean_absolute_error(estimate.airlight[0].cpu().numpy(), pair.airlight)
    densities = (float(calm.density[0]), float(estimate.density[0]))
    return (fidelity[0], untouched, wrong_t, wrong_a, fidelity[1], *densities)


def _fidelity(restored: NDArray[np.float32], truth: NDArray[np.uint8]) -> float:
    return min(HIGHEST, psnr(restored, truth / np.float32(255), peak=1.0))
