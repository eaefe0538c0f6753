"""How large the networks of the family are."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

__all__ = ["SIZES", "Size"]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a network of the family is."""

    widths: tuple[int, ...]
    """Channels at strides 2, 4, 8, 16, 32."""
    depths: tuple[int, ...]
    """Blocks at each of these strides on the way down."""
    expansion: int = 2
    """Width of a block's inside over its outside."""
    down: tuple[tuple[int, ...], ...] = ()
    """Widths of the insides of the blocks on the way down, per stride and block; empty: as `expansion` says."""
    up: tuple[int, ...] = ()
    """Likewise on the way up, one block a stride, 2 to 16; empty: as `expansion` says, 1 at stride 2."""
    memory: int = 0
    """Channels of what is remembered from frame to frame, at stride 16; 0 takes every picture by itself."""

    def explicit(self) -> Size:
        """The same size with the width of every inside written out."""
        down = tuple((width * self.expansion,) * depth for width, depth in zip(self.widths, self.depths, strict=True))
        up = tuple(width * (1 if i == 0 else self.expansion) for i, width in enumerate(self.widths[:-1]))
        return dataclasses.replace(self, down=self.down or down, up=self.up or up)


VIDEO = {"tiny": 4, "base": 48}
"""Channels of the memory of those networks that have a variant for video, `NAME-video`."""

SIZES: dict[str, Size] = {
    "tiny": Size((4, 6, 8, 8, 8), (0, 0, 1, 1, 1)),
    "fast": Size((16, 16, 32, 64, 128), (0, 0, 1, 2, 2)),
    "base": Size((16, 32, 64, 128, 160), (0, 1, 1, 3, 2)),
    "fine": Size((32, 64, 128, 256, 384), (2, 2, 3, 6, 4)),
}
SIZES |= {f"{name}-video": dataclasses.replace(SIZES[name], memory=memory) for name, memory in VIDEO.items()}
"""The sizes by name. `tiny` exists for tests; `fast` and `base` run beside codecs on a CPU, `fine` on a GPU."""
