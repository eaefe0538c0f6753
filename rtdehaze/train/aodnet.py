"""AOD-Net, the baseline to beat: a restorer of 1,761 parameters (Li, Peng, Wang, Xu, Feng 2017, ICCV)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["AODNet"]

BIAS = 1.0
"""The paper's b."""
KERNELS = (1, 3, 5, 7, 3)
"""Sides of the five convolutions."""
SOURCES: tuple[tuple[int, ...], ...] = ((), (0,), (0, 1), (1, 2), (0, 1, 2, 3))
"""What each convolution looks at: the convolutions before it, side by side; none is the picture (figure 3)."""


class AODNet(nn.Module):
    """The haze model with transmission and airlight in one map: J = K * I - K + b (eq. 4 and 5).

    Differs from the paper in how it starts: at K = 1, the untouched picture, where K = 0 would be a dead rectifier.
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(3 * max(1, len(seen)), 3, side, padding=side // 2)
            for side, seen in zip(KERNELS, SOURCES, strict=True)
        )
        last = self.convolutions[-1]
        with torch.no_grad():
            last.weight.mul_(0.1)  # type: ignore[operator]
            last.bias.fill_(1.0)  # type: ignore[operator]

    def forward(self, picture: Tensor) -> Tensor:
        """Restores RGB pictures (n, 3, h, w) in [0, 1] of any size; the answer is of the same size, >= 0."""
        found: list[Tensor] = []
        for convolution, seen in zip(self.convolutions, SOURCES, strict=True):
            inside = torch.cat([found[i] for i in seen], 1) if seen else picture
            found.append(functional.relu(convolution(inside)))
        return functional.relu(found[-1] * (picture - 1.0) + BIAS)
