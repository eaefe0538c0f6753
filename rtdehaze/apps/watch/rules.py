"""Rules about haze in words: `density>0.5 for 10s until density<0.4 for 30s`, read and followed over time."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rtdehaze.apps.watch.visibility import QUANTITIES
from rtdehaze.core.errors import UsageError

__all__ = ["Change", "Condition", "Rule", "Tracker", "parse_rule"]

_COMPARISONS = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_OPPOSITES = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
_SECONDS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
_METRES = {"m": 1.0, "km": 1e3}
_TOKEN = re.compile(r"\s*(?:(?P<comparison>[<>]=?)|(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<word>[A-Za-z]+)|(?P<other>\S))")

_LONGEST_GAP_S = 5.0
"""Between two frames: what was not seen for longer neither held nor did not, so waiting begins anew. As long as a
source may be silent before it counts as lost."""

_ROUNDING_S = 1e-6
"""Timestamps are sums of rationals turned into floats: ten seconds may come out a hair short."""


class Change(StrEnum):
    """What happened to a rule."""

    BEGAN = "began"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison that must hold for a time."""

    comparison: str
    """`>`, `>=`, `<` or `<=`."""
    number: float
    seconds: float

    def holds(self, value: float) -> bool:
        """Says whether a value meets it, for however short."""
        return bool(_COMPARISONS[self.comparison](value, self.number))


@dataclass(frozen=True, slots=True)
class Rule:
    """When an event begins and when it ends."""

    text: str
    """As the user wrote it."""
    quantity: str
    """One of `QUANTITIES`, or `visibility_m` in metres."""
    begin: Condition
    end: Condition


class Tracker:
    """Follows one rule over a run.

    Args:
        rule: What to follow.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.began: float | None = None
        """When the present event began, on the run's clock; None where there is none."""
        self._since: float | None = None
        self._last: float | None = None

    def update(self, numbers: Mapping[str, float], pts: float) -> Change | None:
        """Takes one frame.

        Args:
            numbers: Value of each quantity.
            pts: Seconds on the run's clock; a step back, or one of more than 5 s that is also longer than the rule's
                own time, begins the waiting anew.

        Returns:
            What the frame brought about.
        """
        awaited = self.rule.begin if self.began is None else self.rule.end
        if self._last is not None and not 0 <= pts - self._last <= max(_LONGEST_GAP_S, awaited.seconds):
            self._since = None
        self._last = pts
        if not awaited.holds(numbers[self.rule.quantity]):
            self._since = None
            return None
        self._since = pts if self._since is None else self._since
        if pts - self._since < awaited.seconds - _ROUNDING_S:
            return None
        self._since = None
        self.began = pts if self.began is None else None
        return Change.ENDED if self.began is None else Change.BEGAN


def parse_rule(text: str) -> Rule:
    """Reads a rule.

    In Backus and Naur's form::

        rule      = condition ["until" condition]
        condition = [quantity] ("<" | "<=" | ">" | ">=") number ["m" | "km"] ["for" number ("ms" | "s" | "min" | "h")]

    The quantity may be left out after `until`. Without `until` the event ends when its condition has not held for as
    long as it had to hold at the beginning; the same time is taken where `until` names none. `visibility` with a unit
    is in metres.

    Raises:
        UsageError: It is no rule; the message shows where.
    """
    reader = _Reader(text)
    quantity, begin = _condition(reader, None, 0.0)
    end = Condition(_OPPOSITES[begin.comparison], begin.number, begin.seconds)
    if reader.take("until"):
        at = reader.place
        _, end = _condition(reader, quantity, begin.seconds)
        if begin.comparison[0] == end.comparison[0] or (begin.holds(end.number) and end.holds(begin.number)):
            reader.refuse("a condition that never holds together with the first, such as density<0.4", at)
    reader.end()
    return Rule(text, quantity, begin, end)


def _condition(reader: _Reader, before: str | None, seconds: float) -> tuple[str, Condition]:
    """Reads a condition; `before` is the quantity that it must be about, `seconds` how long it holds if not told."""
    at = reader.place
    named = reader.word(QUANTITIES, required=before is None) or (before or "").removesuffix("_m")
    comparison = reader.comparison()
    number_at = reader.place
    number = reader.number()
    unit = reader.word(tuple(_METRES), required=False) if named == "visibility" else None
    quantity = f"{named}_m" if unit else named
    if before is not None and quantity != before:
        reader.refuse("metres (m or km), as before" if before == f"{named}_m" else f"{before}, as before", at)
    if not unit and number > 1:
        reader.refuse("a number from 0 to 1", number_at)
    if reader.take("for"):
        seconds = reader.number()
        seconds *= _SECONDS[reader.word(tuple(_SECONDS), required=True)]
    return quantity, Condition(comparison, number * _METRES[unit or "m"], seconds)


class _Reader:
    """The words of a rule, one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [(match[match.lastgroup or 0], match.lastgroup, match.start(match.lastgroup or 0))
                        for match in _TOKEN.finditer(text)]  # fmt: skip
        self._next = 0

    @property
    def place(self) -> int:
        return self._next

    def take(self, word: str) -> bool:
        there = self._peek()[0] == word
        self._next += there
        return there

    def word(self, allowed: tuple[str, ...], *, required: bool) -> str:
        value, _ = self._peek()
        if value not in allowed:
            if required:
                self.refuse(", ".join(allowed[:-1]) + f" or {allowed[-1]}")
            return ""
        self._next += 1
        return value

    def comparison(self) -> str:
        value, kind = self._peek()
        if kind != "comparison":
            self.refuse("<, <=, > or >=")
        self._next += 1
        return value

    def number(self) -> float:
        value, kind = self._peek()
        if kind != "number":
            self.refuse("a number")
        self._next += 1
        return float(value)

    def end(self) -> None:
        if self._next < len(self._tokens):
            self.refuse("'for', 'until' or the end")

    def refuse(self, expected: str, place: int | None = None) -> None:
        place = self._next if place is None else place
        where = "at the end"
        if place < len(self._tokens):
            value, _, start = self._tokens[place]
            where = f"at {value!r} (character {start + 1})"
        raise UsageError(f"on-haze rule {self._text!r}: expected {expected} {where}")

    def _peek(self) -> tuple[str, str | None]:
        return self._tokens[self._next][:2] if self._next < len(self._tokens) else ("", None)
