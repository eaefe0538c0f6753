"""Names and passwords of cameras: kept out of everything that is shown, and given by other ways than a URL.

What is on the command line is visible to every user of the machine (`ps`); environment and files are not.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from rtdehaze.core.errors import UsageError

__all__ = ["PASSWORD", "PASSWORD_FILE", "USER", "hide_arguments", "redacted", "with_credentials"]

USER = "RTDEHAZE_RTSP_USER"
PASSWORD = "RTDEHAZE_RTSP_PASSWORD"  # noqa: S105 - the variable's name
PASSWORD_FILE = "RTDEHAZE_RTSP_PASSWORD_FILE"  # noqa: S105

_HIDDEN = "***"

_USER_AND_PASSWORD = re.compile(
    r"""(?x)(?<=://)(?:
    [^\s/:@?#'"\[]+(?:[ ][^\s/:@?#'"]+){0,2}:(?:
        (?!\d{1,5}(?:[/\s?#'"]|$))[^\s@]*@  # a password may hold what it should not
        | (?!\d{1,5}[:,;.)]?\s(?!\S+@))[^\s@'"]+[ ](?:(?!://)[^@'"\r\n])*@  # spaces, too; a port is none
    )(?:[^\s/@?#'"]*@)*
    |[^\s/?#'"]*@)"""
)
_PATH_OF_A_CAMERA = re.compile(
    r"(?i)(?<=/)user(?:name)?=[^\s'\"]*?([_&])password=[^\s'\"]*?(?=[_&](?:channel|stream)=|[\s'\"]|$)"
)
"""Of XM and its many brands: `/user=admin_password=..._channel=1_stream=0.sdp`."""
_QUERY = re.compile(
    r"(?i)([?&;](?:[\w-]*(?:token|password|passwd|secret|signature|apikey|api_key|credential)|pwd|pass|key|auth|sig|user"
    r"|username|usr|login|loginuse|loginpas|psw|pw|u|p)=)[^&;\s'\"#]+"
)
_HEADER = re.compile(r"(?i)\b((?:proxy-)?authorization:\s*\w+\s+)[^'\"\r\n]+")
_TAIL = r"[^\s'\"]*[^\s'\":,;.)]"
"""The rest of an address, without the punctuation of the sentence that it stands in."""
_STREAM_KEY = re.compile(r"(?i)(\brtmp\w*://[^/\s]+/[^/\s'\"?]+/)[^\s'\"?]*[^\s'\"?:,;.)]")
"""What publishing sites give out as a password is the last part of the path; no length tells it from a name."""
_WEBHOOK = re.compile(
    rf"(?i)\b(https?://(?:[^/\s'\"]*hook[^/\s'\"]*/|[^/\s'\"]+/(?:[^\s'\"?]*/)??[\w-]*hook[\w-]*/)){_TAIL}"
)
"""Whoever knows the path may post."""
_WEBHOOK_OPTION = "--on-haze-webhook"


def redacted(text: str) -> str:
    """Returns a location or any message without the credentials in its URLs.

    User and password before the host are left out; those in the path of cameras' URLs, secrets of the query (`?token=`,
    `&password=`, ...), of HTTP's authorisation headers, RTMP's stream keys, and the path of what calls itself a hook
    become `***`.
    """
    text = _USER_AND_PASSWORD.sub("", text)
    text = _PATH_OF_A_CAMERA.sub(rf"user={_HIDDEN}\1password={_HIDDEN}", text)
    for pattern in (_QUERY, _HEADER, _STREAM_KEY, _WEBHOOK):
        text = pattern.sub(rf"\1{_HIDDEN}", text)
    return text


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


def hide_arguments() -> bool:
    """Overwrites credentials in the command line that the system shows to others (`ps`), where that can be done.

    Returns:
        Whether anything was overwritten: only on Linux, and only if there was something to hide.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        # proc(5): arg_start and arg_end are fields 48 and 49; the state, third of all, comes first here.
        start, end = int(fields[45]), int(fields[46])
        shown = ctypes.string_at(start, end - start) if 0 < start < end else b""
        words = [os.fsdecode(word) for word in shown.split(b"\0")]
        # Every word keeps its length: the system looks for the ends of words where they were.
        hidden = b"\0".join(_overwritten(word, after) for word, after in zip(words, ["", *words], strict=False))
        if hidden != shown:
            ctypes.memmove(start, hidden, len(hidden))
    except (OSError, ValueError, IndexError):
        return False
    return hidden != shown


def _overwritten(word: str, after: str) -> bytes:
    """Returns a word of a command line without credentials and in its old length."""
    given, said = os.fsencode(word), redacted(word)
    if after == _WEBHOOK_OPTION or word.startswith(f"{_WEBHOOK_OPTION}="):
        # Not every webhook calls itself one.
        said = re.sub(r"(?<=://)([^/?#]*)[/?#].*", rf"\1/{_HIDDEN}", said)
    return given if said == word else os.fsencode(said)[: len(given)].ljust(len(given))
