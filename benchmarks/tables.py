"""Tables in Markdown, and figures in them: a median with its least and greatest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["Figures", "records", "said", "short", "spread_of", "table"]

Figures = dict[str, Any]

_SPREAD = ("_least", "_most", "_runs")
"""What stands behind a figure's name where it is kept with its spread (`results.spread`)."""


def short(value: object) -> str:
    """A figure with the digits that mean something."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    return f"{value:.{digits}f}"


def _bound(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.2g}"


def spread_of(row: Figures, name: str) -> str:
    """`49.2 (21 to 53)`; the first results kept the runs alone, or nothing but the median."""
    runs = row.get(f"{name}_runs") or []
    least, most = row.get(f"{name}_least", min(runs, default=None)), row.get(f"{name}_most", max(runs, default=None))
    said = short(row.get(name, ""))
    return said if least is None or most is None or least == most else f"{said} ({_bound(least)} to {_bound(most)})"


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """A table; the first column is words, the others are numbers."""
    heads = list(heads)
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---', *['---:'] * (len(heads) - 1)])} |"]
    return lines + [f"| {' | '.join(short(cell) for cell in row)} |" for row in rows]


def said(row: Figures) -> str:
    """A row for the terminal: `fps=49.2 (21 to 53)  cores=1.85`."""
    return "  ".join(f"{name}={spread_of(row, name)}" for name in row if not name.endswith(_SPREAD))


def records(rows: Sequence[Figures], without: Sequence[str] = ()) -> list[str]:
    """A table of what has one name in all rows; spreads stand behind their figures.

    Args:
        rows: With the same names.
        without: Names that are left out.
    """
    names = [
        name
        for name, value in rows[0].items()
        if not isinstance(value, dict | list) and name not in without and not name.endswith(_SPREAD)
    ]
    return table((name.replace("_", " ") for name in names), ([spread_of(row, name) for name in names] for row in rows))
