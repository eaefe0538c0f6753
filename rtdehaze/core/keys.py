"""Reading the tables of a model card: key by key, with errors that name the key and the value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from rtdehaze.core.errors import ModelError

__all__ = ["Keys"]

LARGEST_WHOLE = 4096
"""Whole numbers in a card are samples of a thumbnail's side, or channels of a state; both are small on purpose."""

_T = TypeVar("_T")
_REQUIRED: Any = object()


class Keys:
    """One table of a card, read key by key; what is left at the end was not known.

    Every method that reads a key raises `ModelError` if it is missing or holds something else.
    """

    def __init__(self, data: object, where: str, prefix: str) -> None:
        self._where, self._prefix = where, prefix
        if not isinstance(data, dict):
            raise ModelError(f"{where}: {prefix or 'the card'} must be a table of keys, not {_short(data)}")
        self._left: dict[str, Any] = dict(data)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def refuse(self, key: str, value: object, expected: str) -> None:
        """Raises the error that names the key and the value."""
        raise ModelError(f"{self._where}: {self._path(key)} is {_short(value)}, but must be {expected}")

    def done(self) -> None:
        """Refuses keys that nobody asked for: a misspelt key must not be ignored."""
        for key, value in self._left.items():
            raise ModelError(f"{self._where}: unknown key {self._path(key)} (its value is {_short(value)})")

    def text(self, key: str, default: str = _REQUIRED) -> str:
        """Reads a text; one without default may not be blank."""
        value = self._take(key, default)
        if not isinstance(value, str) or (default is _REQUIRED and not value.strip()):
            self.refuse(key, value, "a text")
        return str(value)

    def choice(self, key: str, allowed: Sequence[str], default: str = _REQUIRED) -> str:
        """Reads one of the allowed words."""
        value = self._take(key, default)
        if value not in allowed:
            self.refuse(key, value, "one of " + ", ".join(allowed))
        return str(value)

    def number(self, key: str) -> float:
        """Reads a finite number."""
        return self._finite(key, self._take(key, _REQUIRED))

    def whole(self, key: str, default: int = _REQUIRED) -> int:
        """Reads a whole number from 1."""
        value = self._take(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST_WHOLE:
            self.refuse(key, value, f"a whole number from 1 to {LARGEST_WHOLE}")
        return int(value)

    def numbers(self, key: str, count: int, default: tuple[float, ...]) -> tuple[float, ...]:
        """Reads a list of so many finite numbers."""
        value = self._take(key, list(default))
        if not isinstance(value, list) or len(value) != count:
            self.refuse(key, value, f"a list of {count} numbers")
        return tuple(self._finite(key, item) for item in value)

    def table(self, key: str) -> Keys:
        """Reads a table within."""
        return Keys(self._take(key, _REQUIRED), self._where, self._path(key))

    def tables(self, key: str) -> list[Keys]:
        """Reads a list of tables; none if the key is missing."""
        value: object = self._take(key, [])
        if not isinstance(value, list):
            raise ModelError(f"{self._where}: {self._path(key)} is {_short(value)}, but must be a list")
        return [Keys(item, self._where, f"{self._path(key)}[{index}]") for index, item in enumerate(value)]

    def _finite(self, key: str, value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9
        if not good:
            self.refuse(key, value, "a finite number")
        return float(value)

    def _take(self, key: str, default: _T) -> _T:
        if key not in self._left and default is _REQUIRED:
            raise ModelError(f"{self._where}: {self._path(key)} is missing")
        value: _T = self._left.pop(key, default)
        return value

    def _path(self, key: str) -> str:
        return f"{self._prefix}.{key}" if self._prefix else key


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
