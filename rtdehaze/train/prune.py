"""Structured pruning: whole channels go where they are worth least for the multiply-adds that they cost."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from rtdehaze.core.errors import UsageError
from rtdehaze.train.channels import axes_of, importance, widths_of
from rtdehaze.train.config import Config, StageConfig
from rtdehaze.train.cost import SIZE
from rtdehaze.train.data import Samples, batches
from rtdehaze.train.networks import Estimator
from rtdehaze.train.sizes import Size

__all__ = ["MULTIPLE", "Macs", "plan", "survey"]

MULTIPLE = 16
"""Channels go in so many at a time: ONNX Runtime computes 16 together on x86 with AVX-512 (8 with AVX2, 4 on Arm), and
what does not fill them up costs as much as if it did."""
BATCHES = 24
"""Batches that the importance of channels is measured on."""
STAGE = StageConfig(1.0, 8, ((112, 160),))
"""What they look like."""
_FOLLOWERS = {"mix": "level4", "answer": "level4"}
"""Groups that are always as wide as another."""


class Macs:
    """Multiply-adds of an estimator as a function of its groups' widths, for a thumbnail of `SIZE`.

    Args:
        size: Of the network before pruning.
    """

    def __init__(self, size: Size) -> None:
        with torch.device("meta"):
            model = Estimator(size).eval()
            places = _places(model, torch.empty(1, 3, *SIZE))
        self.widths = widths_of(model)
        axes, state = axes_of(model), model.state_dict()
        self._products = []
        for name, count in places.items():
            groups = axes[name]
            rest = math.prod(
                side for i, side in enumerate(state[name].shape) if i >= len(groups) or groups[i] is None or side == 1
            )
            known = [group for i, group in enumerate(groups) if group is not None and state[name].shape[i] > 1]
            self._products.append((count * rest, known))

    def __call__(self, widths: Mapping[str, int]) -> int:
        """Multiply-adds with those widths."""
        sides = dict(widths) | {f"{group}+": 2 * width for group, width in widths.items()}
        return sum(each * math.prod(sides[group] for group in groups) for each, groups in self._products)


def _places(model: Estimator, picture: Tensor) -> dict[str, int]:
    """At how many places each weight is used, by its name."""
    places: dict[str, int] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, _: object, answer: Tensor) -> None:
            places[f"{name}.weight"] = math.prod(answer.shape[2:]) if isinstance(module, nn.Conv2d) else 1

        return hook

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(note(name))
    model(picture)
    return places


def plan(size: Size, worth: Mapping[str, Tensor], share: float, multiple: int = MULTIPLE) -> Size:
    """The size that is left when the least valuable channels have gone.

    Again and again those channels of a group go which are worth least for each multiply-add that they cost.

    Args:
        size: Of the network.
        worth: From `importance`.
        share: Of the multiply-adds that is to be left at most, in (0, 1).
        multiple: Channels that go together; no group is left with fewer.

    Raises:
        UsageError: So little cannot be left.
    """
    macs = Macs(size)
    widths, whole = dict(macs.widths), macs(macs.widths)
    # What goes first is worth least: rising[n] is what the n least valuable channels are worth together.
    rising = {group: torch.cat([torch.zeros(1), values.sort().values.cumsum(0)]) for group, values in worth.items()}

    def price(offer: Mapping[str, int]) -> float:
        lost = (rising[g][macs.widths[g] - offer[g]] - rising[g][macs.widths[g] - widths[g]] for g in offer)
        return float(sum(lost)) / (macs(widths) - macs({**widths, **offer}))

    while macs(widths) > share * whole:
        offers = [offer for group in rising if group not in _FOLLOWERS if (offer := _less(widths, group, multiple))]
        if not offers:
            least = math.ceil(100 * macs(widths) / whole)
            raise UsageError(
                f"{share:g} of the multiply-adds cannot be left: with {multiple = } it is {least} % at least"
            )
        cheapest = min(offers, key=price)
        widths.update(cheapest)
    return _as_size(size.explicit(), widths)


def _less(widths: Mapping[str, int], group: str, multiple: int) -> dict[str, int] | None:
    """The group with one step of channels fewer, and those that follow it; None where too few would be left."""
    left = widths[group] - (widths[group] % multiple or multiple)
    if left < multiple:
        return None
    return {group: left} | {name: left for name, leader in _FOLLOWERS.items() if leader == group}


def _as_size(size: Size, widths: Mapping[str, int]) -> Size:
    down = tuple(
        tuple(widths[f"down.{i}.{(3 if i else 0) + k}.inside"] for k in range(len(stage)))
        for i, stage in enumerate(size.down)
    )
    up = tuple(widths[f"up.{i}.inside"] for i in range(len(size.up)))
    levels = tuple(widths[f"level{i}"] for i in range(len(size.widths)))
    return dataclasses.replace(size, widths=levels, down=down, up=up)


def survey(model: Estimator, samples: Samples, config: Config) -> dict[str, Tensor]:
    """The importance of a network's channels, on seeded samples that its training will not see."""
    # Another seed: samples of the run itself would be worth less a second time.
    seen = dataclasses.replace(config, seed=config.seed + 1_000_003, stages=(STAGE,), steps=BATCHES)
    device = next(model.parameters()).device
    found = islice(batches(dataclasses.replace(samples, config=seen), 0, lambda _: 0.0), BATCHES)
    return importance(model, (batch.to(device) for batch in found), config.loss)
