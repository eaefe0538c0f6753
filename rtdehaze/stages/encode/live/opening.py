"""Opens the outputs of a live run: everything that can be refused is refused here, and nothing is created yet."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

from rtdehaze.core.errors import OutputExistsError, UsageError
from rtdehaze.core.live import LiveOptions
from rtdehaze.core.options import Options
from rtdehaze.core.stream import Chapter
from rtdehaze.stages.encode.containers import endless
from rtdehaze.stages.encode.destination import check_folder, same_file
from rtdehaze.stages.encode.live.feed import Tags
from rtdehaze.stages.encode.live.files import FileOpener, OneName, TimedNames
from rtdehaze.stages.encode.live.names import is_pattern
from rtdehaze.stages.encode.live.outlet import Opener, Outlet
from rtdehaze.stages.encode.live.outputs import Outputs, Way
from rtdehaze.stages.encode.live.pipes import PipeOpener
from rtdehaze.stages.encode.live.places import Place, Sort, place_of
from rtdehaze.stages.encode.live.push import PushOpener
from rtdehaze.stages.encode.live.retention import Retention
from rtdehaze.stages.encode.planning import EncoderRequest, check_request
from rtdehaze.stages.encode.sink import tagged

__all__ = ["open_live_outputs"]

_PEER_FRAMES = 30
"""Frames that may wait for a peer or a pipe: about a second, which evens out a network; more would be late."""

_FILE_FRAMES = 300
"""Frames that may wait for a disk: some are busy for seconds, and no viewer waits."""

_QUEUE_BYTES = 64 << 20
"""Bytes that may wait for one outlet."""


def open_live_outputs(
    locations: Sequence[str],
    options: Options,
    live: LiveOptions,
    *,
    source: str = "",
    size_of: Callable[[int, int], tuple[int, int]] | None = None,
    threads: int = 0,
    tag: str | None = None,
    metadata: dict[str, str] | None = None,
    chapters: Sequence[Chapter] = (),
    lossless: bool = False,
) -> Outputs:
    """Opens one or several outputs for a live run.

    Args:
        locations: Files by their container's extension (strftime patterns with `live.segment`), `rtsp://`, `rtmp://`,
            `udp://`, `tcp://`, `rtp://`, a playlist `FOLDER/NAME.m3u8`, `/dev/videoN`, `-` or `-.EXTENSION` for
            standard output, named pipes, `null`.
        options: Codec, encoder, quality, overwriting; the rest is not looked at.
        live: Segments, keyframe interval, timeouts.
        source: Where the frames come from, which no output may be.
        size_of: How the width and height of a frame change on the way here; None leaves them.
        threads: Encoder threads, 0 for its own choice.
        tag: A note of program, version and model for the metadata; None leaves it out.
        metadata: The source's tags, where it is a file.
        chapters: The source's chapter marks, where it is a file.
        lossless: For sources that wait: outlets block instead of dropping frames, encoders may look ahead, a failed
            output is given up, and `close` takes its time.

    Raises:
        UsageError: A name or an option cannot be used.
        OutputExistsError: An output exists and `options.overwrite` is false.
        SinkError: A folder is missing or not writable.
    """
    if not locations:
        raise UsageError("no output was named; name a file, an address, - or null")
    places = [place_of(location, gop=live.gop) for location in locations]
    _check_distinct(places, source)
    request = EncoderRequest(
        options.codec,
        options.encoder,
        options.crf,
        options.preset,
        options.bitrate,
        options.pixel_format,
        threads=threads,
        prompt=not lossless,
        gop=None if lossless else live.gop,
    )
    ways = [_way(place, request, options, live, lossless=lossless) for place in places]
    return Outputs(
        ways,
        request,
        size_of=size_of or _unchanged,
        segment=live.segment,
        tags=Tags(tagged(metadata or {}, tag), chapters),
        lossless=lossless,
    )


def _unchanged(width: int, height: int) -> tuple[int, int]:
    return width, height


def _check_distinct(places: Sequence[Place], source: str) -> None:
    seen: set[str] = set()
    for place in places:
        # `-` is standard input here and standard output there.
        if (place.said == source and source != "-") or (
            place.sort is Sort.FILE and same_file(Path(place.target), Path(source))
        ):
            raise UsageError(f"{place.said}: is the input itself; name another output")
        if place.identity in seen and place.sort is not Sort.NULL:
            raise UsageError(f"{place.said}: is named twice; give each output a place of its own")
        seen.add(place.identity)


def _way(place: Place, request: EncoderRequest, options: Options, live: LiveOptions, *, lossless: bool) -> Way:
    if place.sort is Sort.NULL:
        return Way(None, None)
    if place.kind.name != "v4l2":
        check_request(place.kind, request)
    is_file = place.sort is Sort.FILE
    patience = math.inf if lossless else live.read_timeout
    outlet = Outlet(
        place.said,
        _opener(place, options, live, patience, lossless=lossless),
        frames=_FILE_FRAMES if is_file and not lossless else _PEER_FRAMES,
        size=_QUEUE_BYTES,
        patience=patience,
        retry_cap=live.retry_cap,
        lossless=lossless,
    )
    grows = is_file and live.segment is None and not lossless
    return Way(endless(place.kind) if grows else place.kind, outlet)


def _opener(place: Place, options: Options, live: LiveOptions, patience: float, *, lossless: bool) -> Opener:
    if place.peer is not None:
        if place.peer.format == "hls":
            _check_playlist(place, overwrite=options.overwrite)
        return PushOpener(place.peer, open_timeout=live.open_timeout, write_timeout=patience)
    if place.sort is Sort.PIPE:
        if not place.target:
            _check_standard_output(place)
        return PipeOpener(place.target or None, patience=patience)
    if live.segment is None:
        # What waits for its output keeps the input's times; live, a file begins at 0.
        origin = Fraction(0) if lossless else None
        return FileOpener(OneName(place.target, overwrite=options.overwrite), origin)
    if not is_pattern(place.target):
        raise UsageError(
            f"{place.said}: segments need names by time; put strftime words in, for example cam-%Y%m%d-%H%M%S.mp4"
        )
    retention = Retention(place.target, seconds=live.keep_seconds, size=live.keep_bytes)
    return FileOpener(TimedNames(place.target, retention))


def _check_playlist(place: Place, *, overwrite: bool) -> None:
    path = Path(place.target)
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{place.said}: exists already; name another output or pass --overwrite")
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    check_folder(place.said, folder)


def _check_standard_output(place: Place) -> None:
    if sys.stdout is None or sys.stdout.isatty():
        raise UsageError(f"{place.said}: standard output is a terminal; pipe it into something that reads video")
