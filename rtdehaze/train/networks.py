"""The family of estimators: one U-Net, three sizes, from a thumbnail to the maps that remove its haze."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from rtdehaze.core.errors import UsageError
from rtdehaze.train.aodnet import AODNet
from rtdehaze.train.recurrent import ConvGRU
from rtdehaze.train.sizes import SIZES, Size

__all__ = ["SIZES", "Estimate", "Estimator", "Size", "build", "build_any", "priors"]

MIN_TRANSMISSION = 0.03
"""The least transmission that a network may answer: 1/33 of the scene's light, five of 255 levels of contrast."""
MIN_LUMA, MIN_CHROMA = 0.1, 0.4
"""The least that luma and chroma are divided by: the limits that recomposition keeps to, so that networks learn to
live with them."""
REFLECTED = 2
"""Finest levels (strides 2 and 4) whose convolutions see reflected borders; below, zeros are too far off to show."""


class Estimate(NamedTuple):
    """What a network says of a batch of `n` thumbnails; maps are at half the thumbnail's size."""

    transmission: Tensor
    """(n, 1, h, w), in [0.03, 1]."""
    airlight: Tensor
    """(n, 3), RGB in [0, 1]."""
    density: Tensor
    """(n,), in [0, 1]: the mean of 1 - transmission times the probability of there being haze at all."""
    luma: Tensor
    """(n, 1, h, w), >= 0.1: what luma is divided by once the veil is off."""
    chroma: Tensor
    """(n, 1, h, w), >= 0.4: what chroma is divided by."""
    veil: Tensor
    """(n, 3, h, w), RGB: the light to subtract."""
    hazy: Tensor
    """(n,), logit of the picture being hazy at all; trains the gate."""


def priors(picture: Tensor) -> Tensor:
    """Cheap hints that hazy pixels carry, at half the picture's size.

    The dark channel (He, Sun, Tang 2009, eq. 5; here the least of 10x10 pixels), the dark channel of 2x2 pixels
    and the spread between the channels (haze takes saturation away: Zhu, Mai, Shao 2015).

    Args:
        picture: (n, 3, h, w), RGB in [0, 1], even sides.

    Returns:
        (n, 3, h/2, w/2), in [0, 1].
    """
    # Slices and pairwise extremes: ONNX Runtime reduces over channels five times slower.
    mean = functional.avg_pool2d(picture, 2)
    spread = _extreme(torch.maximum, mean) - _extreme(torch.minimum, mean)
    # Negated, because only maxima are pooled; channels before places, so that one is pooled instead of three.
    near = functional.max_pool2d(_extreme(torch.maximum, -picture), 2)
    wide = functional.max_pool2d(near, 5, stride=1, padding=2)
    return torch.cat([-near, -wide, spread], 1)


def _extreme(pick: Callable[[Tensor, Tensor], Tensor], picture: Tensor) -> Tensor:
    return pick(pick(picture[:, 0:1], picture[:, 1:2]), picture[:, 2:3])


