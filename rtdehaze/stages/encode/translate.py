"""The one place where PyAV's and the operating system's exceptions become ours."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import av

from rtdehaze.core.errors import RtdehazeError, SinkError

__all__ = ["reason_of", "sink_errors"]

_REMEDIES = {
    errno.ENOSPC: "no space left on the device; free some or write elsewhere",
    errno.EFBIG: "the file would be larger than is allowed here",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission denied; choose a place that you may write to",
    errno.EPERM: "not permitted",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "no such directory; create it first",
    errno.ENOTDIR: "a part of the path is not a directory",
    errno.EISDIR: "it is a directory",
    errno.EIO: "the device reported an input/output error",
}


def reason_of(error: BaseException) -> str:
    """Returns why something failed, in words without a line break."""
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number in _REMEDIES:
        return _REMEDIES[number]
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())


@contextmanager
def sink_errors(what: str) -> Iterator[None]:
    """Turns whatever PyAV or the system raises inside into one `SinkError` that begins with `what`."""
    try:
        yield
    except RtdehazeError:
        raise
    except (av.FFmpegError, OSError, ValueError, RuntimeError, MemoryError) as error:
        message = f"{what}: {reason_of(error)}"
        raise SinkError(message) from error
