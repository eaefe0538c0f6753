"""TOML tables as typed dataclasses: unknown keys and values of another type are refused by name."""

from __future__ import annotations

import dataclasses
import math
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from rtdehaze.core.errors import UsageError

__all__ = ["read_table"]

_T = TypeVar("_T")


def read_table(kind: type[_T], table: object, where: str) -> _T:
    """Builds a dataclass from a table, key by key.

    Args:
        kind: The dataclass; its fields may be bool, int, float, str, tuples of them, dataclasses, or `X | None`.
        table: What the file holds.
        where: Path of the table, empty for the whole file; named in messages.

    Raises:
        UsageError: A key is unknown or missing, or its value is of another type; the message names the key.
    """
    if not isinstance(table, dict):
        raise UsageError(f"{where or 'the configuration'} must be a table of keys, not {table!r}")
    hints = get_type_hints(kind)
    for key in table:
        if key not in hints:
            known = ", ".join(sorted(hints))
            raise UsageError(f"unknown key {_join(where, key)} in the configuration; known here: {known}")
    try:
        return kind(**{key: _value(hints[key], value, _join(where, key)) for key, value in table.items()})
    except TypeError as error:
        raise UsageError(f"{where or 'the configuration'} is incomplete: {error}") from error


def _value(kind: Any, value: object, where: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return read_table(kind, value, where)  # type: ignore[arg-type]
    if isinstance(kind, UnionType):
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if not isinstance(value, list) or (inner[-1] is not Ellipsis and len(value) != len(inner)):
            raise UsageError(f"{where} is {value!r}, but must be a list{_count(inner)}")
        return tuple(_value(inner[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{where} is {value!r}, but must be a finite number")
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise UsageError(f"{where} is {value!r}, but must be of type {kind.__name__}")
    return value


def _count(inner: tuple[Any, ...]) -> str:
    return "" if inner[-1] is Ellipsis else f" of {len(inner)}"


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
