"""A part of a list that stands for the whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["spread"]

_T = TypeVar("_T")


def spread(items: Sequence[_T], limit: int | None) -> list[_T]:
    """Returns at most `limit` of the items, evenly spread over them, in their order."""
    if limit is None or len(items) <= limit:
        return list(items)
    return [items[number * len(items) // limit] for number in range(limit)]
