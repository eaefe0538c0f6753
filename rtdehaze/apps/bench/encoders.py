"""The encoders of a benchmark: each is opened once before anything is measured, so that none fails half way."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from rtdehaze.apps.bench.plan import GENERATED, NO_CODEC, Codec, Plan
from rtdehaze.core.errors import SinkError, UsageError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame
from rtdehaze.core.stream import Chapter, CopiedStream, Packet, Sink, Source, VideoInfo

__all__ = ["assert_encodable", "open_encoder"]

_FILE = "clear.mkv"
"""What is written: Matroska holds nearly every codec and any time base."""

_X264_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
    "placebo",
)
"""x264 says on stderr, past FFmpeg's log, that it does not know a preset: such words must not come as far as to it. It
takes the places in this list, too."""


def assert_encodable(plan: Plan, threads: int) -> None:
    """Opens every encoder of a plan at every size, which takes milliseconds.

    Args:
        plan: Its codecs, sizes and source.
        threads: Of each encoder.

    Raises:
        UsageError: There is no such codec, encoder or preset, or it does not open.
        SourceError: The source cannot be read.
    """
    codecs = [codec for codec in plan.codecs if codec.name != NO_CODEC]
    for codec in codecs:
        _assert_known(codec)
    for video in _videos(plan) if codecs else ():
        for codec in codecs:
            _assert_opens(codec, video, threads)


def open_encoder(codec: Codec, source: Source, folder: Path, threads: int) -> Sink:
    """Opens a sink for the frames of a source.

    Args:
        codec: What they are encoded with.
        source: Where they come from.
        folder: Where the sink may write; it does not before the first frame.
        threads: Of the encoder.

    Raises:
        UsageError: There is no such codec or preset.
        SinkError: The encoder does not open.
    """
    from rtdehaze.stages.encode.settings import CODECS
    from rtdehaze.stages.encode.sink import open_sink

    name = codec.name
    return open_sink(
        str(folder / _FILE),
        source,
        codec=name if name in CODECS else None,
        encoder=None if name in CODECS else name,
        preset=codec.preset,
        threads=threads,
    )


@dataclass(frozen=True, slots=True)
class _Announced:
    """A source that says what its video would be, and has none: enough to open an encoder."""

    video: VideoInfo
    location: str = "frames"
    copied: tuple[CopiedStream, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)

    def items(self) -> Iterator[Frame | Packet]:
        """Yields nothing."""
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


def _assert_known(codec: Codec) -> None:
    """Refuses what can be refused by its name, in the words of this command: it has no --preset, and no like-input."""
    from rtdehaze.stages.encode.settings import CODECS, settings_of

    encoder = _encoder_of(codec.name)
    if encoder is None:
        known = ", ".join((NO_CODEC, *filter(_encoder_of, CODECS)))
        raise UsageError(
            f"codec {codec.name!r} is unknown or cannot be measured; take {known}, or the name of an encoder of one of "
            "these (rtdehaze doctor lists them)"
        )
    if codec.preset is not None and settings_of(encoder).preset is None:
        raise UsageError(f"codec {codec.label}: {encoder} has no presets; write {codec.name}")
    known_to_x264 = (*_X264_PRESETS, *map(str, range(len(_X264_PRESETS))))
    if encoder.startswith("libx264") and codec.preset is not None and codec.preset.lower() not in known_to_x264:
        raise UsageError(
            f"codec {codec.label}: {encoder} has no preset {codec.preset!r}; take one of {', '.join(_X264_PRESETS)}"
        )


def _encoder_of(name: str) -> str | None:
    """The encoder that a word means; None where there is none, or none that the container could hold."""
    from rtdehaze.stages.encode.containers import container_for
    from rtdehaze.stages.encode.encoders import encoder_for
    from rtdehaze.stages.encode.planning import EncoderRequest, check_request
    from rtdehaze.stages.encode.settings import CODECS

    codec, encoder = (name, None) if name in CODECS else (None, name)
    try:
        check_request(container_for(_FILE), EncoderRequest(codec, encoder))
        return encoder_for(codec, encoder)[0]
    except UsageError:
        return None


def _assert_opens(codec: Codec, video: VideoInfo, threads: int) -> None:
    with tempfile.TemporaryDirectory(prefix="rtdehaze-bench-") as folder:
        try:
            open_encoder(codec, _Announced(video), Path(folder), threads).abort(keep=False)
        except SinkError as error:
            raise UsageError(f"codec {codec.label} cannot be measured: {error}") from error


def _videos(plan: Plan) -> list[VideoInfo]:
    """What the encoders will be given, by size."""
    from rtdehaze.apps.drive import DRIVE_COLOUR, DRIVE_RATE

    if plan.source == GENERATED:
        rate, pixels = Fraction(DRIVE_RATE), PIXEL_FORMATS["yuv420p"]
        own = VideoInfo(1920, 1080, pixels, DRIVE_COLOUR, 1 / rate, "rawvideo", pixels.name, rate)
    else:
        from rtdehaze.stages.capture.source import open_source

        with closing(open_source(plan.source)) as source:
            # What the demuxer holds is gone with it.
            own = replace(source.video, native=None)
    return [replace(own, width=width, height=height) for width, height in plan.sizes] or [own]
