"""Opens the sink that an output's name asks for; everything that can be refused is refused here."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from rtdehaze.core.errors import UsageError
from rtdehaze.core.stream import Sink, Source
from rtdehaze.stages.encode.containers import ContainerKind, container_for
from rtdehaze.stages.encode.copying import plan_streams
from rtdehaze.stages.encode.destination import Destination
from rtdehaze.stages.encode.file_sink import FileSink
from rtdehaze.stages.encode.muxer import FilePlan
from rtdehaze.stages.encode.picture_sink import PictureSink
from rtdehaze.stages.encode.pictures import PictureEncoder, is_picture
from rtdehaze.stages.encode.places import OnePlace, PicturePlaces, RowOfPlaces
from rtdehaze.stages.encode.planning import EncoderRequest, plan_encoder

__all__ = ["open_sink", "tagged"]

_log = logging.getLogger("rtdehaze.encode")

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
    video = source.video
    size = width or video.width, height or video.height
    request = EncoderRequest(codec, encoder, crf, preset, bitrate, pixel_format, encoder_options or {}, threads)
    copied = source.copied if copy_streams else ()
    row = _row_of_pictures(location, source)
    if row is not None or is_picture(location):
        return _pictures(row or location, source, size, request, overwrite=overwrite, strict=strict and bool(copied))
    container = container_for(location)
    destination = Destination(location, source.location, overwrite=overwrite)
    plan = plan_encoder(container, video, size, request)
    streams = plan_streams(copied, container, strict=strict)
    if container.bare:
        _tell_limits(container, source, strict=strict)
    plan_of_file = FilePlan(container, plan, video, streams, source.chapters, tagged(source.metadata, tag))
    return FileSink(location, destination, plan_of_file)


def _tell_limits(container: ContainerKind, source: Source, *, strict: bool) -> None:
    lost = [f"the rotation by {source.video.rotation} degrees"] if source.video.rotation else []
    if source.chapters:
        lost.append(f"the {len(source.chapters)} chapters")
    for what in lost:
        message = f"{container.name} cannot hold {what}"
        if strict:
            raise UsageError(f"{message}; write mkv, or leave --strict out and it will be left out")
        _log.warning("%s: left out; mkv and mp4 keep it", message)


def _row_of_pictures(location: str, source: Source) -> str | None:
    """Returns the pattern of numbered pictures that an output means, None where it means one file."""
    path = Path(location)
    if is_picture(location):
        return location if "%" in path.name else None
    from_pictures = Path(source.location).is_dir() or ("%" in source.location and not path.suffix)
    if location.endswith(("/", os.sep)) or path.is_dir() or (from_pictures and not path.suffix):
        return str(path / "%06d.png")
    return None


def _pictures(
    location: str, source: Source, size: tuple[int, int], request: EncoderRequest, *, overwrite: bool, strict: bool
) -> Sink:
    for name, value in (("codec", request.codec), ("encoder", request.encoder), ("preset", request.preset)):
        if value is not None:
            message = f"{location}: pictures take no {name} ({value}); leave --{name} out"
            raise UsageError(message)
    if strict:
        message = f"{location}: pictures hold no sound or subtitles; write a video, or leave --strict out"
        raise UsageError(message)
    places: PicturePlaces
    if "%" in Path(location).name:
        places = RowOfPlaces(location, source.location, overwrite=overwrite)
    elif source.video.still:
        places = OnePlace(location, source.location, overwrite=overwrite)
    else:
        message = f"{location}: one picture cannot hold a video; use a pattern such as frames/%05d.png, or .mp4"
        raise UsageError(message)
    encoder = PictureEncoder(
        Path(location).suffix.lower().removeprefix("."),
        source.video,
        size,
        pixel_format=request.pixel_format,
        quality=request.crf,
        options=request.options,
    )
    if source.copied:
        kinds = ", ".join(sorted({stream.kind for stream in source.copied}))
        _log.warning("pictures hold no other streams; left out: %s", kinds)
    return PictureSink(location, places, encoder, size)


def tagged(metadata: dict[str, str], tag: str | None) -> dict[str, str]:
    """Returns a source's tags, without those of its container, and a note of ours."""
    kept = {key: value for key, value in metadata.items() if key not in _STALE_METADATA}
    if tag:
        # Matroska shouts its keys.
        key = next((key for key in kept if key.lower() == "comment"), "comment")
        kept[key] = f"{kept[key]}; {tag}" if key in kept else tag
    return kept
