"""Everything that a configuration's data names: listed first, read when wanted, kept as long as there is room."""

from __future__ import annotations

import csv
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from rtdehaze.core.errors import SourceError
from rtdehaze.measure.pairs import CLEAR_FOLDERS, by_name, partner_of
from rtdehaze.train.config import DataConfig
from rtdehaze.train.decoding import LonePicture, PackPicture, PicturePair, Reference, Scene, UnreadableError
from rtdehaze.train.generated import render
from rtdehaze.train.origins import MADE_HERE, UNKNOWN, Origin, terms_of
from rtdehaze.train.videos import frames_of

__all__ = [
    "Scene",
    "Scenes",
    "load_scenes",
    "read_pack",
    "read_pairs",
    "read_pictures",
    "read_videos",
    "readable",
]

log = logging.getLogger("rtdehaze.train")

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
VIDEOS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg")
ROOM_MB = 1000
"""Decoded scenes that are kept where nothing else is said."""
TRIALS = 20
"""Pictures of a source that are tried before training begins; if none of them can be used, none is expected to."""


class Scenes(Sequence[Scene]):
    """Scenes that are read when they are asked for; the last ones stay in memory.

    Args:
        references: Where they are.
        origins: What sources they come from.
        room_mb: Megabytes of decoded scenes to keep, in each process that makes samples.
    """

    def __init__(
        self, references: Iterable[Reference], origins: Iterable[Origin] = (), room_mb: float = ROOM_MB
    ) -> None:
        self._references = tuple(references)
        self.origins = tuple(origins)
        self._room = int(room_mb * 1e6)
        self._kept: OrderedDict[int, Scene] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._references)

    @overload
    def __getitem__(self, index: int) -> Scene: ...
    @overload
    def __getitem__(self, index: slice) -> Scenes: ...
    def __getitem__(self, index: int | slice) -> Scene | Scenes:
        """Reads a scene, or takes it from those kept.

        Raises:
            UnreadableError: It cannot be used; the message names it.
        """
        if isinstance(index, slice):
            return Scenes(self._references[index], self.origins, self._room / 1e6)
        kept = self._kept.get(index)
        if kept is not None:
            self._kept.move_to_end(index)
            return kept
        scene = self._references[index].load()
        self._kept[index] = scene
        self._size += scene.size
        while self._size > self._room:
            self._size -= self._kept.popitem(last=False)[1].size
        return scene

    def __getstate__(self) -> dict[str, Any]:
        """A process that is sent the scenes reads its own."""
        return self.__dict__ | {"_kept": OrderedDict(), "_size": 0}


def load_scenes(data: DataConfig) -> Scenes:
    """Lists everything that the configuration names, and renders what is to be generated.

    Raises:
        SourceError: A folder is missing or empty, or nothing in it can be used; the message names it.
    """
    parts = [read_pack(Path(pack), data.sets) for pack in data.packs]
    parts += [read_pictures(Path(folder)) for folder in data.pictures]
    parts += [read_pairs(Path(folder)) for folder in data.pairs]
    parts += [read_videos(Path(place), data.video_seconds) for place in data.videos]
    for made in data.generated:
        folder, names = render(made, Path(data.cache).expanduser(), max(1, data.workers))
        origin = Origin(f"generated scenes ({made.kind})", MADE_HERE, len(names))
        parts.append(Scenes([PackPicture(folder, name) for name in names], [origin]))
    if not parts:
        raise SourceError(
            "nothing to train on: data.packs, data.pictures, data.pairs, data.videos and data.generated are all empty"
        )
    references = [reference for part in parts for reference in part._references]
    origins = [origin for part in parts for origin in part.origins]
    return Scenes(references, origins, data.cache_mb / max(1, data.workers))


