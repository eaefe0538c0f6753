"""What the name of a live output means: a file, a pipe, a peer in the network, a device, or nothing."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rtdehaze.core.errors import UsageError
from rtdehaze.core.secrets import redacted
from rtdehaze.stages.encode.containers import CONTAINERS, ContainerKind, container_for
from rtdehaze.stages.encode.live.names import is_pattern
from rtdehaze.stages.encode.live.push import Peer
from rtdehaze.stages.encode.pictures import is_picture

__all__ = ["Place", "Sort", "place_of"]

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

_RTSP = ContainerKind(
    "rtsp",
    "rtsp",
    # What RTP has payload formats for that FFmpeg writes.
    holds=frozenset({"h264", "hevc", "av1", "vp8", "vp9", "mjpeg", "mpeg4", "mpeg2video", "mpeg1video"})
    | {"aac", "ac3", "adpcm_g722", "ilbc", "mp2", "mp3", "opus", "pcm_alaw", "pcm_mulaw", "pcm_s16be", "speex"},
    bare=True,
    remote=True,
)
_RTMP = ContainerKind(
    "rtmp",
    "flv",
    # HEVC, AV1 and VP9 only as enhanced RTMP has them; few servers take other sound than this.
    holds=frozenset({"h264", "hevc", "av1", "vp9", "aac", "mp3"}),
    bare=True,
    remote=True,
)
_DEVICE = ContainerKind(
    "v4l2", "v4l2", "rawvideo", "rawvideo", audio=None, holds=frozenset({"rawvideo"}), bare=True, remote=True
)
_TS = CONTAINERS["ts"]

_LIVE = {"flush_packets": "1", "max_interleave_delta": "100000"}
"""Every packet leaves at once; a stream that falls silent holds the others back for 0.1 s."""

_PEERS = {
    "rtsp": (_RTSP, "rtsp", {"rtsp_transport": "tcp"}),
    "rtsps": (_RTSP, "rtsp", {"rtsp_transport": "tcp"}),
    "rtmp": (_RTMP, "flv", {"flvflags": "no_duration_filesize"}),
    "rtmps": (_RTMP, "flv", {"flvflags": "no_duration_filesize"}),
    "udp": (_TS, "mpegts", {}),
    "tcp": (_TS, "mpegts", {}),
    "rtp": (_TS, "rtp_mpegts", {}),
}
"""Schemes that are pushed to: what such a peer takes, the muxer, and its options."""

_DATAGRAM = 1316
"""Bytes: as many packets of a transport stream as an Ethernet frame carries."""

_PLAYLIST_LENGTH = 6
"""Segments that an HLS playlist names; players begin three from its end."""


class Sort(Enum):
    """How an output is written."""

    NULL = "null"
    FILE = "file"
    PIPE = "pipe"
    """A named pipe, or standard output where the target is empty."""
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Place:
    """Where an output goes."""

    location: str = field(repr=False)
    """As the user named it, with credentials."""
    sort: Sort
    kind: ContainerKind = _TS
    target: str = field(default="", repr=False)
    peer: Peer | None = None

    @property
    def said(self) -> str:
        """The name without credentials.

        A stream key is KEY: as `***` an input with another key of the same server would look like this output.
        """
        said = redacted(self.location)
        return said if self.kind is not _RTMP else re.sub(r"/\*{3}(?=\?|$)", "/KEY", said)

    @property
    def identity(self) -> str:
        """The same for names of the same output."""
        if self.sort in {Sort.FILE, Sort.PIPE} and self.target:
            return str(Path(self.target).resolve())
        parts = urlsplit(self.location)
        return f"{parts.scheme}:{parts.netloc.rpartition('@')[2]}:{parts.path}:{parts.query}".lower()


def place_of(location: str, *, gop: float) -> Place:
    """Says what a name means.

    Args:
        location: What the user named.
        gop: Seconds between keyframes, the length of HLS's segments.

    Raises:
        UsageError: It is of a kind that cannot be written.
    """
    if location == "null":
        return Place(location, Sort.NULL)
    if location == "-" or location.startswith("-."):
        return Place(location, Sort.PIPE, _TS if location == "-" else container_for(f"standard{location}"))
    scheme = _SCHEME.match(location)
    if scheme and scheme[1].lower() != "file":
        return _network(location, scheme[1].lower())
    return _local(location, unquote(urlsplit(location).path) if scheme else location, gop)


def _network(location: str, scheme: str) -> Place:
    if scheme not in _PEERS:
        known = ", ".join(f"{name}://" for name in _PEERS)
        raise UsageError(f"{redacted(location)}: {scheme}:// cannot be written; use one of {known}, a file, null or -")
    kind, muxer, options = _PEERS[scheme]
    try:
        parts = urlsplit(location)
        complete = bool(parts.hostname) and (parts.port is not None or kind is not _TS)
    except ValueError:
        complete = False
    if not complete:
        raise UsageError(f"{redacted(location)}: host or port is missing or wrong; write {scheme}://HOST:PORT/...")
    target = location
    if scheme == "udp" and "pkt_size=" not in location:
        target += f"{'&' if parts.query else '?'}pkt_size={_DATAGRAM}"
    peer = Peer(target, muxer, {**_LIVE, **options}, continues=scheme in {"udp", "rtp"})
    return Place(location, Sort.PUSH, kind, target, peer)


def _local(location: str, path: str, gop: float) -> Place:
    if path.endswith(".m3u8"):
        if is_pattern(path):
            raise UsageError(
                f"{location}: a playlist keeps one name, and its segments are numbered; leave the words of time (%) out"
            )
        return Place(location, Sort.PUSH, _TS, path, _playlist(path, gop))
    if re.fullmatch(r"/dev/video\d+", path):
        return Place(location, Sort.PUSH, _DEVICE, path, Peer(path, "v4l2", continues=True))
    if is_picture(path):
        raise UsageError(f"{location}: pictures cannot be written live; write a video, or cut the input to a length")
    kind = container_for(path)
    try:
        fifo = stat.S_ISFIFO(os.stat(path).st_mode)  # noqa: PTH116 - Path raises for names with null bytes
    except (OSError, ValueError):
        fifo = False
    return Place(location, Sort.PIPE if fifo else Sort.FILE, kind, path)


def _playlist(path: str, gop: float) -> Peer:
    flags = "delete_segments+independent_segments+program_date_time+temp_file+omit_endlist"
    options = {
        "hls_time": f"{gop:g}",
        "hls_list_size": str(_PLAYLIST_LENGTH),
        "hls_segment_filename": str(Path(path).with_suffix("")).replace("%", "%%") + "-%05d.ts",
        "hls_flags": flags,
    }
    resumed = {"hls_flags": f"{flags}+append_list+discont_start"}
    return Peer(path, "hls", {**_LIVE, **options}, resumed, Path(path), continues=True)
