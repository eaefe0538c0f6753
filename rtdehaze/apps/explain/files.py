"""Explaining a file: what it is, where the explanation goes, and how it is written."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.explain.explainer import Explainer, View
from rtdehaze.apps.explain.showing import SHEET_COLOUR, frame_of_rgb, sheet_video
from rtdehaze.core.errors import SourceError, UsageError
from rtdehaze.core.frame import PIXEL_FORMATS, Frame
from rtdehaze.core.options import Mode, Options, parse_choice
from rtdehaze.core.stream import Packet, Sink, Source, VideoInfo
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.pipeline.report import Progress
from rtdehaze.pipeline.runner import Runner
from rtdehaze.pipeline.threads import opencv_threads, plan_threads
from rtdehaze.pipeline.transcode import carry_out
from rtdehaze.stages.capture.memory import MemorySource
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.encode.pictures import is_picture
from rtdehaze.stages.encode.places import OnePlace, write_atomically
from rtdehaze.stages.encode.sink import open_sink
from rtdehaze.stages.encode.translate import sink_errors

__all__ = ["Explained", "PictureFile", "explain", "explain_picture", "explained_name", "first_frame", "open_for"]


@dataclass(frozen=True, slots=True)
class Explained:
    """What `explain` wrote."""

    output: str
    frames: int
    density: float | None
    """Mean haze density of the frames."""
    interrupted: bool = False


def explain(
    input: str | Path,  # noqa: A002 - the word that users know
    output: str | Path | None = None,
    options: Options | None = None,
    *,
    view: View | str = View.PANELS,
    panel: int = 640,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Explained:
    """Shows what a run with the same options believes of a picture or a video, and does about it.

    Args:
        input: A file, a folder of pictures or a pattern such as `frames/%05d.png`.
        output: Where the drawing goes; None names it after the input. A video of a video keeps its sound.
        options: As for `transcode`; mode `off`, masks and comparisons do not apply.
        view: What is drawn.
        panel: Width of a panel of 16:9 in pixels; others have the same area.
        on_progress: As in `transcode`.
        stop: Set it to end early; what was encoded so far is then kept as the output.

    Raises:
        UsageError: An option or the combination of input and output cannot be used.
        SourceError: The input cannot be opened or read.
        SinkError: The output cannot be written.
        ModelError: The model is broken.
    """
    options = options or Options()
    view = parse_choice(View, "view", view)
    with ExitStack() as things:
        things.enter_context(opencv_threads(1))
        source = things.enter_context(closing(open_for(str(input), options)))
        target = str(output) if output is not None else explained_name(str(input), view.value, source.video)
        picture = PictureFile(target, source, options) if source.video.still and _names_one_picture(target) else None
        dehazer = things.enter_context(load_dehazer(options))
        explainer = Explainer(dehazer, options, source.video, view, panel)
        if picture is not None:
            frame = first_frame(source)
            decision = explainer.decide(frame)
            picture.write(explainer.draw(frame, decision))
            return Explained(target, 1, None if decision.haze is None else decision.haze.density)
        return _explain_video(source, target, explainer, options, on_progress, stop)


def explain_picture(
    picture: NDArray[np.uint8],
    options: Options | None = None,
    *,
    view: View | str = View.PANELS,
    panel: int = 640,
) -> NDArray[np.uint8]:
    """Shows what is believed of one picture, and what is done about it.

    Args:
        picture: (H, W, 3), RGB, uint8.
        options: Model, mode, strength and exposure; None takes the defaults.
        view: What is drawn.
        panel: Width of a panel of 16:9 in pixels.

    Returns:
        The drawing, RGB (H', W', 3).

    Raises:
        UsageError: The picture is no such array, or an option is out of its range.
        ModelError: The model is broken.
    """
    options = options or Options()
    frame = frame_of_picture(picture)
    video = MemorySource([frame]).video
    with load_dehazer(options) as dehazer:
        explainer = Explainer(dehazer, options, replace(video, still=True), parse_choice(View, "view", view), panel)
        return explainer.draw(frame, explainer.decide(frame))


def frame_of_picture(picture: NDArray[np.uint8]) -> Frame:
    """Checks an RGB picture and makes a frame of it.

    Raises:
        UsageError: It is not (H, W, 3) of uint8.
    """
    if not isinstance(picture, np.ndarray) or picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise UsageError("picture must be a NumPy array of uint8, height x width x 3")
    if 0 in picture.shape:
        raise UsageError("picture has no pixels")
    return frame_of_rgb(np.ascontiguousarray(picture))


def open_for(location: str, options: Options) -> Source:
    """Opens what is to be explained."""
    return open_source(
        location, start=options.start, duration=options.duration, threads=plan_threads(options.threads).decode,
        hwaccel=options.hwaccel, hdr=options.hdr.value, deinterlace=options.deinterlace, fps=options.rate,
    )  # fmt: skip


def load_dehazer(options: Options) -> Dehazer:
    """Opens the model as a run with these options does.

    Raises:
        UsageError: The mode is `off`, or an option is out of its range.
        ModelError: The model is broken.
    """
    if options.mode is Mode.OFF:
        raise UsageError("mode off estimates nothing that could be explained; choose auto or manual")
    return Dehazer.load(
        options.model, mode=options.mode, strength=options.strength, smoothing=options.smoothing,
        exposure=options.exposure, provider=options.provider, threads=options.threads,
    )  # fmt: skip


def first_frame(source: Source) -> Frame:
    """Returns the first frame of a source.

    Raises:
        SourceError: There is none.
    """
    for item in source.items():
        if isinstance(item, Frame):
            return item
    raise SourceError(f"{source.location}: no picture could be decoded")


def explained_name(location: str, what: str, video: VideoInfo | None) -> str:
    """Names an explanation after its input, in the same folder.

    Args:
        location: `foggy.mp4`, a folder or a pattern.
        what: `panels`, `atlas`...
        video: What is drawn as a video; None for one picture.
    """
    path = Path(location)
    if "%" in path.name:
        path = path.resolve().parent
    stem = path.resolve().name if path.is_dir() else path.stem
    suffix = ".png" if video is None or video.still else ".mp4"
    if suffix == ".mp4" and path.suffix.lower() in (".mkv", ".mov", ".webm"):
        suffix = path.suffix
    return str(path.with_name(f"{stem}-{what}{suffix}"))


class PictureFile:
    """One drawing as a file; its place is checked before work begins."""

    def __init__(self, location: str, source: Source, options: Options) -> None:
        """Checks the place.

        Raises:
            UsageError: It is taken, or not the name of a picture.
            SinkError: It cannot be written.
        """
        if not _names_one_picture(location):
            raise UsageError(f"{location}: what is drawn is one picture; name it .png, .jpg or .webp")
        self._location = location
        self._place = OnePlace(location, source.location, overwrite=options.overwrite)

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Writes an RGB picture.

        Raises:
            SinkError: It cannot be encoded or written.
        """
        with sink_errors(f"{self._location}: cannot be written"):
            data = cv2.imencode(Path(self._location).suffix.lower(), rgb[:, :, ::-1])[1].tobytes()
            write_atomically(self._place.place(0), data)
            self._place.commit()


