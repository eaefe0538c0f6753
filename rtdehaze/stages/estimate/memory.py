"""What a model for video remembers of a clip between two frames."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

__all__ = ["Memory"]

Array = NDArray[Any]


class Memory:
    """Holds the state of one clip for a model that has one; models without never touch it.

    One for each clip, and its frames one after the other: the model itself keeps nothing, so that it may be shared.
    """

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._arrays: tuple[Array, ...] = ()

    def forget(self) -> None:
        """The next frame is taken as the first of its scene: at a cut, a seek, another source."""
        self._size, self._arrays = None, ()

    def recall(self, size: tuple[int, int]) -> tuple[Array, ...]:
        """Returns the states, empty if there are none for thumbnails of that (height, width)."""
        return self._arrays if size == self._size else ()

    def keep(self, size: tuple[int, int], arrays: tuple[Array, ...]) -> None:
        """Takes the states that a frame left behind."""
        self._size, self._arrays = size, arrays
