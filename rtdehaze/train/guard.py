"""What must not be lost while a network adapts: its scores where the truth is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from rtdehaze.core.errors import SourceError
from rtdehaze.train.config import Config
from rtdehaze.train.networks import Estimator
from rtdehaze.train.samples import make_sample
from rtdehaze.train.scenes import Scene, readable
from rtdehaze.train.validate import Pair, Scores, score

__all__ = ["Guard", "Selected", "pairs_of", "split"]

HELD = 24
"""Scenes held out at most."""
SHARE = 8
"""One in so many scenes is held out."""
SIZE = (192, 256)
"""(height, width) of the pairs made of them."""
Standing = Mapping[str, Mapping[str, float]]
"""Per set: `psnr`, `clear_psnr`, `transmission`."""


@dataclass(frozen=True)
class Selected(Sequence[Scene]):
    """Some of the scenes, read when they are wanted."""

    scenes: Sequence[Scene]
    indices: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.indices)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> Selected: ...
    def __getitem__(self, index: int | slice) -> Scene | Selected:
        if isinstance(index, slice):
            return Selected(self.scenes, self.indices[index])
        return self.scenes[self.indices[index]]


def split(scenes: Sequence[Scene], seed: int) -> tuple[Selected, Selected]:
    """Draws which scenes are learned from and which are held out, never the same."""
    count = min(HELD, max(1, len(scenes) // SHARE))
    order = [int(i) for i in np.random.default_rng((seed, 11)).permutation(len(scenes))]
    return Selected(scenes, tuple(sorted(order[count:]))), Selected(scenes, tuple(sorted(order[:count])))


def pairs_of(scenes: Sequence[Scene], config: Config) -> list[Pair]:
    """One hazy pair of each scene that can be read, in the configuration's haze; the same ones for the same seed.

    Raises:
        SourceError: None can be read.
    """
    pairs = []
    for number, scene in readable(scenes, range(len(scenes))):
        rng = np.random.default_rng((config.seed, number, 13))
        haze = dataclasses.replace(config.weather(rng), clear_share=0.0)
        upright = scene.clear.shape[0] > scene.clear.shape[1]
        made = make_sample(scene, SIZE[::-1] if upright else SIZE, rng, haze)
        known = (made.transmission, made.airlight) if made.known else (None, None)
        pairs.append(Pair(scene.name, made.hazy, made.clear, *known))
    if not pairs:
        raise SourceError(f"none of the {len(scenes)} pictures that were to be held out can be read")
    return pairs


@dataclass(frozen=True)
class Guard:
    """The pairs that a network is held to."""

    sets: Mapping[str, Sequence[Pair]]
    """By name."""
    tolerance: float = 0.1
    """dB that the mean PSNR of any set may fall below the start's."""
    clear_tolerance: float = 1.0
    """dB that clear pictures, put in as if hazy, may fare worse: at 35 dB and more that is not seen."""

    def measure(self, model: Estimator) -> dict[str, dict[str, float]]:
        """Scores a network in evaluation mode on every set."""
        return {name: _row(score(model, list(pairs))) for name, pairs in self.sets.items()}

    def fallen(self, before: Standing, now: Standing) -> list[str]:
        """What has become worse than is allowed, a line each; empty where all is well."""
        lines = []
        for name, start in before.items():
            for what, allowed in (("psnr", self.tolerance), ("clear_psnr", self.clear_tolerance)):
                if not now[name][what] >= start[what] - allowed:
                    lines.append(f"{what} on {name} fell from {start[what]:.2f} to {now[name][what]:.2f} dB")
        return lines


def _row(scores: Scores) -> dict[str, float]:
    return {name: float(getattr(scores, name)) for name in ("psnr", "untouched", "clear_psnr", "transmission")}
