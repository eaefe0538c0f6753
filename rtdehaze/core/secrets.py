"""Names and passwords of cameras: kept out of everything that is shown, and given by other ways than a URL.

What is on the command line is visible to every user of the machine (`ps`); environment and files are not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

from rtdehaze.core.errors import UsageError

__all__ = ["PASSWORD", "PASSWORD_FILE", "USER", "hide_arguments", "redacted", "with_credentials"]

USER = "RTDEHAZE_RTSP_USER"
PASSWORD = "RTDEHAZE_RTSP_PASSWORD"  # noqa: S105 - the variable's name
PASSWORD_FILE = "RTDEHAZE_RTSP_PASSWORD_FILE"  # noqa: S105

_HIDDEN = "***"

_USER_AND_PASSWORD = re.compile(
    r"(?<=://)(?:"
    r"[^\s/:@?#'\"]+:(?!\d{1,5}(?:[/\s?#'\"]|$))[^\s@]*@(?:[^\s/@?#'\"]*@)*"  # a password may hold what it should not
    r"|[^\s/?#'\"]*@)"
)
_QUERY = re.compile(
    r"(?i)([?&;](?:[\w-]*(?:token|password|passwd|secret|signature|apikey|api_key|credential)|pwd|pass|key|auth|sig|user"
    r"|username)=)[^&;\s'\"#]+"
)
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization:\s*\w+\s+)[^'\"\r\n]+")
_STREAM_KEY = re.compile(r"(?i)(\brtmp\w*://[^/\s]+/[^\s'\"]*/)[\w-]{12,}(?=[\s'\"?]|$)")
"""What publishing sites give out as a password is the last part of the path."""


def redacted(text: str) -> str:
    """Returns a location or any message without the credentials in its URLs.

    User and password before the host are left out; secrets of the query (`?token=`, `&password=`, ...), of HTTP's
    authorisation headers, and RTMP's stream keys become `***`.
    """
    text = _USER_AND_PASSWORD.sub("", text)
    text = _QUERY.sub(rf"\1{_HIDDEN}", text)
    text = _HEADER.sub(rf"\1{_HIDDEN}", text)
    return _STREAM_KEY.sub(rf"\1{_HIDDEN}", text)


def with_credentials(url: str, environment: Mapping[str, str] | None = None) -> str:
    """Returns an RTSP URL with user and password from the environment, unless it holds some itself.

    `RTDEHAZE_RTSP_USER` and either `RTDEHAZE_RTSP_PASSWORD` or the first line of the file that
    `RTDEHAZE_RTSP_PASSWORD_FILE` names are used, percent-encoded. Other URLs are returned as they are.

    Raises:
        UsageError: Both ways to a password are given, a password without a user, or the file cannot be read.
    """
    given = os.environ if environment is None else environment
    parts = urlsplit(url)
    if parts.scheme.lower() not in {"rtsp", "rtsps"} or "@" in parts.netloc:
        return url
    user, password = given.get(USER), _password(given)
    if user is None:
        if password is not None:
            raise UsageError(f"there is an RTSP password but no user; set {USER}, too")
        return url
    who = quote(user, safe="") + ("" if password is None else ":" + quote(password, safe=""))
    return parts._replace(netloc=f"{who}@{parts.netloc}").geturl()


def _password(given: Mapping[str, str]) -> str | None:
    path = given.get(PASSWORD_FILE)
    if path is None:
        return given.get(PASSWORD)
    if PASSWORD in given:
        raise UsageError(f"{PASSWORD} and {PASSWORD_FILE} exclude each other; set one of them")
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"{PASSWORD_FILE} names {path!r}, which cannot be read: {reason}") from None
    if not lines or not lines[0]:
        raise UsageError(f"{PASSWORD_FILE} names {path!r}, which has no password in its first line")
    return lines[0]


def hide_arguments(arguments: Sequence[str] | None = None) -> bool:
    """Overwrites credentials in the command line that the system shows to others (`ps`), where that can be done.

    Args:
        arguments: What the program was called with; None takes `sys.argv`.

    Returns:
        Whether anything was overwritten: only on Linux, and only if there was something to hide.
    """
    given = sys.argv if arguments is None else arguments
    secrets = [word for word in given if redacted(word) != word]
    if not secrets or not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        # proc(5): arg_start and arg_end are fields 48 and 49; the state, third of all, comes first here.
        start, end = int(fields[45]), int(fields[46])
        shown = ctypes.string_at(start, end - start) if 0 < start < end else b""
        found = False
        for word in secrets:
            at = shown.find(os.fsencode(word))
            if at >= 0:
                hidden = os.fsencode(redacted(word))[: len(os.fsencode(word))].ljust(len(os.fsencode(word)), b" ")
                ctypes.memmove(start + at, hidden, len(hidden))
                found = True
    except (OSError, ValueError, IndexError):
        return False
    return found
