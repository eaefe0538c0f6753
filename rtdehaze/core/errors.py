"""Every error that rtdehaze raises on purpose.

::

    RtdehazeError                 exit code 1
    |-- UsageError                exit code 2: an argument or an option cannot be used
    |   |-- OutputExistsError     the output is there and --overwrite was not given
    |   `-- UnknownModelError     no model of that name or path
    |-- SourceError               the input cannot be opened or read
    |   `-- UnsupportedVideoError it can be read, but not dehazed faithfully (PQ, HLG)
    |-- SinkError                 the output cannot be opened, written or finished
    |-- ModelError                a model or its card is broken, hostile or of the wrong shape
    |   `-- ProviderError         the execution provider that was asked for did not open
    `-- MissingDependencyError    a library or an optional extra is not installed

Messages state what was wrong, the value, and what to do about it, in one line. PyAV's, ONNX Runtime's
and the operating system's exceptions are translated once, by the stage that owns them.
"""

from __future__ import annotations

__all__ = [
    "MissingDependencyError",
    "ModelError",
    "OutputExistsError",
    "ProviderError",
    "RtdehazeError",
    "SinkError",
    "SourceError",
    "UnknownModelError",
    "UnsupportedVideoError",
    "UsageError",
]


class RtdehazeError(Exception):
    """Base of every error that rtdehaze raises on purpose."""

    exit_code: int = 1
    """What the command returns to the shell when this error ends it."""


class UsageError(RtdehazeError):
    """An argument or an option cannot be used as given."""

    exit_code = 2


class OutputExistsError(UsageError):
    """The output exists and overwriting it was not asked for."""


class UnknownModelError(UsageError):
    """No model of that name or path."""


class SourceError(RtdehazeError):
    """The input cannot be opened or read."""


class UnsupportedVideoError(SourceError):
    """The input can be read but not dehazed faithfully, for example PQ or HLG video."""


class SinkError(RtdehazeError):
    """The output cannot be opened, written or finished."""


class ModelError(RtdehazeError):
    """A model file or its card is broken, hostile or of the wrong shape."""


class ProviderError(ModelError):
    """The execution provider that was asked for did not open."""


class MissingDependencyError(RtdehazeError):
    """A library or an optional extra is not installed; the message says how to install it."""
