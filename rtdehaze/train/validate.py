"""Scores of a network while it trains: PSNR of the restored picture, errors of transmission and airlight, the gate."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
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
class Pair:
    """A hazy picture with its truth."""

    name: str
    hazy: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    clear: NDArray[np.uint8]
    transmission: NDArray[np.float32] | None = None
    """(H, W), None where it is not known."""
    airlight: NDArray[np.float32] | None = None
    """(3,) RGB, None where it is not known."""


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
    """Reads `hazy`, `clear` and, where they exist, `t` (16-bit PNG / 65535) and `meta.json` (`airlight_rgb`).

    Raises:
        SourceError: No hazy picture has a clear one of its name and size.
    """
    meta = folder / "meta.json"
    known = json.loads(meta.read_text(encoding="utf-8")) if meta.is_file() else {}
    pairs = list(_pairs(folder, known))
    if not pairs:
        raise SourceError(f"validation folder {folder} holds no pair of hazy/NAME and clear/NAME")
    return pairs


def _pairs(folder: Path, known: dict[str, dict[str, list[float]]]) -> Iterator[Pair]:
    for path in sorted((folder / "hazy").glob("*.*")):
        hazy, clear = cv2.imread(str(path)), cv2.imread(str(folder / "clear" / path.name))
        if hazy is None or clear is None or hazy.shape != clear.shape:
            log.warning("validation pair %s left out: unreadable, alone, or of two sizes", path.name)
            continue
        depth = folder / "t" / f"{path.stem}.png"
        stored = cv2.imread(str(depth), cv2.IMREAD_UNCHANGED) if depth.is_file() else None
        transmission = None if stored is None else (stored / np.float32(65535)).astype(np.float32)
        airlight = known.get(path.stem, {}).get("airlight_rgb")
        rgb = None if airlight is None else np.asarray(airlight, np.float32)
        yield Pair(path.stem, _rgb(hazy), _rgb(clear), transmission, rgb)


def _rgb(picture: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(np.asarray(picture, np.uint8)[..., ::-1])


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
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
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
