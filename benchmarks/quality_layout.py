"""A set on disk, as `rtdehaze evaluate` reads pairs and clips: links by number, and cropped copies of larger truths.

Every picture is looked at before: what cannot be used is left out here, and named as the user knows it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from quality_sets import Files

from rtdehaze.apps.evaluate.selection import spread
from rtdehaze.core.errors import SourceError
from rtdehaze.measure.pairs import read_picture

__all__ = ["lay_out_clips", "lay_out_pairs"]

Picture = NDArray[np.uint8]

_WIDEST_BORDER = 20
"""Pixels by which a truth may be larger than its hazy picture on both sides together: RESIDE's indoor ones are."""


def lay_out_pairs(found: Sequence[Files], root: Path, place: Path) -> list[str]:
    """Makes a folder of pairs as `rtdehaze evaluate --pairs` reads it.

    Args:
        found: The pictures.
        root: The set's folder; pictures are named from there on.
        place: Where to, a new folder.

    Returns:
        What was left out, and why.

    Raises:
        SourceError: Nothing is left.
    """
    hazy, clear = _rooms(place)
    truths: dict[tuple[Path, tuple[int, ...]], int] = {}
    left_out = []
    for number, files in enumerate(found):
        try:
            picture, truth = _read(files.hazy, root), _partner(files, root)
            # A truth that many pictures share is there once, so that it is put in once as well. Numbers, as two
            # pictures may differ in their suffix alone; the truth of 3_17 is 3.
            key = truth, picture.shape
            if key not in truths:
                _put_truth(truth, _middle(files, picture, truth, root), clear / f"{len(truths):06}")
                truths[key] = len(truths)
            _link(files.hazy, hazy / f"{truths[key]:06}_{number:06}{files.hazy.suffix}")
        except SourceError as error:
            left_out.append(str(error))
    if len(left_out) == len(found):
        raise SourceError(f"{root}: no pair can be used: {'; '.join(left_out[:3])}")
    return left_out


def lay_out_clips(found: Iterable[Files], root: Path, place: Path, *, frames: int, limit: int | None) -> list[str]:
    """Makes a folder of clips as `rtdehaze evaluate --clips` reads it; frames are paired by name, not by order.

    Args:
        found: Frames, those of a clip in their order.
        root: The set's folder; clips are named from there on.
        place: Where to, a new folder.
        frames: Of a clip, at most, its first ones.
        limit: Clips, spread evenly; None takes all.

    Returns:
        Which were left out, and why; it may be all.
    """
    hazy, clear = _rooms(place)
    clips: dict[Path, list[Files]] = {}
    for files in found:
        if files.clip is not None:
            clips.setdefault(files.clip, []).append(files)
    left_out = []
    # Numbers, as evaluate drops what follows a dot: HazeWorld's names end in the haze's density, 0.005.
    for number, clip in enumerate(spread(list(clips), limit)):
        parts = hazy / f"{number:04}", clear / f"{number:04}"
        first = clips[clip][:frames]
        reasons = _lay_out_clip(first, root, *parts)
        if len(reasons) == len(first):
            left_out.append(f"{_shown(clip, root)}: {reasons[0]}")
            for part in parts:
                shutil.rmtree(part)
    return left_out


def _lay_out_clip(found: Sequence[Files], root: Path, hazy: Path, clear: Path) -> list[str]:
    hazy.mkdir()
    clear.mkdir()
    left_out = []
    for number, files in enumerate(found):
        try:
            picture, truth = _read(files.hazy, root), _partner(files, root)
            _put_truth(truth, _middle(files, picture, truth, root), clear / f"{number:06}")
            _link(files.hazy, hazy / f"{number:06}{files.hazy.suffix}")
        except SourceError as error:
            left_out.append(str(error))
    return left_out


def _rooms(place: Path) -> tuple[Path, Path]:
    rooms = place / "hazy", place / "clear"
    for room in rooms:
        room.mkdir(parents=True)
    return rooms


def _shown(path: Path, root: Path) -> str:
    """As people and results name it: no path of this machine, but with the folder it is in."""
    return path.relative_to(root).as_posix()


def _partner(files: Files, root: Path) -> Path:
    if files.truth is None:
        raise SourceError(f"{_shown(files.hazy, root)} has no clear partner")
    return files.truth


def _read(path: Path, root: Path) -> Picture:
    try:
        return read_picture(path)
    except SourceError as error:
        raise SourceError(f"{_shown(path, root)}{str(error).removeprefix(path.name)}") from error


def _middle(files: Files, picture: Picture, truth: Path, root: Path) -> Picture | None:
    """The truth's middle of the hazy picture's size; None where the sizes are equal."""
    (height, width), clear = picture.shape[:2], _read(truth, root)
    rows, columns = clear.shape[0] - height, clear.shape[1] - width
    if rows == columns == 0:
        return None
    if not (0 <= rows <= _WIDEST_BORDER and 0 <= columns <= _WIDEST_BORDER):
        sizes = f"{width}x{height}, its partner {clear.shape[1]}x{clear.shape[0]}"
        raise SourceError(f"{_shown(files.hazy, root)} is {sizes}")
    return clear[rows // 2 : rows // 2 + height, columns // 2 : columns // 2 + width]


def _put_truth(truth: Path, cropped: Picture | None, target: Path) -> None:
    if cropped is None:
        _link(truth, target.with_name(target.name + truth.suffix))
    else:
        cv2.imwrite(f"{target}.png", cropped[:, :, ::-1])


def _link(source: Path, target: Path) -> None:
    with suppress(OSError):
        target.symlink_to(source.resolve())
        return
    os.link(source, target)  # where links by name need a privilege