def _convolve(
    inside: int, outside: int, kernel: int = 3, *, stride: int = 1, groups: int = 1, level: int, norm: bool = True
) -> nn.Sequential:
    """A convolution, borders reflected at the finest levels, and batch normalisation, which export folds into it."""
    reflect = kernel > 1 and level < REFLECTED
    padding = 0 if reflect else kernel // 2
    layers: list[nn.Module] = [nn.ReflectionPad2d(kernel // 2)] if reflect else []
    layers.append(nn.Conv2d(inside, outside, kernel, stride, padding, groups=groups, bias=not norm))
    if norm:
        layers.append(nn.BatchNorm2d(outside))
    return nn.Sequential(*layers)


class _Block(nn.Module):
    """A residual separable convolution: depthwise 3x3, widened 1x1, back 1x1 (after Liu et al. 2022, ConvNeXt).

    One normalisation is enough where the block starts near identity, and on a CPU it is what training waits for.
    """

    def __init__(self, width: int, inside: int, level: int) -> None:
        super().__init__()
        self.depthwise = _convolve(width, width, groups=width, level=level)
        self.widen = nn.Conv2d(width, inside, 1)
        self.narrow = nn.Conv2d(inside, width, 1)
        with torch.no_grad():
            self.narrow.weight.mul_(0.2)

    def forward(self, features: Tensor) -> Tensor:
        inside = functional.relu(self.widen(self.depthwise(features)))
        return features + torch.as_tensor(self.narrow(inside))


class _Context(nn.Module):
    """Tells every place what the whole picture looks like: pooled features, mixed, added back."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, features: Tensor) -> Tensor:
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1)
        return features + torch.as_tensor(self.mix(pooled))[:, :, None, None]


class Estimator(nn.Module):
    """A U-Net of separable convolutions that answers with transmission, airlight, density and removal maps.

    For video it may have a memory at stride 16, deep enough to be cheap and to reach the airlight and the density.

    The removal starts at the physical solution (luma = chroma = t, veil = A * (1 - t)) and learns only what
    departs from it. Airlight is a mean of the picture's own colours, weighted by attention, plus a correction.

    Args:
        size: Widths and depths.
    """

    stride = 2
    """Sides of a thumbnail must be multiples of this."""
    state_stride = 16
    """Samples of the thumbnail to one of the state, along each side."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.size = size
        widths, whole = size.widths, size.explicit()
        self.stem = _convolve(3, widths[0], stride=2, level=0)
        self.hint = nn.Conv2d(3, widths[0], 1, bias=False)
        before = (widths[0], *widths[:-1])
        self.down = nn.ModuleList(_stage(before[i], widths[i], whole.down[i], i) for i in range(len(widths)))
        self.context = _Context(widths[-1])
        self.lateral = nn.ModuleList(_convolve(widths[i + 1], widths[i], 1, level=i) for i in range(len(widths) - 1))
        self.up = nn.ModuleList(_Block(widths[i], whole.up[i], i) for i in range(len(widths) - 1))
        self.maps = nn.Conv2d(widths[0], 6, 1)
        deep = widths[-1]
        self.look = nn.Conv2d(deep, 4, 1)
        self.answer = nn.Sequential(nn.Linear(2 * deep, deep), nn.ReLU(), nn.Linear(deep, 4))
        self._start_at_physics()
        # Last, so that the rest starts from the same random numbers with and without.
        self.memory = ConvGRU(widths[-2], size.memory) if size.memory else None

    def _start_at_physics(self) -> None:
        with torch.no_grad():
            self.maps.weight[1:].zero_()
            for value in (*self.answer[-1].parameters(), *self.maps.parameters()):
                if value is not self.maps.weight:
                    value.zero_()

    def forward(self, picture: Tensor) -> Estimate:
        """Estimates the haze of RGB thumbnails (n, 3, h, w) in [0, 1], h and w even, each by itself."""
        return self.advance(picture)[0]

    def advance(self, picture: Tensor, state: Tensor | None = None) -> tuple[Estimate, Tensor | None]:
        """Estimates the haze of the next frame of n clips.

        Args:
            picture: (n, 3, h, w), RGB in [0, 1], h and w even.
            state: What the frame before left behind, (n, memory, h/16, w/16) rounded up; None at the start of a scene.

        Returns:
            The estimate and the new state, None for a network without memory.
        """
        skips = self._look(picture)
        if self.memory is not None:
            skips[-1], state = self.memory(skips[-1], self.blank(picture) if state is None else state)
        return self._say(picture, skips), state

    def unroll(self, pictures: Tensor, fresh: Tensor) -> Estimate:
        """Estimates the haze of whole clips: as `advance` frame by frame, but all frames at once where it can be.

        Args:
            pictures: (n * frames, 3, h, w), RGB in [0, 1], clip by clip.
            fresh: (n, frames), 1 where a new scene begins, 0 elsewhere.

        Returns:
            The estimates of all pictures, in their order.
        """
        skips = self._look(pictures)
        if self.memory is not None:
            steps = skips[-1].reshape(*fresh.shape, *skips[-1].shape[1:]).unbind(1)
            state, told = self.blank(pictures[: len(fresh)]), []
            for features, new in zip(steps, fresh.unbind(1), strict=True):
                features, state = self.memory(features, state * (1.0 - new)[:, None, None, None])
                told.append(features)
            skips[-1] = torch.stack(told, 1).flatten(0, 1)
        return self._say(pictures, skips)

    def blank(self, picture: Tensor) -> Tensor:
        """What a network with a memory remembers before the first frame, for pictures (n, 3, h, w): zeros."""
        height, width = (-(-side // self.state_stride) for side in picture.shape[-2:])
        return picture.new_zeros(len(picture), self.size.memory, height, width)

    def _look(self, picture: Tensor) -> list[Tensor]:
        """Features at strides 2 to 16."""
        features = functional.relu(self.stem(picture) + self.hint(priors(picture)))
        skips: list[Tensor] = []
        for i in range(len(self.up)):
            features = self.down[i](features)
            skips.append(features)
        return skips

    def _say(self, picture: Tensor, skips: list[Tensor]) -> Estimate:
        """What the features at strides 2 to 16 tell."""
        deep = self.context(self.down[-1](skips[-1]))
        airlight, hazy = self._whole(picture, deep)
        features = deep
        for i in reversed(range(len(self.up))):
            raised = functional.interpolate(self.lateral[i](features), size=skips[i].shape[-2:], mode="nearest")
            features = self.up[i](functional.relu(raised + skips[i]))
        return self._answer(self.maps(features), airlight, hazy)

    def _whole(self, picture: Tensor, deep: Tensor) -> tuple[Tensor, Tensor]:
        """Airlight (n, 3) and the logit of haze (n,) from the deepest features."""
        # From the picture at half its size, which the priors need as well: windows of 32 over all of it were slow.
        half = functional.avg_pool2d(picture, 2)
        small = functional.avg_pool2d(half, 2 ** (len(self.down) - 1), ceil_mode=True, count_include_pad=False)
        look = self.look(deep)
        weight = torch.softmax(look[:, :1].flatten(2), 2)
        seen = (weight * (small + 0.1 * look[:, 1:]).flatten(2)).sum(2)
        whole = self.answer(torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], 1))
        return (seen + 0.1 * whole[:, :3]).clamp(0.0, 1.0), whole[:, 3]

    def _answer(self, maps: Tensor, airlight: Tensor, hazy: Tensor) -> Estimate:
        light, brighter, richer, added = torch.split(maps, [1, 1, 1, 3], 1)
        transmission = MIN_TRANSMISSION + (1.0 - MIN_TRANSMISSION) * torch.sigmoid(light)
        luma = _at_least(MIN_LUMA, transmission * torch.exp(brighter.clamp(-2.0, 2.0)))
        chroma = _at_least(MIN_CHROMA, transmission * torch.exp(richer.clamp(-2.0, 2.0)))
        veil = airlight[:, :, None, None] * (1.0 - transmission) + 0.2 * added
        density = torch.sigmoid(hazy) * (1.0 - transmission).mean((1, 2, 3))
        return Estimate(transmission, airlight, density, luma, chroma, veil, hazy)


def _stage(before: int, width: int, insides: tuple[int, ...], level: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    if level > 0:
        layers.append(_convolve(before, before, stride=2, groups=before, level=level, norm=False))
        layers += [_convolve(before, width, 1, level=level), nn.ReLU()]
    layers += [_Block(width, inside, level) for inside in insides]
    return nn.Sequential(*layers)


def _at_least(low: float, values: Tensor) -> Tensor:
    """Clips from below; while learning the gradient passes, or what was clipped once would never come back."""
    clipped = values.clamp_min(low)
    return values + (clipped - values).detach() if values.requires_grad else clipped


def build(name: str, size: Size | None = None) -> Estimator:
    """Builds the network of that name, freshly initialised from torch's generator.

    Args:
        name: One of `SIZES`.
        size: Its size if it is not the one of that name, as after pruning.

    Raises:
        UsageError: No size of that name.
    """
    if name not in SIZES:
        raise UsageError(f"network {name!r} is not one of {', '.join(SIZES)}")
    return Estimator(size or SIZES[name])


def build_any(name: str, size: Size | None = None) -> Estimator | AODNet:
    """Builds an estimator as `build` does, or the restorer `aod`.

    Raises:
        UsageError: No network of that name.
    """
    if name == "aod":
        return AODNet()
    if name not in SIZES:
        raise UsageError(f"network {name!r} is not one of {', '.join(SIZES)}, aod")
    return build(name, size)
