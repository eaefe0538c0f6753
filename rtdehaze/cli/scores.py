"""Scores as tables for a terminal: measures below each other, models side by side."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from rtdehaze.apps.evaluate.results import DomainResult, Evaluation, Measure

__all__ = ["print_scores"]

_ARROWS = {"up": "↑", "down": "↓", "": " "}

_REFERENCES = ("untouched", "clear")
"""Columns that compete with nobody."""


def print_scores(evaluation: Evaluation) -> None:
    """Prints a table for each domain, and one over all of them where there are several."""
    console = Console(highlight=False)
    for result in evaluation.domains:
        console.print(_domain(result))
    if len(evaluation.domains) > 1:
        table = Table(title="all domains", title_justify="left", title_style="bold")
        methods = ("untouched", *evaluation.models)
        _head(table, "", methods)
        for result in evaluation.domains:
            measure = next(one for one in result.measures if one.key == result.headline)
            name = f"{result.domain.name}: {measure.title} {measure.unit}".rstrip()
            table.add_row(f"{name} {_ARROWS[measure.better]}", *_cells(measure, result, methods))
        console.print(table)
    console.print("↑ more is better, ↓ less is better; pictures dehazed at full size, gate off", style="dim")


def _domain(result: DomainResult) -> Table:
    count = f"{len(result.items)} {result.domain.kind.value}"
    table = Table(title=f"{result.domain.name} ({count})", title_justify="left", title_style="bold")
    _head(table, "", result.methods)
    for measure in result.known_measures():
        name = f"{measure.title} {measure.unit}".rstrip()
        table.add_row(f"{name} {_ARROWS[measure.better]}", *_cells(measure, result, result.methods))
    return table


def _head(table: Table, first: str, methods: Iterable[str]) -> None:
    table.add_column(first)
    for method in methods:
        table.add_column(method, justify="right")


def _cells(measure: Measure, result: DomainResult, methods: Iterable[str]) -> list[str]:
    values = {method: result.means.get(method, {}).get(measure.key, math.nan) for method in methods}
    competing = [value for method, value in values.items() if method not in _REFERENCES]
    best = measure.best(competing) if len(competing) > 1 else None
    return [
        f"[bold green]{measure.show(value)}[/]"
        if method not in _REFERENCES and best is not None and round(value, measure.digits) == best
        else measure.show(value)
        for method, value in values.items()
    ]
