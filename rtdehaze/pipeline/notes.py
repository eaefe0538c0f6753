"""What is said during a run, kept for its report."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collected_notes"]

_MOST = 200
"""A run of weeks says more than a report should hold: the newest are kept."""


@contextmanager
def collected_notes() -> Iterator[deque[str]]:
    """Collects the warnings of the block."""
    notes: deque[str] = deque(maxlen=_MOST)
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: notes.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("rtdehaze")
    logger.addHandler(handler)
    try:
        yield notes
    finally:
        logger.removeHandler(handler)
