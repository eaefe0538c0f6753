"""A memory for video: a convolutional GRU that a network carries from frame to frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["ConvGRU"]

REMEMBERS = 1.0
"""Bias of the gate that keeps the old state: a fresh memory keeps 73 % of it (Jozefowicz et al. 2015, section 2.2)."""


class ConvGRU(nn.Module):
    """A gated recurrent unit whose products are convolutions (Ballas et al. 2016, eq. 7 to 10; Cho et al. 2014).

    It adds to the features what it has to say about them. That starts at nothing: a network that was trained on
    single pictures answers as before until it has learned otherwise.

    Args:
        width: Channels of the features.
        memory: Channels of the state.
    """

    def __init__(self, width: int, memory: int) -> None:
        super().__init__()
        self.width = memory
        self.look = nn.Conv2d(width, memory, 1)
        self.gates = nn.Conv2d(2 * memory, 2 * memory, 3, padding=1)
        self.candidate = nn.Conv2d(2 * memory, memory, 3, padding=1)
        self.tell = nn.Conv2d(2 * memory, width, 1)
        with torch.no_grad():
            nn.init.zeros_(self.gates.bias)  # type: ignore[arg-type]
            self.gates.bias[:memory] = REMEMBERS  # type: ignore[index]
            nn.init.zeros_(self.tell.weight)
            nn.init.zeros_(self.tell.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Takes a frame's features (n, width, h, w) and the state (n, memory, h, w).

        Returns:
            The features with what is remembered added, and the new state.
        """
        seen = self.look(features)
        keep, use = torch.sigmoid(self.gates(torch.cat([seen, state], 1))).chunk(2, 1)
        new = torch.tanh(self.candidate(torch.cat([seen, use * state], 1)))
        after = new + keep * (state - new)
        # Past and present apart, so that it can say how the one differs from the other.
        return features + torch.as_tensor(self.tell(torch.cat([after, new], 1))), after
