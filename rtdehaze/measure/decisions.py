"""How often a yes or no is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

__all__ = ["Decisions"]


@dataclass(frozen=True, slots=True)
class Decisions:
    """Counts of answers to "is it hazy?" against the truth."""

    true_hazy: int = 0
    """Hazy pictures that were called hazy."""
    false_hazy: int = 0
    """Clear pictures that were called hazy."""
    true_clear: int = 0
    false_clear: int = 0
    """Hazy pictures that were called clear."""

    @classmethod
    def count(cls, answers_on_hazy: Iterable[bool], answers_on_clear: Iterable[bool]) -> Self:
        """Counts answers, true for "hazy", on pictures that are hazy and on pictures that are clear."""
        hazy, clear = list(answers_on_hazy), list(answers_on_clear)
        return cls(sum(hazy), sum(clear), len(clear) - sum(clear), len(hazy) - sum(hazy))

    @property
    def accuracy(self) -> float:
        """Share of right answers; NaN without any."""
        total = self.true_hazy + self.false_hazy + self.true_clear + self.false_clear
        return _share(self.true_hazy + self.true_clear, total)

    @property
    def precision(self) -> float:
        """Share of hazy ones among those called hazy; NaN if none was."""
        return _share(self.true_hazy, self.true_hazy + self.false_hazy)

    @property
    def recall(self) -> float:
        """Share of those called hazy among the hazy ones; NaN if there was none."""
        return _share(self.true_hazy, self.true_hazy + self.false_clear)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN if nothing was hazy and nothing was called so."""
        return _share(2 * self.true_hazy, 2 * self.true_hazy + self.false_hazy + self.false_clear)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
