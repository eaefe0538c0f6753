"""Why a live input is not there, in one line, and whether trying again can help."""

from __future__ import annotations

import errno

import av

from rtdehaze.core.errors import RtdehazeError, SourceError, UsageError
from rtdehaze.core.secrets import PASSWORD, USER, redacted
from rtdehaze.stages.capture.live.plan import Plan

__all__ = ["Gone", "gone"]


class Gone(Exception):  # noqa: N818 - an event, not a failure
    """A connection was not made, or is no more. Never leaves the live sources."""

    def __init__(self, reason: str, final: RtdehazeError | None = None) -> None:
        """Holds the reason, one line without credentials, and what to raise if trying again cannot help."""
        super().__init__(reason)
        self.reason = reason
        self.final = final


def gone(error: Exception, plan: Plan, location: str, timeout: float, *, was_there: bool) -> Gone:
    """Returns what an exception of the reader means.

    Args:
        error: PyAV's, the system's or ours.
        plan: Of the input.
        location: Without credentials.
        timeout: Seconds that the failed call was given.
        was_there: Whether there was a picture before, in this connection or another: then what fails now was right
            once, and may be right again.

    Raises:
        Exception: The error itself, if it is none that opening or reading an input raises.
    """
    if isinstance(error, RtdehazeError):
        return Gone(str(error), None if was_there and not isinstance(error, UsageError) else error)
    if not isinstance(error, av.FFmpegError | OSError | ValueError | RuntimeError | NotImplementedError):
        raise error
    reason = _reason(error, timeout)
    hopeless = isinstance(error, av.error.LookupError) or (not was_there and _is_mistake(error, plan))
    return Gone(reason, SourceError(f"cannot read {location!r}: {reason}{_remedy(error, plan)}") if hopeless else None)


def _is_mistake(error: Exception, plan: Plan) -> bool:
    ours = not isinstance(error, av.FFmpegError | OSError)
    return ours or bool(plan.remedy) or isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError)


def _reason(error: Exception, timeout: float) -> str:
    if isinstance(error, av.error.ExitError | TimeoutError):
        return f"nothing came for {timeout:g} s"
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        return "user or password refused"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "the server has no such stream"
    if isinstance(error, av.error.HTTPServerError):
        return "the server has an error of its own"
    if isinstance(error, av.error.InvalidDataError):
        return "what comes is not video that can be read"
    if isinstance(error, EOFError):
        return "it was closed without an answer"
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return "it cannot be reached"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return redacted(" ".join(reason.split())).lower()


def _remedy(error: Exception, plan: Plan) -> str:
    if isinstance(error, av.error.HTTPUnauthorizedError | av.error.HTTPForbiddenError):
        ways = f", or set {USER} and {PASSWORD}" if plan.format == "rtsp" else ""
        return f"; check them in the address{ways}"
    return f"; {plan.remedy}" if plan.remedy else ""
