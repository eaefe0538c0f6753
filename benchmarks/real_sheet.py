"""Sheets of real hazy pictures and clips, for people to look at: before, after, transmission.

    python benchmarks/real_sheet.py --real DIR --out sheets --model base --model dcp

DIR and its sub-folders hold photographs and videos. Photographs come a dozen to a sheet, each clip has a sheet of its
own with frames spread over it, dehazed in order as `rtdehaze run` does (mode auto: what is taken for clear is left as
it is; --mode manual shows what the model would do). Above each picture: its name, the density, the median transmission.
Transmission is drawn from black (0) over red and yellow to white (1).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.frames import empty_frame, rgb_of
from rtdehaze.core.errors import RtdehazeError
from rtdehaze.core.frame import Frame
from rtdehaze.pipeline.dehazer import Dehazer
from rtdehaze.stages.capture.pictures import PICTURE_SUFFIXES
from rtdehaze.stages.capture.source import open_source
from rtdehaze.stages.estimate import DEFAULT_MODEL

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".ts")

GAP = 8
"""Pixels between two scenes."""

BAR = 18
"""Pixels of the line of text above a picture."""

Picture = NDArray[np.uint8]
Group = Picture
"""One scene: the picture before, then after and transmission for each model, side by side."""


def labelled(picture: Picture, text: str, height: int) -> Picture:
    """The picture at that height, its shape kept, a line of text above it."""
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    cell = np.full((height + BAR, width, 3), 24, np.uint8)
    cell[BAR:] = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    cv2.putText(cell, text, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return cell


def transmission_picture(dehazer: Dehazer, like: Picture) -> Picture:
    """The transmission at the picture's size, in colours."""
    if dehazer.haze is None:
        return np.zeros_like(like)
    large = cv2.resize(dehazer.haze.transmission, like.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.applyColorMap(np.uint8(255 * large), cv2.COLORMAP_HOT)[..., ::-1]


def words(name: str, dehazer: Dehazer, before: Picture, after: Picture) -> str:
    """What is written above a result."""
    if dehazer.haze is None:
        return name
    left = " LEFT AS IT IS" if np.array_equal(before, after) else ""
    return f"{name} haze {dehazer.haze.density:.2f} t {np.median(dehazer.haze.transmission):.2f}{left}"


def photo_group(path: Path, dehazers: dict[str, Dehazer], height: int) -> Group | None:
    """Before, after and transmission of a photograph; None if it cannot be read."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        print(f"left out, not readable: {path}")
        return None
    picture = np.ascontiguousarray(found[..., ::-1], np.uint8)
    cells = [labelled(picture, path.name, height)]
    for name, dehazer in dehazers.items():
        dehazer.reset()
        after = dehazer.process(picture)
        cells.append(labelled(after, words(name, dehazer, picture, after), height))
        cells.append(labelled(transmission_picture(dehazer, picture), f"{name} t", height))
    return np.hstack(cells)


def clip_groups(path: Path, dehazers: dict[str, Dehazer], shown: int, longest: int, height: int) -> list[Group]:
    """Frames spread over the first `longest` frames of a clip, every frame dehazed in order."""
    for dehazer in dehazers.values():
        dehazer.reset()
    with open_source(path) as source:
        count = min(longest, source.video.frames or longest)
        wanted = set(np.linspace(0, count - 1, min(shown, count)).round().astype(int).tolist())
        frames = (item for item in source.items() if isinstance(item, Frame))
        groups = []
        for number, frame in zip(range(count), frames, strict=False):
            results = {}
            for name, dehazer in dehazers.items():
                out = empty_frame(frame)
                dehazer.apply(frame, dehazer.decide(frame), out)
                results[name] = out
            if number in wanted:
                groups.append(_frame_group(path.stem, frame, results, dehazers, height))
    return groups


def _frame_group(
    name: str, frame: Frame, results: dict[str, Frame], dehazers: dict[str, Dehazer], height: int
) -> Group:
    before = rgb_of(frame)
    cells = [labelled(before, f"{name} {frame.time:.2f} s", height)]
    for model, out in results.items():
        after, dehazer = rgb_of(out), dehazers[model]
        cells.append(labelled(after, words(model, dehazer, before, after), height))
        cells.append(labelled(transmission_picture(dehazer, before), f"{model} t", height))
    return np.hstack(cells)


def lines(groups: Iterable[Group], width: int) -> Iterator[Picture]:
    """Sets the groups in lines of that width, as words in a paragraph; a wider one is shrunk."""
    line: list[Picture] = []
    used = 0
    for group in groups:
        if group.shape[1] > width:
            shrunk = (width, max(1, round(group.shape[0] * width / group.shape[1])))
            group = np.asarray(cv2.resize(group, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
        if line and (used + group.shape[1] > width or group.shape[0] != line[0].shape[0]):
            yield _padded(line, width)
            line, used = [], 0
        line.append(group)
        used += group.shape[1] + GAP
    if line:
        yield _padded(line, width)


def _padded(line: list[Picture], width: int) -> Picture:
    whole = np.full((line[0].shape[0], width, 3), 24, np.uint8)
    left = 0
    for group in line:
        whole[:, left : left + group.shape[1]] = group
        left += group.shape[1] + GAP
    return whole


def write_sheets(stem: Path, groups: Iterable[Group], width: int, rows: int) -> None:
    """Writes STEM-01.png, STEM-02.png ..., each of so many lines."""
    for number, some in enumerate(batched(lines(groups, width), rows), 1):
        path = stem.with_name(f"{stem.name}-{number:02d}.png")
        if not cv2.imwrite(str(path), np.vstack(some)[..., ::-1]):
            raise SystemExit(f"{path} cannot be written")
        print(path, flush=True)


def batched(items: Iterable[Picture], count: int) -> Iterator[list[Picture]]:
    """Lists of so many items, the last one shorter."""
    iterator = iter(items)
    while some := list(islice(iterator, count)):
        yield some


def files(folder: Path, suffixes: Iterable[str], only: str) -> list[Path]:
    """The files of a folder and its sub-folders by name."""
    known = set(suffixes)
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in known and only in path.name)


def columns(models: list[str]) -> list[tuple[str, str]]:
    """(label, model) of each model: the last part of its name, or all of it where that is another's, too."""
    stems = [Path(name).stem for name in models]
    return [(stem if stems.count(stem) == 1 else name, name) for stem, name in zip(stems, models, strict=True)]


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, required=True, help="folder of photographs and videos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets; same names are replaced")
    parser.add_argument("--model", action="append", help="a name or an .onnx file, several times; the default if none")
    parser.add_argument("--mode", choices=("auto", "manual"), default="auto")
    parser.add_argument("--strength", type=float, default=100.0)
    parser.add_argument("--no-exposure", action="store_true")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    parser.add_argument("--photos", action="store_true", help="photographs only, no clips")
    parser.add_argument("--frames", type=int, default=6, help="frames shown of a clip")
    parser.add_argument("--longest", type=int, default=150, help="frames read of a clip")
    parser.add_argument("--height", type=int, default=200, help="of each picture, in pixels")
    parser.add_argument("--width", type=int, default=1900, help="of a sheet, in pixels")
    parser.add_argument("--rows", type=int, default=7, help="lines of a sheet")
    return parser.parse_args()


def main() -> None:
    """Writes the sheets."""
    options = arguments()
    chosen = {"mode": options.mode, "strength": options.strength, "exposure": not options.no_exposure}
    if not options.real.is_dir():
        raise SystemExit(f"{options.real} is no folder")
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        dehazers = {column: Dehazer.load(name, **chosen) for column, name in columns(options.model or [DEFAULT_MODEL])}
        photos = (
            photo_group(path, dehazers, options.height) for path in files(options.real, PICTURE_SUFFIXES, options.only)
        )
        write_sheets(
            options.out / "photos", (group for group in photos if group is not None), options.width, options.rows
        )
        for path in [] if options.photos else files(options.real, VIDEOS, options.only):
            groups = clip_groups(path, dehazers, options.frames, options.longest, options.height)
            write_sheets(options.out / f"clip-{path.stem}", groups, options.width, options.rows)
    except RtdehazeError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
