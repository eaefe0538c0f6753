"""How the video will be encoded: codec, pixel format and time base, each as near to the input as it can be had."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from av.video.format import VideoFormat

from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.encode.containers import ContainerKind
from rtdehaze.stages.encode.encoders import EncoderPlan, encoder_for, nearest_format, open_context
from rtdehaze.stages.encode.settings import CODECS, options_for

__all__ = ["EncoderRequest", "check_request", "plan_encoder"]

_log = logging.getLogger("rtdehaze.encode")

_DEFAULT_RATE = Fraction(25)
"""Frames per second that an encoder is told where the input says nothing; timestamps do not come from it."""

_COARSE_CLOCKS = {"mpeg4": 65_535, "msmpeg4": 65_535, "mpeg2video": 0, "mpeg1video": 0, "dnxhd": 0}
"""The largest time base denominator of codecs that carry the clock themselves; 0: only the frame rate will do."""

_WITHOUT_SUBSAMPLING = {
    "yuv420p": "yuv444p",
    "yuvj420p": "yuvj444p",
    "nv12": "yuv444p",
    "yuv422p": "yuv444p",
    "yuvj422p": "yuvj444p",
    "yuv420p10le": "yuv444p10le",
    "yuv422p10le": "yuv444p10le",
    "p010le": "yuv444p10le",
}


@dataclass(frozen=True, slots=True)
class EncoderRequest:
    """What the user asked of the encoder; None leaves the choice."""

    codec: str | None = None
    encoder: str | None = None
    crf: float | None = None
    preset: str | None = None
    bitrate: int | None = None
    pixel_format: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    threads: int = 0
    prompt: bool = False
    """Whether a frame's packet must come out before the next frame goes in, for viewers who watch live."""
    gop: float | None = None
    """Seconds from keyframe to keyframe at most."""


def check_request(container: ContainerKind, request: EncoderRequest) -> None:
    """Refuses what can be refused before anything is known of the video.

    Raises:
        UsageError: The codec, encoder, pixel format or an option is unknown, or the container cannot hold it.
    """
    if request.pixel_format is not None:
        _known_format(request.pixel_format)
    codec = None if request.codec == "like-input" else request.codec
    encoder, made = encoder_for(codec if codec or request.encoder else container.codec, request.encoder)
    _check_container(container, encoder, made)
    options_for(encoder, crf=request.crf, preset=request.preset, bitrate=request.bitrate)


def plan_encoder(
    container: ContainerKind, video: VideoInfo, size: tuple[int, int], request: EncoderRequest
) -> EncoderPlan:
    """Returns the first plan, of those that fit the request, whose encoder really opens.

    Raises:
        UsageError: The codec, encoder, pixel format or an option is unknown, or the container cannot hold it.
        SinkError: The encoder does not open.
    """
    wanted = _wanted_format(request.pixel_format, video)
    failure: SinkError | None = None
    for encoder, codec in _candidates(container, video, request):
        _check_container(container, encoder, codec)
        nearest = nearest_format(encoder, wanted)
        formats = [nearest]
        if (size[0] % 2 or size[1] % 2) and nearest in _WITHOUT_SUBSAMPLING:
            formats.append(nearest_format(encoder, _WITHOUT_SUBSAMPLING[nearest]))
        for pixel_format in formats:
            plan = _plan(container, video, size, request, (encoder, codec, pixel_format))
            try:
                open_context(plan)
            except SinkError as error:
                failure = failure or error
                continue
            _tell(plan, wanted, failure)
            return plan
    raise failure or SinkError("no encoder was found")


