"""`--config FILE.toml`: a command's parameters from a file; what is given on the command line wins.

Keys are the names of the options without their dashes (`max-latency` or `max_latency`) and of the argument (`input`).
A section groups keys for the reader and means nothing else; it bears no option's name. A list gives an option that may
be repeated. A table with a `name` stands for `NAME:KEY=VALUE,...`. `{ env = "NAME" }` and `{ file = "PATH" }` take a
value from the environment or from a file: for secrets. Paths are relative to the working directory, as on the command
line.
"""

from __future__ import annotations

import difflib
import functools
import os
import tomllib
from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

from rtdehaze.core.errors import UsageError
from rtdehaze.core.secrets import redacted

__all__ = ["config_option"]

Command = TypeVar("Command", bound=Callable[..., Any])

_PLACES = f"{__name__}.places"
"""Where a context notes, for every option of the file, its parameter and its place."""

_LARGEST_SECRET = 65536
"""Bytes of a file that may stand for a value."""


def config_option(command: Command) -> Command:
    """Adds `--config` to a command; it serves every other parameter that the command has.

    What the command itself finds wrong with a value of the file is refused with the file's name, too.
    """

    @functools.wraps(command)
    def saying_where(*arguments: Any, **choices: Any) -> Any:
        try:
            return command(*arguments, **choices)
        except UsageError as error:
            raise UsageError(_placed(str(error), click.get_current_context())) from error

    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=_load,
        metavar="FILE.toml",
        help="Take all that is not given here from a file.",
    )(cast("Command", saying_where))


def _placed(message: str, context: click.Context) -> str:
    """Returns what is wrong with an option, and where in the file it stands, if the value came from there.

    Such messages begin with the option's name.
    """
    option = message.replace(":", " ").partition(" ")[0]
    name, where = context.meta.get(_PLACES, {}).get(option, ("", ""))
    if not where or context.get_parameter_source(name) is not ParameterSource.DEFAULT_MAP:
        return message
    rest = message.removeprefix(option).removeprefix(":").strip()
    return f"{where}: {rest if rest.startswith('must ') else message}"


def _load(context: click.Context, this: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    known = {name: parameter for parameter in context.command.params for name in _names(parameter, this)}
    values: dict[str, Any] = {}
    places: dict[str, tuple[str, str]] = {}
    for section, key, value in _keys(_read(path), known):
        where = f"{path}: {section}.{key}" if section else f"{path}: {key}"
        parameter = known.get(key.replace("_", "-"))
        if parameter is None:
            raise UsageError(f"{where}: no such option{_nearest(key, list(known))}")
        name = str(parameter.name)
        if name in values:
            raise UsageError(f"{where}: given twice in this file")
        values[name] = _Value(parameter, context, where).of(value)
        places[key.replace("_", "-")] = name, where
    context.meta[_PLACES] = places
    context.default_map = {**(context.default_map or {}), **values}


def _names(parameter: click.Parameter, this: click.Parameter) -> list[str]:
    if isinstance(parameter, click.Argument):
        return [str(parameter.name).replace("_", "-")]
    if parameter is this or parameter.name == "help":
        return []
    return [name.removeprefix("--") for name in parameter.opts if name.startswith("--")]


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: not TOML: {error}") from None


def _keys(data: dict[str, Any], known: dict[str, click.Parameter]) -> Iterator[tuple[str, str, Any]]:
    """Yields section, key and value of every setting."""
    for key, value in data.items():
        if isinstance(value, dict) and key.replace("_", "-") not in known:
            for inner, content in value.items():
                yield key, inner, content
        else:
            yield "", key, value


def _is_reference(value: object) -> bool:
    return isinstance(value, dict) and len(value) == 1 and set(value) <= {"env", "file"}


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key.replace("_", "-"), known, n=1)
    return f"; did you mean {near[0]}?" if near else "; rtdehaze run --help lists what there is"


class _Value:
    """One setting on its way from TOML to what click takes for a default."""

    def __init__(self, parameter: click.Parameter, context: click.Context, where: str) -> None:
        self._parameter, self._context, self._where = parameter, context, where
        self._flag = isinstance(parameter, click.Option) and parameter.is_flag

    def of(self, value: object) -> object:
        """Returns the value, or a list of values where the parameter may be repeated."""
        parameter = self._parameter
        if isinstance(parameter, click.Option) and parameter.multiple:
            if not isinstance(value, list):
                return [self._single(value, self._where)]
            return [self._single(item, f"{self._where}[{number}]") for number, item in enumerate(value)]
        return self._single(value, self._where)

    def _single(self, value: object, where: str) -> object:
        if isinstance(value, dict):
            value = _referred(value, where) if _is_reference(value) else _joined(value, where)
        kind = self._parameter.type
        if self._flag or kind in (click.INT, click.FLOAT):
            expected = "true or false" if self._flag else "a whole number" if kind is click.INT else "a number"
            allowed = bool if self._flag else int if kind is click.INT else (int, float)
            if not isinstance(value, allowed) or isinstance(value, bool) is not self._flag:
                raise UsageError(f"{where}: must be {expected}, not {redacted(repr(value))}")
            return value
        if isinstance(value, bool) or not isinstance(value, str | int | float | time):
            raise UsageError(f"{where}: must be a text, not {redacted(repr(value))}")
        text = str(value)
        try:
            kind.convert(text, self._parameter, self._context)
        except click.UsageError as error:
            raise UsageError(f"{where}: {redacted(error.message)}") from None
        return text


def _referred(value: dict[str, Any], where: str) -> str:
    """Looks a value up in the environment or in a file; errors name the place, never what is there."""
    ((kind, name),) = value.items()
    if not isinstance(name, str):
        raise UsageError(f"{where}: {kind} must be a text")
    if kind == "env":
        if name not in os.environ:
            raise UsageError(f"{where}: there is no environment variable {name}")
        return os.environ[name]
    try:
        with Path(name).open(encoding="utf-8") as file:
            return file.read(_LARGEST_SECRET).strip()
    except OSError as error:
        raise UsageError(f"{where}: {name}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{where}: {name}: not a text") from None


def _joined(value: dict[str, Any], where: str) -> str:
    """Writes a table as `NAME:KEY=VALUE,...`."""
    left = dict(value)
    name = left.pop("name", None)
    if not isinstance(name, str):
        raise UsageError(f'{where}: a table of an option needs name = "..."; a section needs a name of its own')
    return f"{name}:" + ",".join(f"{key}={part}" for key, part in left.items())
