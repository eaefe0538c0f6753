"""Laws by which cost grows, fitted to what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

__all__ = ["CROWDS", "at", "fit", "slowest"]

CROWDS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"1 / streams": lambda at: 1 / at, "log2(streams)": np.log2}
"""More streams fill idle cores; where there are none they push each other's frames out of the caches."""


def fit(
    x: Sequence[float], y: Sequence[float], basis: Callable[[np.ndarray], np.ndarray], words: str
) -> dict[str, Any]:
    """Fits y = a + b * basis(x), the relative error least squared, neither a nor b below 0.

    Args:
        x: Where.
        y: What was measured, above 0.
        basis: Of the second term.
        words: The law, with `{a}` and `{b}`.

    Returns:
        The law in words, its numbers, and the largest relative error that it leaves.
    """
    values, at = np.asarray(y, float), basis(np.asarray(x, float))
    columns = np.stack([np.ones_like(at), at], 1)
    (a, b), *_ = np.linalg.lstsq(columns / values[:, None], np.ones_like(values), rcond=None)
    if a < 0 or b < 0:
        kept = 1 if a < 0 else 0
        column = columns[:, kept] / values
        only = float(column.sum() / (column @ column))
        a, b = (0.0, only) if kept == 1 else (only, 0.0)
    off = float(np.abs((a + b * at) / values - 1).max())
    law = words.format(a=f"{a:.3g}", b=f"{b:.3g}")
    return {"law": law, "a": round(float(a), 4), "b": round(float(b), 4), "largest_error": round(off, 3)}


def slowest(x: Sequence[float], y: Sequence[float], parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The law of stages that run at the same time: the slowest sets the pace, so nothing is left to be fitted.

    Args:
        x: Where.
        y: What was measured of all together, above 0.
        parts: The stages' own laws, straight lines.

    Returns:
        As `fit`; `parts` instead of `a` and `b`.
    """
    found: dict[str, Any] = {"parts": [{"a": part["a"], "b": part["b"]} for part in parts]}
    off = np.abs(at(found, np.asarray(x, float)) / np.asarray(y, float) - 1).max()
    words = ", ".join(part["law"].removeprefix("ms = ") for part in parts)
    return {"law": f"ms = max({words})", **found, "largest_error": round(float(off), 3)}


def at(law: dict[str, Any], x: np.ndarray) -> np.ndarray:
    """What a law of the size says."""
    return np.max([part["a"] + part["b"] * x for part in law.get("parts", [law])], axis=0)
