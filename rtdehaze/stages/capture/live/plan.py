"""How each kind of live input is opened: format, options for low latency, and what it may open in turn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from rtdehaze.core.live import LiveOptions
from rtdehaze.core.secrets import with_credentials
from rtdehaze.stages.capture.live.devices import camera_plan, screen_plan
from rtdehaze.stages.capture.live.locations import Kind, Location
from rtdehaze.stages.capture.options import MAX_PIXELS

__all__ = ["Plan", "plan_of"]

_MEDIA_OVER_HTTP = "hls,mpjpeg,mjpeg,jpeg_pipe,mpegts,flv,live_flv,mov,matroska,webm,h264,hevc,aac,ac3,mp3,webvtt"
_MEDIA_OVER_BYTES = "mpegts,flv,live_flv,matroska,webm,nut,mov,avi,mpjpeg,mjpeg,h264,hevc,m4v,mpeg,ivf,yuv4mpegpipe,obu"
"""Demuxers that read pictures and sound and never open anything else."""

_PROTOCOLS = {
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,srtp,udp,tcp,tls",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
    "http": "http,https,httpproxy,tcp,tls",
    "https": "https,http,httpproxy,tcp,tls",
    "udp": "udp",
    "rtp": "rtp,udp",
    "tcp": "tcp",
}
"""What an input of each scheme may open, itself included: a playlist or a session description from outside must not
make the program read local files or speak to other services."""

_SOCKET_BYTES = 1 << 20
"""Receive buffer of a datagram socket: a keyframe of 4K at high quality fits."""

_FIFO_PACKETS = 1 << 15
"""MPEG-TS packets (188 bytes) that FFmpeg holds between socket and demuxer: 6 MB."""

_PROBE_BYTES = 1 << 19
_PROBE_MICROSECONDS = 500_000
"""How much is read ahead to learn what streams there are; FFmpeg's own 5 MB and 5 s are made for files."""


_SEGMENT_SECONDS = 20.0
"""Twice the longest segments that are usual in HLS (RFC 8216 has no limit; Apple's authoring advice is 6 s)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Arguments for opening an input."""

    target: str
    """What FFmpeg opens; credentials included."""
    format: str | None = None
    """Demuxer; None lets FFmpeg look."""
    options: dict[str, str] = field(default_factory=dict)
    paced: bool = False
    """The input comes as fast as it is read: frames are let through at their own times."""
    ends: bool = False
    """Its end is the end of the run, not a loss."""
    slack: float = 0.0
    """Seconds that may pass without a packet beyond the time-out: segments come one at a time."""
    remedy: str = ""
    """Set for what is of this machine: if it is not there at first it will not come, and this is what to do."""


def plan_of(location: Location, options: LiveOptions) -> Plan:
    """Returns how a live input is opened.

    Raises:
        UsageError: A camera or a screen on a platform that has none, or incomplete credentials in the environment.
    """
    plan = _PLANS[location.kind](location, options)
    basic = {"max_pixels": str(MAX_PIXELS), "fpsprobesize": "0"}
    return replace(plan, options=basic | plan.options | options.input_options)


def _rtsp(location: Location, options: LiveOptions) -> Plan:
    return Plan(
        with_credentials(location.target),
        "rtsp",
        {
            "protocol_whitelist": _PROTOCOLS[location.scheme],
            "rtsp_transport": options.rtsp_transport.value,
            "allowed_media_types": "video+audio",
            "buffer_size": str(_SOCKET_BYTES),
            # The session description says what the streams are; packets that are read ahead would come late.
            "probesize": "32",
        },
    )


def _rtmp(location: Location, _options: LiveOptions) -> Plan:
    return Plan(
        location.target,
        "flv",
        {"protocol_whitelist": _PROTOCOLS[location.scheme], "rtmp_live": "live", "rtmp_buffer": "100", **_probe()},
    )


def _http(location: Location, _options: LiveOptions) -> Plan:
    segmented = urlsplit(location.target).path.lower().endswith((".m3u8", ".m3u"))
    return Plan(
        location.target,
        None,
        {
            "protocol_whitelist": _PROTOCOLS[location.scheme],
            "format_whitelist": _MEDIA_OVER_HTTP,
            # Of HLS the newest segment that is complete.
            "live_start_index": "-1",
            **_probe(),
        },
        slack=_SEGMENT_SECONDS if segmented else 0.0,
    )


def _datagram(location: Location, _options: LiveOptions) -> Plan:
    receiving = {"fifo_size": str(_FIFO_PACKETS), "overrun_nonfatal": "1"} if location.scheme == "udp" else {}
    return Plan(
        location.target,
        "mpegts" if location.scheme == "udp" else "rtp",
        {
            "protocol_whitelist": _PROTOCOLS[location.scheme],
            "buffer_size": str(_SOCKET_BYTES),
            **receiving,
            **_probe(),
        },
    )


def _tcp(location: Location, _options: LiveOptions) -> Plan:
    return Plan(
        location.target,
        None,
        {"protocol_whitelist": _PROTOCOLS["tcp"], "format_whitelist": _MEDIA_OVER_BYTES, **_probe()},
    )


def _stdin(location: Location, _options: LiveOptions) -> Plan:
    options = {"protocol_whitelist": "pipe", "format_whitelist": _MEDIA_OVER_BYTES, **_probe()}
    remedy = "pipe a stream in, such as MPEG-TS or Matroska"
    return Plan(location.target, None, options, ends=True, remedy=remedy)


def _lavfi(location: Location, _options: LiveOptions) -> Plan:
    remedy = "check the names and options of the filters"
    return Plan(location.target, "lavfi", {}, paced=True, ends=True, remedy=remedy)


def _camera(location: Location, options: LiveOptions) -> Plan:
    target, name, words = camera_plan(location.target, options)
    return Plan(target, name, words, remedy="`rtdehaze devices` lists cameras and what they can do")


def _screen(location: Location, options: LiveOptions) -> Plan:
    target, name, words = screen_plan(location.target, options)
    return Plan(target, name, words, remedy="check the display, and that input-size lies on it")


def _probe() -> dict[str, str]:
    return {"probesize": str(_PROBE_BYTES), "analyzeduration": str(_PROBE_MICROSECONDS)}


_PLANS = {
    Kind.RTSP: _rtsp,
    Kind.RTMP: _rtmp,
    Kind.HTTP: _http,
    Kind.DATAGRAM: _datagram,
    Kind.TCP: _tcp,
    Kind.STDIN: _stdin,
    Kind.LAVFI: _lavfi,
    Kind.CAMERA: _camera,
    Kind.SCREEN: _screen,
}