def _plan(
    container: ContainerKind,
    video: VideoInfo,
    size: tuple[int, int],
    request: EncoderRequest,
    made: tuple[str, str, str],
) -> EncoderPlan:
    encoder, codec, pixel_format = made
    rate = video.rate or _DEFAULT_RATE
    options = options_for(
        encoder,
        crf=request.crf,
        preset=request.preset,
        bitrate=request.bitrate,
        threads=request.threads,
        rate=float(rate),
        prompt=request.prompt,
        extra=request.options,
    )
    by_rate = container.fixed_rate or video.time_base.denominator > _COARSE_CLOCKS.get(encoder, 1 << 31)
    return EncoderPlan(
        encoder,
        codec,
        *size,
        pixel_format,
        1 / rate if by_rate else video.time_base,
        rate,
        options,
        request.bitrate,
        request.threads,
        b_frames=not (container.fixed_rate or request.prompt),
        by_rate=by_rate,
        # FFV1 makes no keyframe on request, and needs none of the others.
        gop=1 if request.prompt and encoder == "ffv1" else _frames(request.gop, rate),
        prompt=request.prompt,
    )


def _frames(seconds: float | None, rate: Fraction) -> int | None:
    return None if seconds is None else max(1, round(seconds * rate))


def _wanted_format(asked: str | None, video: VideoInfo) -> str:
    return video.format.name if asked is None else _known_format(asked)


def _known_format(asked: str) -> str:
    try:
        return VideoFormat(asked).name
    except ValueError:
        message = f"unknown pixel format {asked!r}; FFmpeg's names are meant, for example yuv420p or yuv420p10le"
        raise UsageError(message) from None


def _candidates(container: ContainerKind, video: VideoInfo, request: EncoderRequest) -> list[tuple[str, str]]:
    codec = request.codec
    if codec == "like-input":
        if _makes(container, video.codec):
            return [encoder_for(video.codec, request.encoder)]
        _log.warning("%s cannot be made for %s; the default codec is taken", video.codec, container.name)
        codec = None
    if request.encoder is not None or codec is not None:
        return [encoder_for(codec, request.encoder)]
    deep = video.format.bits > 8 and request.pixel_format is None
    # Where HEVC refuses a size (below 16), H.264 does not.
    names = [container.deep_codec, container.codec] if deep else [container.codec]
    return [encoder_for(name, None) for name in names]


def _makes(container: ContainerKind, codec: str) -> bool:
    try:
        encoder, made = encoder_for(codec, None)
        _check_container(container, encoder, made)
    except UsageError:
        return False
    return made == codec


def _check_container(container: ContainerKind, encoder: str, codec: str) -> None:
    if not _holds(container, encoder, codec):
        known = ", ".join(name for name, encoders in CODECS.items() if _holds(container, encoders[0], name))
        message = f"{container.name} cannot hold {codec}; it holds {known}; or write mkv"
        raise UsageError(message)


def _holds(container: ContainerKind, encoder: str, codec: str) -> bool:
    if container.holds is not None:
        return codec in container.holds
    try:
        with av.open(io.BytesIO(), "w", format=container.format) as trial:
            trial.add_stream(encoder)
    except (av.FFmpegError, ValueError):
        return False
    return True


def _tell(plan: EncoderPlan, wanted: str, failure: SinkError | None) -> None:
    """Says once what will not be as the input is."""
    if failure is not None and plan.pixel_format in _WITHOUT_SUBSAMPLING.values():
        size = f"{plan.width}x{plan.height}"
        _log.warning(
            "%s is an odd size, which %s holds only without chroma subsampling: encoded as %s, which some players "
            "cannot show; ffv1, vp9 and av1 have no such limit",
            size,
            plan.codec,
            plan.pixel_format,
        )
    elif failure is not None:
        _log.warning("%s; encoded as %s", failure, plan.codec)
    elif _shape(plan.pixel_format) != _shape(wanted):
        _log.warning("%s does not take %s: encoded as %s", plan.encoder, wanted, plan.pixel_format)


def _shape(name: str) -> tuple[Any, ...]:
    """What a viewer could notice of a pixel format: not how samples are packed."""
    made = VideoFormat(name)
    components = made.components
    chroma = (made.chroma_width(16), made.chroma_height(16)) if len(components) > 2 else ()
    return made.is_rgb, components[0].bits, len(components), chroma
