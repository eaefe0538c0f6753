"""Opens the sink that an output's name asks for; everything that can be refused is refused here."""

from __future__ import annotations

from fractions import Fraction

from rtdehaze.core.stream import Sink, Source, VideoInfo
from rtdehaze.stages.encode.containers import ContainerKind, container_for
from rtdehaze.stages.encode.copying import plan_streams
from rtdehaze.stages.encode.destination import Destination
from rtdehaze.stages.encode.encoders import EncoderPlan, encoder_for, nearest_format, open_context
from rtdehaze.stages.encode.file_sink import FileSink
from rtdehaze.stages.encode.muxer import FilePlan
from rtdehaze.stages.encode.settings import options_for

__all__ = ["open_sink"]

_DEFAULT_RATE = Fraction(25)
"""Frames per second that an encoder is told where the input says nothing; timestamps do not come from it."""

_STALE_METADATA = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder", "ENCODER"})


def open_sink(
    location: str,
    source: Source,
    *,
    width: int | None = None,
    height: int | None = None,
    codec: str | None = None,
    encoder: str | None = None,
    crf: float | None = None,
    preset: str | None = None,
    bitrate: int | None = None,
    pixel_format: str | None = None,
    encoder_options: dict[str, str] | None = None,
    threads: int = 0,
    overwrite: bool = False,
    strict: bool = False,
    copy_streams: bool = True,
    tag: str | None = None,
) -> Sink:
    """Opens an output for the frames and packets of a source. Nothing is created before the first frame.

    Args:
        location: The output's path; its extension names the container.
        source: Where the frames come from: its streams, colour, rotation, metadata and chapters are carried over.
        width: Width of the frames in samples, the source's if None.
        height: Height of the frames in samples, the source's if None.
        codec: A codec (`h264`, `hevc`, `av1`, `vp9`, `ffv1`...) or `like-input`; by the container if None.
        encoder: A named encoder such as `h264_nvenc`.
        crf: Quality in the encoder's own scale, lower is better.
        preset: Speed in the encoder's own words.
        bitrate: Bits per second, instead of a quality.
        pixel_format: What is encoded; the input's, or the nearest that the encoder takes, if None.
        encoder_options: Further options in FFmpeg's words.
        threads: Encoder threads, 0 for its own choice.
        overwrite: Replace an existing file, once the new one is complete.
        strict: Refuse where a stream cannot be copied bit for bit.
        copy_streams: False leaves out everything but the video.
        tag: A note of program, version and model for the metadata; None leaves it out.

    Raises:
        OutputExistsError: The output exists and `overwrite` is false.
        UsageError: An option is unknown or cannot be used, or the output is the input.
        SinkError: The place cannot be written or the encoder does not open.
    """
    container = container_for(location)
    destination = Destination(location, source.location, overwrite=overwrite)
    name, made = _choose_encoder(container, source.video, codec, encoder)
    options, scale = options_for(name, crf=crf, preset=preset, bitrate=bitrate, extra=encoder_options)
    video = source.video
    plan = EncoderPlan(
        name,
        made,
        width or video.width,
        height or video.height,
        nearest_format(name, pixel_format or video.format.name),
        video.time_base,
        video.rate or _DEFAULT_RATE,
        options,
        scale,
        bitrate,
        threads,
    )
    open_context(plan)
    streams = plan_streams(source.copied if copy_streams else (), container, strict=strict)
    return FileSink(
        location,
        destination,
        FilePlan(container, plan, video, streams, source.chapters, _metadata(source, tag)),
    )


def _choose_encoder(
    container: ContainerKind, video: VideoInfo, codec: str | None, encoder: str | None
) -> tuple[str, str]:
    if encoder is None and codec is None:
        codec = container.codec if video.format.bits == 8 else container.deep_codec
    if codec == "like-input":
        codec = video.codec
    return encoder_for(codec, encoder)


def _metadata(source: Source, tag: str | None) -> dict[str, str]:
    metadata = {key: value for key, value in source.metadata.items() if key not in _STALE_METADATA}
    if tag:
        said = metadata.get("comment")
        metadata["comment"] = f"{said}; {tag}" if said else tag
    return metadata