def _names_one_picture(location: str) -> bool:
    return Path(location).suffix.lower() in (".png", ".jpg", ".jpeg", ".webp") and "%" not in Path(location).name


def _explain_video(
    source: Source,
    target: str,
    explainer: Explainer,
    options: Options,
    on_progress: Callable[[Progress], None] | None,
    stop: threading.Event | None,
) -> Explained:
    pixels = PIXEL_FORMATS["yuv444p" if is_picture(target) else "yuv420p"]
    video = sheet_video(source.video, *explainer.size, pixels)
    drawn = _DrawnSource(source, video)
    sink = open_sink(
        target, drawn, codec=options.codec, encoder=options.encoder, crf=options.crf, preset=options.preset,
        bitrate=options.bitrate, pixel_format=options.pixel_format, threads=plan_threads(options.threads).encode,
        overwrite=options.overwrite,
    )  # fmt: skip
    tally = carry_out(Runner(source, explainer, _DrawnSink(sink, video)), sink, on_progress, stop)
    density = tally.density_sum / tally.densities if tally.densities else None
    return Explained(target, tally.frames_out, density, tally.interrupted)


class _DrawnSource:
    """A source as the encoder shall see it: with the drawings' size and colour."""

    def __init__(self, source: Source, video: VideoInfo) -> None:
        self._source, self.video = source, video
        self.location, self.copied = source.location, source.copied
        self.chapters, self.metadata = source.chapters, source.metadata
        self.items, self.close = source.items, source.close


class _DrawnSink:
    """A sink that hands out frames for drawings, whatever the frames are like that they explain."""

    def __init__(self, sink: Sink, video: VideoInfo) -> None:
        self._sink, self._format = sink, video.format
        self.location, self.replaces = sink.location, sink.replaces
        self.finish, self.abort = sink.finish, sink.abort

    def allocate(self, like: Frame) -> Frame:
        """Returns a frame for a drawing, with the timestamp of `like`."""
        return self._sink.allocate(replace(like, format=self._format, colour=SHEET_COLOUR, native=None))

    def write(self, item: Frame | Packet) -> None:
        """Encodes a drawing or copies a packet."""
        self._sink.write(item)
