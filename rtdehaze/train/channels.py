"""Which numbers of an estimator belong to which channel, what each channel is worth, and networks made of a part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from rtdehaze.core.errors import UsageError
from rtdehaze.train.config import LossConfig
from rtdehaze.train.data import Batch
from rtdehaze.train.losses import loss_terms, total
from rtdehaze.train.networks import Estimator
from rtdehaze.train.sizes import Size

__all__ = ["Axes", "axes_of", "importance", "inherit", "makers_of", "widths_of"]

Axes = tuple[str | None, ...]
"""For each axis of a tensor the group of channels that it runs over: `level0` to `level4`, the streams that the blocks
of a stride add to; `BLOCK.inside`; `mix` and `answer`, the hidden layers of the whole picture. None where it runs over
no group, `GROUP+` where it runs over the group twice, mean and maximum."""

_RULES = (
    # A tensor's name, the groups of its first and second axis (i: the number in the name), what makes the channels.
    (r"stem\.\d\.()", "level0", None, "scale"),
    (r"hint\.()", "level0", None, "all"),
    (r"down\.(\d)\.0\.\d\.", "level{before}", None, "none"),
    (r"down\.(\d)\.1\.\d\.", "level{i}", "level{before}", "scale"),
    (r"lateral\.(\d)\.\d\.", "level{i}", "level{after}", "scale"),
    (r"(?:down\.(?=\d\.\d\.)|up\.)(\d)(?:\.\d)?\.depthwise\.\d\.", "level{i}", None, "none"),
    (r"(?:down\.(?=\d\.\d\.)|up\.)(\d)(?:\.\d)?\.widen\.", "{block}.inside", "level{i}", "all"),
    (r"(?:down\.(?=\d\.\d\.)|up\.)(\d)(?:\.\d)?\.narrow\.", "level{i}", "{block}.inside", "all"),
    (r"context\.mix\.0\.()", "mix", "level4+", "all"),
    (r"context\.mix\.2\.()", "level4", "mix", "all"),
    (r"maps\.()", None, "level0", "none"),
    (r"look\.()", None, "level4", "none"),
    (r"answer\.0\.()", "answer", "level4+", "all"),
    (r"answer\.2\.()", None, "answer", "none"),
)
"""`scale`: only the scale and shift of the normalisation, which undoes any scale of the weight before it."""


def _rule(name: str) -> tuple[str | None, str | None, str]:
    for pattern, first, second, makes in _RULES:
        match = re.match(pattern, name)
        if match:
            i = int(match[1] or 0)
            words = {"i": i, "before": i - 1, "after": i + 1, "block": name.rsplit(".", 2)[0]}
            groups = [None if group is None else group.format(**words) for group in (first, second)]
            return groups[0], groups[1], makes
    raise UsageError(f"tensor {name} is of no network that can be made narrower")


def axes_of(model: Estimator) -> dict[str, Axes]:
    """The groups that the tensors of an estimator run over, by their names in its state.

    Raises:
        UsageError: The network has a part, such as a memory, of which that is not known.
    """
    state = model.state_dict()
    return {name: _rule(name)[: min(2, value.ndim)] for name, value in state.items() if value.ndim}


def makers_of(model: Estimator) -> dict[str, list[str]]:
    """By group the parameters whose first axis makes its channels: all scaled by 0, a channel is gone."""
    found: dict[str, list[str]] = {}
    for name, value in model.named_parameters():
        group, _, makes = _rule(name)
        if group is not None and (makes == "all" or (makes == "scale" and value.ndim == 1)):
            found.setdefault(group, []).append(name)
    return found


def widths_of(model: Estimator) -> dict[str, int]:
    """By group the number of its channels."""
    parameters = dict(model.named_parameters())
    return {group: len(parameters[names[0]]) for group, names in makers_of(model).items()}


def importance(model: Estimator, batches: Iterable[Batch], weights: LossConfig) -> dict[str, Tensor]:
    """What the loss would change by if a channel went, to first order, squared, mean over batches.

    The channel is imagined behind a gate of 1; the loss's derivative by the gate is the sum of weight times gradient
    over the weights that make the channel (Molchanov et al. 2019, "Importance estimation for neural network pruning",
    eq. 8 and their gates). It compares across layers, which norms of weights do not.

    Args:
        model: Its gradients are overwritten; it is left in evaluation mode.
        batches: What to look at.
        weights: Of the loss's terms.

    Returns:
        By group a tensor of one value per channel.
    """
    model.eval()
    makers, parameters = makers_of(model), dict(model.named_parameters())
    sums = {group: torch.zeros(len(parameters[names[0]])) for group, names in makers.items()}
    count = 0
    for batch in batches:
        model.zero_grad()
        total(loss_terms(batch, model(batch.hazy)), weights).backward()  # type: ignore[no-untyped-call]
        for group, names in makers.items():
            parts = [_by_channel(parameters[name]) for name in names]
            sums[group] += torch.stack(parts).sum(0).square().cpu()
        count += 1
    model.zero_grad()
    return {group: value / max(count, 1) for group, value in sums.items()}


def _by_channel(parameter: Tensor) -> Tensor:
    if parameter.grad is None:
        return torch.zeros(len(parameter), device=parameter.device)
    return (
        (parameter.detach() * parameter.grad).flatten(1 if parameter.ndim > 1 else 0).reshape(len(parameter), -1).sum(1)
    )


def inherit(model: Estimator, size: Size, worth: Mapping[str, Tensor]) -> Estimator:
    """A smaller estimator made of the parts of a larger one that are worth most.

    Args:
        model: The larger one.
        size: Of the smaller one: at every stride and in every block at most as wide, at every stride at most as deep.
        worth: From `importance`. Where blocks go, those go whose insides are worth least.

    Raises:
        UsageError: The size is larger somewhere.
    """
    small = Estimator(size)
    blocks = _blocks_kept(model.size.explicit(), size.explicit(), worth)
    kept: dict[str, Tensor] = {}
    for group, width in widths_of(small).items():
        values = worth[blocks.get(group, group)]
        if width > len(values):
            raise UsageError(f"{group} is to have {width} channels and has {len(values)}: nothing to inherit")
        kept[group] = values.topk(width).indices.sort().values
        kept[f"{group}+"] = torch.cat([kept[group], kept[group] + len(values)])
    state, axes = model.state_dict(), axes_of(small)
    mine = small.state_dict()
    for name, groups in axes.items():
        value = state[_renamed(name, blocks)]
        for axis, over in enumerate(groups):
            if over is not None and value.shape[axis] > 1:
                value = value.index_select(axis, kept[over].to(value.device))
        mine[name] = value
    small.load_state_dict(mine)
    return small


def _blocks_kept(large: Size, small: Size, worth: Mapping[str, Tensor]) -> dict[str, str]:
    """By the small network's insides on the way down those of the large one that they come from, in their order."""
    found: dict[str, str] = {}
    for i, (many, few) in enumerate(zip(large.down, small.down, strict=True)):
        first = 3 if i else 0  # before the blocks: two convolutions and an activation
        names = [f"down.{i}.{first + k}.inside" for k in range(len(many))]
        if len(few) > len(many):
            raise UsageError(f"stride {2 ** (i + 1)} is to have {len(few)} blocks and has {len(many)}")
        best = sorted(names, key=lambda name: -float(worth[name].sum()))[: len(few)]
        found |= dict(zip(names, (name for name in names if name in best), strict=False))
    return found


def _renamed(name: str, blocks: Mapping[str, str]) -> str:
    block = re.match(r"down\.\d\.\d(?=\.(depthwise|widen|narrow))", name)
    return name.replace(block[0], blocks[f"{block[0]}.inside"].removesuffix(".inside"), 1) if block else name
