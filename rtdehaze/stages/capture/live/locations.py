"""What a user's word for an input means: a live one of some kind, or a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urlsplit

from rtdehaze.core.errors import UsageError
from rtdehaze.core.secrets import redacted

__all__ = ["Kind", "Location", "is_live", "parse_location"]


class Kind(Enum):
    """Where frames come from."""

    RTSP = auto()
    RTMP = auto()
    HTTP = auto()
    """MJPEG, HLS, or a container, by HTTP."""
    DATAGRAM = auto()
    """MPEG-TS by UDP or RTP."""
    TCP = auto()
    """A container by plain TCP."""
    CAMERA = auto()
    SCREEN = auto()
    LAVFI = auto()
    """Made by FFmpeg's filters."""
    STDIN = auto()
    FILE = auto()


@dataclass(frozen=True, slots=True)
class Location:
    """An input as the user named it."""

    kind: Kind
    text: str
    """As given, credentials included."""
    scheme: str
    """In lower case; empty for a path."""
    target: str
    """The whole text for what has an address; for a camera its number or name, for a screen its display, for `lavfi:`
    the graph."""

    @property
    def shown(self) -> str:
        """The location without credentials."""
        return redacted(self.text)


_ADDRESSES = {
    "rtsp": Kind.RTSP,
    "rtsps": Kind.RTSP,
    "rtmp": Kind.RTMP,
    "rtmps": Kind.RTMP,
    "http": Kind.HTTP,
    "https": Kind.HTTP,
    "udp": Kind.DATAGRAM,
    "rtp": Kind.DATAGRAM,
    "tcp": Kind.TCP,
}
_WORDS = {"camera": Kind.CAMERA, "screen": Kind.SCREEN, "lavfi": Kind.LAVFI}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_WORD = re.compile(rf"({'|'.join(_WORDS)}):(.*)", re.IGNORECASE | re.DOTALL)
_VIDEO_DEVICE = re.compile(r"/dev/(video\d+|v4l/by-(id|path)/.+)")

_LOWEST_PORT, _HIGHEST_PORT = 1, 65535


def is_live(location: str) -> bool:
    """Whether an input is live (a stream, a camera, a screen, standard input) rather than files.

    Raises:
        UsageError: It is an address of an unknown kind.
    """
    return parse_location(location).kind is not Kind.FILE


def parse_location(text: str) -> Location:
    """Returns what a user's word for an input means.

    Raises:
        UsageError: It is an address of an unknown kind, or one without a host or with an impossible port.
    """
    if text == "-":
        return Location(Kind.STDIN, text, "", text)
    if _VIDEO_DEVICE.fullmatch(text):
        return Location(Kind.CAMERA, text, "", text)
    address = _SCHEME.match(text)
    if address is not None:
        return _address(text, address[1].lower())
    word = _WORD.fullmatch(text)
    if word is not None:
        return _word(text, word[1].lower(), word[2])
    return Location(Kind.FILE, text, "", text)


def _address(text: str, scheme: str) -> Location:
    if scheme == "file":
        return Location(Kind.FILE, text, scheme, text)
    if scheme not in _ADDRESSES:
        known = ", ".join(f"{name}://" for name in _ADDRESSES)
        raise UsageError(
            f"{redacted(text)!r}: inputs of kind {scheme}:// are not supported; "
            f"there are {known}, camera:, screen:, lavfi:, - and files"
        )
    kind = _ADDRESSES[scheme]
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UsageError(f"{redacted(text)!r} is no address: its host or port cannot be read") from None
    # udp://:5000 and udp://@:5000 receive at any of the machine's addresses.
    if not host and kind is not Kind.DATAGRAM:
        raise UsageError(f"{redacted(text)!r} names no host; write {scheme}://HOST/...")
    if port is None and kind in {Kind.DATAGRAM, Kind.TCP}:
        raise UsageError(f"{redacted(text)!r} names no port; write {scheme}://HOST:PORT")
    if port is not None and not _LOWEST_PORT <= port <= _HIGHEST_PORT:
        raise UsageError(f"{redacted(text)!r}: a port is {_LOWEST_PORT} to {_HIGHEST_PORT}, not {port}")
    return Location(kind, text, scheme, text)


def _word(text: str, word: str, rest: str) -> Location:
    kind = _WORDS[word]
    if kind is Kind.LAVFI and not rest.strip():
        raise UsageError("lavfi: needs a graph of FFmpeg's filters, for example lavfi:testsrc=size=1280x720:rate=30")
    if kind is Kind.CAMERA and not rest.strip():
        raise UsageError("camera: needs a number or a name, for example camera:0; `rtdehaze devices` lists them")
    return Location(kind, text, word, rest.strip())
