"""Photographs: one alone, or a row of them that is played as a video."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import av
from av.video.frame import VideoFrame

from rtdehaze.core.errors import SourceError
from rtdehaze.core.frame import Frame
from rtdehaze.core.stream import Packet, VideoInfo
from rtdehaze.stages.capture.base import BaseSource
from rtdehaze.stages.capture.colour import refuse_hdr
from rtdehaze.stages.capture.convert import Converter
from rtdehaze.stages.capture.opening import open_container
from rtdehaze.stages.capture.options import MAX_PIXELS, CaptureOptions
from rtdehaze.stages.capture.problems import source_error
from rtdehaze.stages.capture.streams import codec_name, main_video

__all__ = ["PICTURE_SUFFIXES", "PictureSource", "files_of_folder", "files_of_pattern", "is_pattern"]

PICTURE_SUFFIXES = frozenset(
    {
        *(
            ".avif",
            ".bmp",
            ".dpx",
            ".exr",
            ".jp2",
            ".jpe",
            ".jpeg",
            ".jpg",
            ".jxl",
            ".pbm",
            ".pgm",
            ".png",
            ".pnm",
            ".ppm",
        ),
        *(".qoi", ".tga", ".tif", ".tiff", ".webp"),
    }
)
"""Names of files that hold one picture."""

_UNDECODABLE = f"{{!r}} cannot be decoded: it is damaged, or too large (more than {MAX_PIXELS} pixels)"

_NUMBER = re.compile(r"%(?:0(\d+))?d")


class PictureSource(BaseSource):
    """Pictures in a given order; each lasts one frame of the picture rate."""

    def __init__(self, location: str, files: Sequence[Path], options: CaptureOptions, *, still: bool) -> None:
        """Reads the first picture.

        Args:
            location: What the user named.
            files: At least one.
            options: `start`, `duration` and `picture_rate` matter here.
            still: Whether this is a single photograph rather than a video of pictures.

        Raises:
            SourceError: None of the files is a picture that can be read.
        """
        super().__init__(location)
        self._rate = options.picture_rate
        self._time_base = 1 / self._rate
        self._files = tuple(self._part(files, options))
        self._still = still
        self._broken: list[Path] = []
        self._codec = ""
        self._rotation: int | None = None
        self._converter: Converter | None = None
        self._stream = self._read()
        first = next(self._stream, None)
        if first is None:
            raise SourceError(f"{self.location!r}: not one of its {len(self._files)} pictures can be read")
        refuse_hdr(self.location, first.colour.tags.transfer, options)
        self._ahead: list[Frame] = [first]
        self._video = self._describe(first)

    @property
    def video(self) -> VideoInfo:
        """The pictures as a video stream."""
        return self._video

    def items(self) -> Iterator[Frame | Packet]:
        """Yields the pictures in order, once."""
        self._assert_open()
        ahead = self._ahead
        if ahead:
            yield ahead.pop()
            self._assert_open()
        yield from self._stream

    def _release(self) -> None:
        self._ahead = []

    def _part(self, files: Sequence[Path], options: CaptureOptions) -> Sequence[Path]:
        start = options.start or Fraction(0)
        begin = math.ceil(start * self._rate)
        end = len(files) if options.duration is None else math.ceil((start + options.duration) * self._rate)
        if not files[begin:end]:
            raise SourceError(f"{self.location!r} has {len(files)} pictures, none in the part that was asked for")
        return files[begin:end]

    def _read(self) -> Iterator[Frame]:
        for index, file in enumerate(self._files):
            loaded: list[Frame] = []
            with self._lock:
                self._assert_open()
                try:
                    loaded.append(self._load(file, index))
                except SourceError:
                    if self._still:
                        raise
                    self._broken.append(file)
            if loaded:
                # Out of the list, never from a variable: no frame is kept here while the caller works on it.
                yield loaded.pop()
        if self._broken:
            more = "" if len(self._broken) == 1 else f" and {len(self._broken) - 1} more"
            self._notices.say("broken", f"{self._broken[0].name!r}{more} cannot be read and is left out")

    def _load(self, file: Path, index: int) -> Frame:
        with _opened(file) as stream, open_container(str(file), stream=stream) as container:
            video = main_video(container, str(file))
            if video.width * video.height > MAX_PIXELS:
                raise SourceError(f"{file.name!r} says it is {video.width}x{video.height}: more than is decoded")
            try:
                decoded = next(container.decode(video), None)
            except (av.FFmpegError, MemoryError) as error:
                raise SourceError(_UNDECODABLE.format(str(file))) from error
            if decoded is None:
                raise SourceError(_UNDECODABLE.format(str(file)))
            if self._converter is None:
                self._codec = codec_name(video)
                self._converter = Converter(self._notices, codec=self._codec, picture=True)
            self._tell_rotation(decoded)
            return self._converter.frame(decoded, index, self._time_base)

    def _describe(self, first: Frame) -> VideoInfo:
        native: Any = first.native
        count = len(self._files)
        return VideoInfo(
            width=first.width,
            height=first.height,
            format=first.format,
            colour=first.colour,
            time_base=self._time_base,
            codec=self._codec,
            native_format="" if self._converter is None else self._converter.native_format,
            rate=self._rate,
            duration=float(count / self._rate),
            frames=count,
            rotation=native.rotation,
            still=self._still,
        )

    def _tell_rotation(self, decoded: VideoFrame) -> None:
        if self._rotation is None:
            self._rotation = decoded.rotation
        elif decoded.rotation != self._rotation:
            self._notices.say(
                "rotation", "some pictures are to be turned and others are not: all are shown as the first"
            )


def is_pattern(location: str) -> bool:
    """Whether a location names numbered pictures, as in `frames/%05d.png`."""
    return _NUMBER.search(Path(location).name) is not None and not Path(location).exists()


def files_of_pattern(location: str) -> list[Path]:
    """Returns the pictures that a pattern names, by number.

    Raises:
        SourceError: There is none.
    """
    folder, name = Path(location).parent, Path(location).name
    expression = ""
    rest = 0
    for match in _NUMBER.finditer(name):
        digits = rf"(\d{{{int(match[1])},}})" if match[1] else r"(\d+)"
        expression += re.escape(name[rest : match.start()]) + digits
        rest = match.end()
    wanted = re.compile(expression + re.escape(name[rest:]))
    numbered = []
    for path in _listing(folder, location):
        found = wanted.fullmatch(path.name)
        if found is not None:
            numbered.append((tuple(int(number) for number in found.groups()), path))
    if not numbered:
        raise SourceError(f"no file matches {location!r}; check the folder and the number of digits")
    return [path for _, path in sorted(numbered)]


def files_of_folder(location: str) -> list[Path]:
    """Returns the pictures of a folder as people sort them: 2.png before 10.png.

    Raises:
        SourceError: There is none.
    """
    found = [path for path in _listing(Path(location), location) if path.suffix.lower() in PICTURE_SUFFIXES]
    if not found:
        raise SourceError(f"the folder {location!r} holds no pictures; name a video file in it, or another folder")
    return sorted(found, key=_natural)


def _opened(file: Path) -> IO[bytes]:
    try:
        return file.open("rb")
    except OSError as error:
        raise source_error(str(file), error) from error


def _listing(folder: Path, location: str) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        raise source_error(location, error) from error


def _natural(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.split(r"(\d+)", path.name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part], path.name
