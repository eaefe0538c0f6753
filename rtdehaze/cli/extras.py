"""Commands that need an extra say which one, instead of failing at an import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rtdehaze.core.errors import MissingDependencyError

__all__ = ["extra"]


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Turns a missing library, while the block imports what it needs, into a line that names the extra.

    Args:
        name: The extra, as pip knows it.

    Raises:
        MissingDependencyError: A library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "rtdehaze":
            raise
        raise MissingDependencyError(f"{error.name} is not installed: pip install 'rtdehaze[{name}]'") from error
