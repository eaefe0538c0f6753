"""What an evaluation found, in a form that tables, JSON and the page share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtdehaze.apps.evaluate.domains import Domain
from rtdehaze.apps.evaluate.gallery import Scene

__all__ = ["HIGHEST_PSNR", "UNTOUCHED", "DomainResult", "Evaluation", "Item", "Measure", "Scores", "mean_scores"]

HIGHEST_PSNR = 60.0
"""dB. A picture counts as no more, so that an equal one does not make a mean infinite."""

UNTOUCHED = "untouched"
"""The column of the hazy pictures as they are."""

Scores = Mapping[str, float]
"""Key of a measure -> its value; NaN or missing where it is not known."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of figures and how to read it."""

    key: str
    title: str
    meaning: str
    digits: int = 2
    unit: str = ""
    better: str = ""
    """`up`, `down`, or empty where neither is better by itself."""

    def show(self, value: float | None) -> str:
        """The value as text, a dash where it is not known."""
        return "-" if value is None or math.isnan(value) else f"{value:.{self.digits}f}"

    def best(self, values: Iterable[float]) -> float | None:
        """The best of some values as they are shown; None where no value is better than another."""
        known = [round(value, self.digits) for value in values if not math.isnan(value)]
        if not known or not self.better:
            return None
        return max(known) if self.better == "up" else min(known)


@dataclass(frozen=True, slots=True)
class Item:
    """One picture or clip."""

    name: str
    scores: Mapping[str, Scores]
    """Method (a model's label, `untouched`, `clear`) -> its scores."""


@dataclass(frozen=True, slots=True)
class DomainResult:
    """The scores on one domain."""

    domain: Domain
    measures: tuple[Measure, ...]
    headline: str
    """Key of the measure that stands for the domain."""
    methods: tuple[str, ...]
    """Those that have figures, in the order of the tables."""
    items: list[Item]
    means: Mapping[str, Scores]
    skipped: list[str] = field(default_factory=list)
    """What was left out, and why."""
    clear_items: list[Item] = field(default_factory=list)
    """Clear pictures put in."""
    scenes: list[Scene] = field(default_factory=list)
    """Pictures to look at."""

    def known_measures(self) -> list[Measure]:
        """The measures of which there is any figure."""
        return [
            measure
            for measure in self.measures
            if any(not math.isnan(scores.get(measure.key, math.nan)) for scores in self.means.values())
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; unknown figures are null."""
        return {
            "name": self.domain.name,
            "kind": self.domain.kind.value,
            "source": self.domain.source,
            "count": len(self.items),
            "skipped": self.skipped,
            "means": _plain(self.means),
            "items": [{"name": item.name, "scores": _plain(item.scores)} for item in self.items],
            "clear_items": [{"name": item.name, "scores": _plain(item.scores)} for item in self.clear_items],
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The scores of some models on some domains."""

    models: Mapping[str, Mapping[str, Any]]
    """Label -> what the model is."""
    settings: Mapping[str, Any]
    domains: list[DomainResult]

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        measures = {measure.key: measure for result in self.domains for measure in result.measures}
        return {
            "models": {label: dict(about) for label, about in self.models.items()},
            "settings": dict(self.settings),
            "measures": {
                key: {"title": one.title, "unit": one.unit, "better": one.better, "meaning": one.meaning}
                for key, one in measures.items()
            },
            "domains": [result.to_dict() for result in self.domains],
        }


def mean_scores(items: Iterable[Item], measures: Iterable[Measure]) -> dict[str, dict[str, float]]:
    """Method -> measure -> mean over the items in which it is known."""
    keys = {measure.key for measure in measures}
    found: dict[str, dict[str, list[float]]] = {}
    for item in items:
        for method, scores in item.scores.items():
            columns = found.setdefault(method, {})
            for key, value in scores.items():
                if key in keys and not math.isnan(value):
                    columns.setdefault(key, []).append(value)
    return {
        method: {key: math.fsum(values) / len(values) for key, values in columns.items()}
        for method, columns in found.items()
    }


def _plain(table: Mapping[str, Scores]) -> dict[str, dict[str, float | None]]:
    return {
        method: {key: round(value, 6) if math.isfinite(value) else None for key, value in scores.items()}
        for method, scores in table.items()
    }
