"""Which encoder makes a video: chosen by codec, by name or like the input, and known to open before work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import cast

import av
from av.codec.codec import find_best_pix_fmt_of_list
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.stages.encode.settings import CODECS, options_for
from rtdehaze.stages.encode.translate import reason_of

__all__ = ["EncoderPlan", "EncoderState", "available_encoders", "encoder_for", "nearest_format", "open_context"]

# SVT-AV1 reads its log level from the environment, and only from there; 0 is fatal errors.
os.environ.setdefault("SVT_LOG", "0")

_DRIVERS = {
    "nvenc": "it needs an NVIDIA GPU with its driver",
    "qsv": "it needs an Intel GPU with its media driver",
    "amf": "it needs an AMD GPU with its AMF runtime",
    "v4l2m2m": "it needs a V4L2 encoder device",
}


@dataclass(frozen=True, slots=True)
class EncoderState:
    """An encoder of this build and whether it really opens on this machine."""

    name: str
    codec: str
    opens: bool
    why: str = ""
    """Why it does not open; empty where it does."""


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """Everything that an encoder's context is set up with."""

    encoder: str
    codec: str
    width: int
    height: int
    pixel_format: str
    time_base: Fraction
    rate: Fraction
    options: dict[str, str]
    bitrate: int | None = None
    threads: int = 0
    b_frames: bool = True
    by_rate: bool = False
    """Whether frames are numbered by the rate, since codec or container hold no timestamps."""
    gop: int | None = None
    """Frames from keyframe to keyframe at most; None leaves it to the encoder."""
    prompt: bool = False
    """Whether a frame's packet must come out before the next frame goes in."""


def encoder_for(codec: str | None, encoder: str | None) -> tuple[str, str]:
    """Returns (encoder, codec) for what the user named.

    Raises:
        UsageError: Neither FFmpeg nor we know it; the message lists what there is.
    """
    if encoder is None and codec is not None:
        encoder = CODECS[codec][0] if codec in CODECS else codec
    if encoder is None:
        message = "neither a codec nor an encoder was named"
        raise UsageError(message)
    try:
        found = av.Codec(encoder, "w")
    except ValueError:
        found = None
    if found is None or found.type != "video":
        known = ", ".join(CODECS)
        message = f"unknown video encoder or codec {encoder!r}; codecs: {known}, like-input; see `rtdehaze doctor`"
        raise UsageError(message)
    if codec is not None and found.canonical_name != codec and codec != encoder:
        message = f"{encoder} makes {found.canonical_name}, not {codec}; name one of the two only"
        raise UsageError(message)
    return found.name, found.canonical_name


def nearest_format(encoder: str, wanted: str) -> str:
    """Returns the pixel format nearest to `wanted` that an encoder takes; it itself where the encoder says nothing."""
    formats = [video_format.name for video_format in av.Codec(encoder, "w").video_formats or []]
    if encoder == "mjpeg":
        # Limited range is in no JPEG standard; the encoder lists it and then refuses.
        formats = [name for name in formats if name.startswith("yuvj")]
    if not formats or wanted in formats:
        return wanted
    software = [name for name in formats if name not in {"cuda", "qsv", "amf", "vaapi", "vulkan", "d3d11"}]
    plain = wanted.replace("yuvj", "yuv")
    if plain in software:
        return plain
    best, _ = find_best_pix_fmt_of_list(software, wanted)
    return best.name if best is not None else wanted


def apply_plan(context: VideoCodecContext, plan: EncoderPlan) -> None:
    """Sets a context up as planned, all but colour."""
    context.width, context.height, context.pix_fmt = plan.width, plan.height, plan.pixel_format
    context.time_base, context.framerate = plan.time_base, plan.rate
    context.options = dict(plan.options)
    context.thread_count = plan.threads
    # By frames, not by slices (PyAV's default): faster, and slices cost quality. But threads hold a frame each.
    context.thread_type = "SLICE" if plan.prompt else "AUTO"
    context.flags |= Flags.frame_duration
    if plan.prompt and plan.encoder == "mpeg2video":
        context.flags |= Flags.low_delay
    if not plan.b_frames:
        context.max_b_frames = 0
    if plan.gop is not None:
        context.gop_size = plan.gop
    if plan.bitrate is not None:
        context.bit_rate = plan.bitrate


def open_context(plan: EncoderPlan) -> VideoCodecContext:
    """Opens an encoder as planned.

    Raises:
        SinkError: It does not open: the reason and a remedy, in one line.
    """
    context = cast(VideoCodecContext, av.CodecContext.create(plan.encoder, "w"))
    apply_plan(context, plan)
    try:
        context.open()
    except (av.FFmpegError, ValueError, OSError) as error:
        message = f"encoder {plan.encoder} does not open at {plan.width}x{plan.height} {plan.pixel_format}: "
        message += _why(plan.encoder, error)
        raise SinkError(message) from error
    return context


def _why(encoder: str, error: Exception) -> str:
    for kind, need in _DRIVERS.items():
        if encoder.endswith(kind):
            return f"{need} ({reason_of(error)})"
    return f"{reason_of(error)}; check size, pixel format and options, or choose another --codec"


@cache
def available_encoders() -> tuple[EncoderState, ...]:
    """Returns the encoders of `CODECS` that this build has, each tried by opening it (for `rtdehaze doctor`)."""
    states = []
    for codec, names in CODECS.items():
        for name in names:
            try:
                av.Codec(name, "w")
            except ValueError:
                continue
            states.append(_try(name, codec))
    return tuple(states)


def _try(name: str, codec: str) -> EncoderState:
    wanted = "yuv422p" if codec == "dnxhd" else "yuv420p"
    options = options_for(name)
    rate = Fraction(25)
    # DNxHD knows only the sizes and rates of its standard; 1080p25 at 120 Mbit/s is one.
    plan = EncoderPlan(
        name,
        codec,
        1920,
        1080,
        nearest_format(name, wanted),
        1 / rate,
        rate,
        options,
        bitrate=120_000_000 if codec == "dnxhd" else None,
        threads=1,
    )
    try:
        open_context(plan)
    except SinkError as error:
        return EncoderState(name, codec, opens=False, why=str(error).partition(": ")[2])
    return EncoderState(name, codec, opens=True)
