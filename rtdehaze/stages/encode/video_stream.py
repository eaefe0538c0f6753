"""The encoded video stream of a container, set up from a plan and from what is known of the input's video."""

from __future__ import annotations

from typing import Any

from av.codec.context import Flags
from av.video.format import VideoFormat

from rtdehaze.core.stream import VideoInfo
from rtdehaze.stages.encode.copying import copied_metadata
from rtdehaze.stages.encode.encoders import EncoderPlan, apply_plan

__all__ = ["add_video"]

_PROGRESSIVE = 1
"""FFmpeg's AV_FIELD_PROGRESSIVE; what is above has an order of fields, 0 is unknown."""

_FIELD_ENCODERS = frozenset({"libx264", "mpeg2video", "mpeg4", "prores_ks", "dnxhd"})
"""Encoders that code interlaced pictures as such."""

_UNSPECIFIED = 2
"""ITU-T H.273: what a colour tag holds that says nothing."""


def add_video(container: Any, plan: EncoderPlan, video: VideoInfo) -> Any:
    """Adds the stream to a container and returns it with its encoder, which is not open yet.

    The input's stream is looked at here and never again.
    """
    stream = container.add_stream(plan.encoder, rate=plan.rate)
    apply_plan(stream.codec_context, plan)
    _apply_colour(stream.codec_context, video, plan.pixel_format)
    _apply_fields(stream.codec_context, video)
    if video.sample_aspect_ratio:
        stream.codec_context.sample_aspect_ratio = video.sample_aspect_ratio
    if video.rotation:
        stream.set_display_rotation(video.rotation)
    stream.time_base = plan.time_base
    stream.disposition = video.disposition
    stream.metadata.update(copied_metadata(video.metadata))
    return stream


def _apply_fields(context: Any, video: VideoInfo) -> None:
    """Lets interlaced pictures stay marked as such, so that players still deinterlace them."""
    order = getattr(getattr(video.native, "codec_context", None), "field_order", 0)
    if video.interlaced and order > _PROGRESSIVE:
        context.field_order = order
        # x264 refuses fields of an odd number of chroma lines.
        if context.name in _FIELD_ENCODERS and context.height % 4 == 0:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me


def _apply_colour(context: Any, video: VideoInfo, pixel_format: str) -> None:
    tags = video.colour.tags
    if pixel_format.startswith("yuvj") or video.format.full_range:
        context.color_range = 2
    elif tags.range:
        context.color_range = tags.range
    if VideoFormat(pixel_format).is_rgb:
        return  # the matrix has been undone
    for name, value in (("colorspace", tags.space), ("color_primaries", tags.primaries), ("color_trc", tags.transfer)):
        if value != _UNSPECIFIED:
            setattr(context, name, value)
