"""Sheets of real hazy pictures and clips, for people to look at: before, after, transmission.

    python benchmarks/real_sheet.py --real DIR --out sheets --model base --model dcp

DIR and its sub-folders hold photographs and videos. Photographs come twelve to a sheet, each clip has a sheet of its
own with frames spread over it, dehazed in order as `rtdehaze run` does (mode auto: what is taken for clear is left as
it is; --mode manual shows what the model would do). Above each picture: its name, the density, the median transmission.
Transmission is drawn from black (0) over red and yellow to white (1).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
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

Picture = NDArray[np.uint8]
Row = list[Picture]


def labelled(picture: Picture, text: str, tile: tuple[int, int]) -> Picture:
    """The picture fitted into a tile of (width, height), its shape kept, a line of text above it."""
    bar = 18
    width, height = tile[0], tile[1] - bar
    scale = min(width / picture.shape[1], height / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    cell = np.full((tile[1], width, 3), 24, np.uint8)
    left = (width - size[0]) // 2
    cell[bar : bar + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
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


def photo_row(path: Path, dehazers: dict[str, Dehazer], tile: tuple[int, int]) -> Row | None:
    """Before, after and transmission of a photograph; None if it cannot be read."""
    found = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if found is None:
        print(f"left out, not readable: {path}")
        return None
    picture = np.ascontiguousarray(found[..., ::-1], np.uint8)
    row = [labelled(picture, path.name, tile)]
    for name, dehazer in dehazers.items():
        dehazer.reset()
        after = dehazer.process(picture)
        row.append(labelled(after, words(name, dehazer, picture, after), tile))
        row.append(labelled(transmission_picture(dehazer, picture), f"{name} transmission", tile))
    return row


def clip_rows(path: Path, dehazers: dict[str, Dehazer], shown: int, longest: int, tile: tuple[int, int]) -> list[Row]:
    """Frames spread over the first `longest` frames of a clip, every frame dehazed in order."""
    for dehazer in dehazers.values():
        dehazer.reset()
    with open_source(path) as source:
        count = min(longest, source.video.frames or longest)
        wanted = set(np.linspace(0, count - 1, min(shown, count)).round().astype(int).tolist())
        frames = (item for item in source.items() if isinstance(item, Frame))
        rows = []
        for number, frame in zip(range(count), frames, strict=False):
            results = {}
            for name, dehazer in dehazers.items():
                out = empty_frame(frame)
                dehazer.apply(frame, dehazer.decide(frame), out)
                results[name] = out
            if number in wanted:
                rows.append(_frame_row(path.name, frame, results, dehazers, tile))
    return rows


def _frame_row(
    name: str, frame: Frame, results: dict[str, Frame], dehazers: dict[str, Dehazer], tile: tuple[int, int]
) -> Row:
    before = rgb_of(frame)
    row = [labelled(before, f"{name} {frame.time:.2f} s", tile)]
    for model, out in results.items():
        after, dehazer = rgb_of(out), dehazers[model]
        row.append(labelled(after, words(model, dehazer, before, after), tile))
        row.append(labelled(transmission_picture(dehazer, before), f"{model} transmission", tile))
    return row


def write(path: Path, rows: list[Row], columns: int) -> None:
    """Writes a sheet."""
    while len(rows) % columns:
        rows.append([np.zeros_like(cell) for cell in rows[0]])
    lines = [
        np.hstack([cell for row in rows[at : at + columns] for cell in row]) for at in range(0, len(rows), columns)
    ]
    if not cv2.imwrite(str(path), np.vstack(lines)[..., ::-1]):
        raise SystemExit(f"{path} cannot be written")
    print(path, flush=True)


def files(folder: Path, suffixes: frozenset[str] | tuple[str, ...], only: str) -> Iterator[Path]:
    """The files of a folder and its sub-folders by name."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in suffixes and only in path.name:
            yield path


def main() -> None:
    """Writes the sheets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--real", type=Path, required=True, help="folder of photographs and videos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the sheets")
    parser.add_argument("--model", action="append", help="a name or an .onnx file, several times; the default if none")
    parser.add_argument("--mode", choices=("auto", "manual"), default="auto")
    parser.add_argument("--strength", type=float, default=100.0)
    parser.add_argument("--no-exposure", action="store_true")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    parser.add_argument("--photos", action="store_true", help="photographs only, no clips")
    parser.add_argument("--frames", type=int, default=6, help="frames shown of a clip")
    parser.add_argument("--longest", type=int, default=150, help="frames read of a clip")
    parser.add_argument("--tile", type=int, nargs=2, default=(320, 258), metavar=("W", "H"))
    parser.add_argument("--rows", type=int, default=6)
    options = parser.parse_args()
    names = options.model or [DEFAULT_MODEL]
    chosen = {"mode": options.mode, "strength": options.strength, "exposure": not options.no_exposure}
    tile = (options.tile[0], options.tile[1])
    columns = 2 if len(names) == 1 else 1
    if not options.real.is_dir():
        raise SystemExit(f"{options.real} is no folder")
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        dehazers = {Path(name).stem: Dehazer.load(name, **chosen) for name in names}
        photos = list(files(options.real, PICTURE_SUFFIXES, options.only))
        each = columns * options.rows
        for at in range(0, len(photos), each):
            rows = [row for path in photos[at : at + each] if (row := photo_row(path, dehazers, tile)) is not None]
            if rows:
                write(options.out / f"photos-{at // each + 1:02d}.png", rows, columns)
        for path in () if options.photos else files(options.real, VIDEOS, options.only):
            rows = clip_rows(path, dehazers, options.frames, options.longest, tile)
            write(options.out / f"clip-{path.stem}.png", rows, columns)
    except RtdehazeError as error:
        raise SystemExit(f"error: {error}") from error


if __name__ == "__main__":
    main()
