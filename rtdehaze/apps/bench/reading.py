"""Reads a benchmark's file; whatever is not as `write_bench` leaves it is refused here, in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from rtdehaze.apps.bench.results import SCHEMA, Bench, Reference, Row, Spread
from rtdehaze.core.errors import UsageError

__all__ = ["read_bench"]

_SHOWN = 40
"""Characters of a wrong value that a message repeats."""

_MOST = 1e15
"""No figure is as large."""

_PERCENTILES = ("p50", "p95", "p99")


class _DamagedError(Exception):
    """A value is missing or cannot be; the text says which."""


def read_bench(path: Path) -> Bench:
    """Reads what `write_bench` wrote.

    Raises:
        UsageError: It cannot be read, is something else, or is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON: {error}") from error
    except RecursionError as error:
        raise UsageError(f"{path} is damaged: its lists lie too deep in each other") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        said = content.get("schema") if isinstance(content, dict) else None
        raise UsageError(
            f"{path} was not written by rtdehaze bench --json: its schema is {_shown(said)}, not {SCHEMA!r}"
        )
    try:
        return _bench(_Part(content, ""))
    except _DamagedError as error:
        raise UsageError(f"{path} is damaged: {error}") from error


class _Part:
    """An object of the file: gives its values where they are what they must be.

    Args:
        values: By name.
        where: Its own place in the file, for messages.
    """

    def __init__(self, values: Any, where: str) -> None:
        if not isinstance(values, dict):
            raise _DamagedError(f"{where} is no object but {_shown(values)}")
        if not all(map(_is_word, values)):
            raise _DamagedError(f"{where} has a name that is no text")
        self._values, self._where = values, where
        self.names: tuple[str, ...] = tuple(values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def value(self, name: str, fits: Callable[[Any], bool], kind: str) -> Any:
        """Returns a value that fits."""
        found = self._values.get(name)
        if name not in self._values or not fits(found):
            said = _shown(found) if name in self._values else "missing"
            raise _DamagedError(f"{self._place(name)} must be {kind} but is {said}")
        return found

    def part(self, name: str) -> _Part:
        """Returns an object."""
        return _Part(self._values.get(name), self._place(name))

    def parts(self, name: str) -> list[_Part]:
        """Returns a list's objects."""
        found = self.value(name, lambda value: isinstance(value, list), "a list")
        return [_Part(one, f"{self._place(name)}[{number}]") for number, one in enumerate(found)]

    def word(self, name: str) -> str:
        """Returns a text."""
        return str(self.value(name, _is_word, "a text"))

    def number(self, name: str, *, positive: bool = False) -> float:
        """Returns a number, at least 0."""
        if positive:
            return float(self.value(name, lambda value: _is_number(value) and value > 0, "a number above 0"))
        return float(self.value(name, lambda value: _is_number(value) and value >= 0, "a number, 0 or more"))

    def count(self, name: str) -> int:
        """Returns a whole number, at least 0."""
        return int(self.value(name, lambda value: _is_number(value) and value >= 0 and value == int(value), "a count"))

    def plain(self) -> dict[str, Any]:
        """Returns all values; they must be texts, numbers or nothing."""
        return {name: self.value(name, _is_plain, "a text or a number") for name in self.names}

    def spread(self, name: str, *, positive: bool = False) -> Spread:
        """Returns a figure that was measured several times."""
        part = self.part(name)
        runs = part.value("runs", lambda value: isinstance(value, list) and all(map(_is_number, value)), "numbers")
        low, median, high = (part.number(which, positive=positive) for which in ("low", "median", "high"))
        return Spread(median, low, high, tuple(runs))

    def _place(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name


def _bench(part: _Part) -> Bench:
    # The first versions did not look at stolen time.
    stolen = part.value("stolen", _or_none(_is_number), "a number") if "stolen" in part else None
    return Bench(
        date=part.word("date"),
        machine=_machine(part.part("machine")),
        stolen=stolen,
        settings=part.part("settings").plain(),
        interrupted=part.value("interrupted", lambda value: isinstance(value, bool), "true or false"),
        rows=tuple(map(_row, part.parts("rows"))),
    )


def _machine(part: _Part) -> dict[str, Any]:
    found = {
        name: part.value(name, _is_plain, "a text or a number")
        for name in part.names
        if name not in ("libraries", "gpus")
    }
    gpus = [
        {"name": gpu.word("name"), "driver": gpu.word("driver"), "memory_mib": gpu.count("memory_mib")}
        for gpu in part.parts("gpus")
    ]
    return found | {"gpus": gpus, "libraries": part.part("libraries").plain()}


def _row(part: _Part) -> Row:
    reference, stages = part.part("reference"), part.part("stages_ms")
    return Row(
        **{name: part.word(name) for name in ("size", "codec", "model", "provider", "provider_note")},
        rounds=part.count("rounds"),
        frames=part.count("frames"),
        fps=part.spread("fps", positive=True),
        reference=Reference(
            what=reference.word("what"),
            fps=reference.spread("fps", positive=True),
            cores=reference.spread("cores"),
            rss_mib=reference.number("rss_mib", positive=True),
        ),
        ratio=part.spread("ratio"),
        stages_ms={stage: _numbers(stages.part(stage), (*_PERCENTILES, "mean")) for stage in stages.names},
        latency_ms=_numbers(part.part("latency_ms"), _PERCENTILES),
        cores=part.spread("cores"),
        rss_mib=part.number("rss_mib", positive=True),
        held_mib=part.number("held_mib"),
        gpu_memory_mib=part.value("gpu_memory_mib", _or_none(_is_number), "a number or null"),
    )


def _numbers(part: _Part, names: Iterable[str]) -> dict[str, float]:
    return {name: part.number(name) for name in names}


def _is_number(value: Any) -> bool:
    """Neither infinite, nor NaN, nor a whole number that no float can hold."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST


def _is_word(value: Any) -> bool:
    """Half a pair of surrogates, which JSON can say, cannot be printed."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_plain(value: Any) -> bool:
    return value is None or _is_word(value) or _is_number(value)


def _or_none(fits: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or fits(value)


def _shown(value: Any) -> str:
    """A wrong value in few words; what lies in a list is not worth them."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    said = ascii(value)
    return said if len(said) <= _SHOWN else said[: _SHOWN - 3] + "..."
