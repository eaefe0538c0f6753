"""Foreign exceptions turned into one line each, and the things that a user is told once."""

from __future__ import annotations

import logging

import av

from rtdehaze.core.errors import SourceError
from rtdehaze.core.secrets import redacted

__all__ = ["Notices", "source_error"]

_LOGGER = logging.getLogger("rtdehaze.capture")


def source_error(location: str, error: Exception) -> SourceError:
    """Returns what PyAV's or the system's exception means for that input, in one line with the remedy."""
    name = repr(redacted(location))
    if isinstance(error, FileNotFoundError):
        return SourceError(f"no such file: {name}; check the path")
    if isinstance(error, PermissionError):
        return SourceError(f"not allowed to read {name}; check its permissions and those of its folders")
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return SourceError(
            f"{name} is not a video or picture that can be read: it is of another kind, damaged, or was cut off "
            "before it was finished"
        )
    if isinstance(error, MemoryError):
        return SourceError(f"not enough memory to decode {name}; its pictures may be damaged or too large")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return SourceError(f"cannot read {name}: {redacted(reason)}")


class Notices:
    """Tells the user each thing once per source."""

    def __init__(self, location: str) -> None:
        self._name = repr(redacted(location))
        self._said: set[str] = set()

    def say(self, topic: str, message: str) -> None:
        """Logs `message`, with the input's name in front, unless something was said on the topic before."""
        if topic not in self._said:
            self._said.add(topic)
            _LOGGER.warning("%s: %s", self._name, message)
