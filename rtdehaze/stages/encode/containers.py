"""Which containers can be written, and what each is told so that a killed run leaves something playable.

Timestamps survive exactly in MP4 and MOV, whose video track takes the input's time base; Matroska and WebM round each
to 1 ms, MPEG-TS to 1/90000 s from wherever its decoding begins; AVI numbers frames at one rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import PurePath

from rtdehaze.core.errors import UsageError

__all__ = ["CONTAINERS", "ContainerKind", "container_for", "endless"]

FRAGMENT_SECONDS = 0.5
"""Length of a fragment or cluster: what a killed run loses beyond the encoder's own delay, against about 1 kB of
overhead for each."""

INTERLEAVE_SECONDS = 0.2
"""How long the muxer waits for a silent stream. The sink already writes packets in order of time, so that a sparse
subtitle track must not hold everything back (FFmpeg's default is 10 s)."""

_COMMON = {"flush_packets": "1", "max_interleave_delta": str(round(INTERLEAVE_SECONDS * 1e6))}

_MP4_OPTIONS = {
    # Fragments while it grows, one index at the end. The first fragment comes before the index so that the edit list
    # knows the B-frames' delay and the tracks' start.
    "movflags": "hybrid_fragmented+delay_moov",
    "frag_duration": str(round(FRAGMENT_SECONDS * 1e6)),
}

_MKV_OPTIONS = {"cluster_time_limit": str(round(FRAGMENT_SECONDS * 1e3))}


@dataclass(frozen=True, slots=True)
class ContainerKind:
    """What is known of a container format."""

    name: str
    """As a user says it: the extension without the dot."""
    format: str
    """FFmpeg's name of the muxer."""
    codec: str = "h264"
    """The default codec for 8 bits."""
    deep_codec: str = "hevc"
    """The default codec for 10 bits: HEVC Main 10 is decoded in hardware nearly everywhere, H.264 High 10 is not."""
    options: dict[str, str] = field(default_factory=dict)
    fixed_rate: bool = False
    """True where frames have numbers, not timestamps."""
    audio: str | None = "aac"
    """What audio that the container cannot hold is converted to; None where it holds no audio."""
    text: str | None = None
    """What text subtitles that the container cannot hold are converted to."""
    bare: bool = False
    """True where it holds neither chapters nor rotation."""
    holds: frozenset[str] | None = None
    """Codecs that it can hold; None: the muxer knows."""
    remote: bool = False
    """True where the muxer talks to a peer or a device: it cannot be asked by trying, `holds` says it all."""


_TS_HOLDS = frozenset(
    {"aac", "aac_latm", "ac3", "dts", "eac3", "mp1", "mp2", "mp3", "opus", "pcm_bluray", "s302m", "truehd"}
    | {"arib_caption", "dvb_subtitle", "dvb_teletext", "klv", "scte_35", "smpte_2038", "timed_id3"}
    | {"cavs", "dirac", "h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "vvc"}
)
"""What MPEG-TS has stream types for; its muxer would take anything else as private data that nobody reads."""

_KINDS = (
    ContainerKind("mp4", "mp4", options=_MP4_OPTIONS, text="mov_text"),
    ContainerKind("m4v", "mp4", options=_MP4_OPTIONS, text="mov_text"),
    ContainerKind("mov", "mov", options=_MP4_OPTIONS, text="mov_text"),
    ContainerKind("mkv", "matroska", options=_MKV_OPTIONS, text="ass"),
    ContainerKind("webm", "webm", "vp9", "vp9", options=_MKV_OPTIONS, audio="libopus", text="webvtt"),
    ContainerKind("ts", "mpegts", bare=True, holds=_TS_HOLDS),
    ContainerKind("m2ts", "mpegts", options={"mpegts_m2ts_mode": "1"}, bare=True, holds=_TS_HOLDS),
    ContainerKind("avi", "avi", fixed_rate=True, audio="libmp3lame", bare=True),
)

CONTAINERS = {kind.name: replace(kind, options={**_COMMON, **kind.options}) for kind in _KINDS}
"""The containers by extension."""


def endless(container: ContainerKind) -> ContainerKind:
    """Returns the container for files that may grow for weeks.

    MP4's and MOV's index of all frames takes 7 MB of memory for an hour at 30 frames a second; without it players find
    their way by the fragments.
    """
    if "movflags" not in container.options:
        return container
    options = {**container.options, "movflags": "delay_moov+default_base_moof+skip_trailer"}
    return replace(container, options=options)


def container_for(location: str) -> ContainerKind:
    """Returns the container that the extension of an output names.

    Raises:
        UsageError: It names none; the message lists those that there are.
    """
    extension = PurePath(location).suffix.lower().removeprefix(".")
    if extension not in CONTAINERS:
        known = ", ".join(CONTAINERS)
        said = f"'.{extension}'" if extension else "no extension"
        message = f"{location}: {said} is no container that can be written; use one of {known}, or a picture's"
        raise UsageError(message)
    return CONTAINERS[extension]
