"""`rtdehaze probe`: what is in a file and what would become of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rtdehaze.stages.capture.probe import AudioFacts, Probe, StreamFacts, VideoFacts

__all__ = ["probe"]


@click.command()
@click.argument("input", metavar="INPUT")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def probe(input: str, as_json: bool) -> None:  # noqa: A002
    """Print what is in INPUT and what a run would dehaze, copy or leave out."""
    from rtdehaze.stages.capture.probe import probe as look

    found = look(input)
    click.echo(json.dumps(found.as_dict(), indent=2) if as_json else "\n".join(_lines(found)))


def _lines(found: Probe) -> Iterator[str]:
    length = "" if found.duration is None else f", {_clock(found.duration)}"
    rate = "" if found.bit_rate is None else f", {found.bit_rate / 1000:.0f} kbit/s"
    yield f"{found.location}: {found.container}{length}{rate}"
    for stream in found.streams:
        yield f"  {stream.index} {stream.kind:11}{stream.fate:10} {', '.join(_words(stream))}"
    for chapter in found.chapters:
        yield f"  chapter    {_clock(chapter.start)} to {_clock(chapter.end)}  {chapter.title or ''}".rstrip()
    for key, value in found.metadata.items():
        yield f"  metadata   {key}: {' '.join(value.split())}"


def _words(stream: StreamFacts) -> Iterator[str]:
    yield stream.codec
    if stream.video is not None:
        yield from _video_words(stream.video)
    if stream.audio is not None:
        yield from _audio_words(stream.audio)
    if stream.language:
        yield stream.language
    yield from stream.dispositions


def _video_words(video: VideoFacts) -> Iterator[str]:
    yield f"{video.width}x{video.height}"
    converted = video.handled_as is not None and video.handled_as != video.pixel_format
    yield f"{video.pixel_format} (handled as {video.handled_as})" if converted else video.pixel_format
    if video.rate is not None and not video.still:
        yield f"{float(video.rate):.6g} fps"
    if video.frames is not None and not video.still:
        yield f"about {video.frames} frames"
    if video.matrix is not None:
        tagged = video.tags.get("space", 2) != 2
        yield f"{video.matrix} {'full' if video.full_range else 'limited'} range{'' if tagged else ' (untagged)'}"
    if video.sample_aspect_ratio not in (None, 1):
        yield f"sample aspect ratio {video.sample_aspect_ratio}"
    if video.rotation:
        yield f"rotated by {video.rotation} degrees"
    if video.interlaced:
        yield "interlaced"
    if video.hdr:
        yield f"{video.hdr}: needs --hdr passthrough"


def _audio_words(audio: AudioFacts) -> Iterator[str]:
    yield f"{audio.sample_rate} Hz"
    yield audio.layout


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02}:{int(seconds // 60 % 60):02}:{seconds % 60:06.3f}"
