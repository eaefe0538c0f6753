"""What is said while a benchmark runs: the same pipeline runs dozens of times, and would say the same each time."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["each_said_once"]


@contextmanager
def each_said_once() -> Iterator[None]:
    """Lets every message of rtdehaze's log through once while the block runs, to those who listen when it begins."""
    # Loggers do not filter what their children say, handlers do.
    handlers = list(logging.getLogger("rtdehaze").handlers)
    filters = [_Unsaid() for _ in handlers]
    for handler, unsaid in zip(handlers, filters, strict=True):
        handler.addFilter(unsaid)
    try:
        yield
    finally:
        for handler, unsaid in zip(handlers, filters, strict=True):
            handler.removeFilter(unsaid)


class _Unsaid(logging.Filter):
    def __init__(self) -> None:
        super().__init__()
        self._said: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if message in self._said:
            return False
        self._said.add(message)
        return True