def read_pack(folder: Path, sets: tuple[str, ...] = ()) -> Scenes:
    """Lists a training pack: `rgb/NAME.jpg`, `disp/NAME.png` holding sqrt(disparity) in 8 or 16 bit, `index.csv`.

    Args:
        folder: The pack.
        sets: Values of the index's column `set` to keep; empty keeps all.

    Raises:
        SourceError: No index, or nothing in it can be used.
    """
    try:
        with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if not sets or row["set"] in sets]
        names = [row["name"] for row in rows]
        counts = Counter((row.get("set") or folder.name, row.get("terms") or UNKNOWN) for row in rows)
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(f"{folder} is no training pack: index.csv cannot be read ({error})") from error
    if sets and not rows:
        raise SourceError(f"pack {folder} has no picture of data.sets = {', '.join(sets)}")
    origins = [Origin(name, terms, count) for (name, terms), count in counts.items()]
    return _usable(folder, Scenes([PackPicture(folder, name) for name in names], origins))


def read_pictures(folder: Path) -> Scenes:
    """Lists clear pictures; `disp/NAME.png|npy` or `depth/NAME.png|npy` beside them is used where it exists.

    Raises:
        SourceError: The folder is missing or holds no readable picture.
    """
    depths: dict[str, tuple[Path, bool]] = {}
    for kind in ("depth", "disp"):
        for suffix in (".npy", ".png"):
            depths |= {path.stem: (path, kind == "disp") for path in _files(folder / kind, (suffix,))}
    references = [LonePicture(path, *depths.get(path.stem, (None, False))) for path in _listed(folder, PICTURES)]
    return _usable(folder, Scenes(references, [Origin(folder.name, terms_of(folder), len(references))]))


def read_pairs(folder: Path) -> Scenes:
    """Lists hazy/clear pairs in the RESIDE naming: `hazy/0001_0.8_0.2.jpg` belongs to `clear/0001.*` (or `gt`).

    Raises:
        SourceError: A folder is missing, or no hazy picture has a partner.
    """
    clear = next((folder / name for name in CLEAR_FOLDERS if (folder / name).is_dir()), None)
    if clear is None:
        raise SourceError(f"{folder} holds no folder named clear or gt")
    partners = by_name(_files(clear, PICTURES))
    references: list[PicturePair] = []
    alone: list[str] = []
    for path in _listed(folder / "hazy", PICTURES):
        partner = partner_of(path, partners)
        if partner is None:
            alone.append(path.name)
        else:
            references.append(PicturePair(path, partner))
    if alone:
        named = ", ".join(alone[:5]) + (", ..." if alone[5:] else "")
        log.warning("%d hazy pictures of %s left out, no clear partner: %s", len(alone), folder, named)
    return _usable(folder, Scenes(references, [Origin(folder.name, terms_of(folder), len(references))]))


def read_videos(place: Path, seconds: float) -> Scenes:
    """Lists frames of a video, or of each video of a folder, one every so many seconds.

    Raises:
        SourceError: There is no such place, or no video in it that can be opened.
    """
    paths = [place] if place.is_file() else _listed(place, VIDEOS)
    folder = place.parent if place.is_file() else place
    references: list[Reference] = []
    for path in paths:
        try:
            references += frames_of(path, seconds)
        except UnreadableError as error:
            log.warning("video left out: %s", error)
    return _usable(place, Scenes(references, [Origin(place.name, terms_of(folder), len(references))]))


def readable(scenes: Sequence[Scene], numbers: Iterable[int]) -> Iterator[tuple[int, Scene]]:
    """Those of the scenes of these numbers that can be read, with their numbers; the others are named in the log."""
    for number in numbers:
        try:
            scene = scenes[number]
        except UnreadableError as error:
            log.warning("picture left out: %s", error)
            continue
        yield number, scene


def _listed(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        raise SourceError(f"folder {folder} does not exist")
    return _files(folder, suffixes)


def _files(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes)


def _usable(folder: Path, scenes: Scenes) -> Scenes:
    """The scenes, once one of them has been read: a source of which nothing can be used is found before training."""
    reason = "it is empty"
    for number in range(min(TRIALS, len(scenes))):
        try:
            scenes[number]
        except UnreadableError as error:
            reason = str(error)
        else:
            return scenes
    raise SourceError(f"{folder} holds no picture that can be used: {reason}")
