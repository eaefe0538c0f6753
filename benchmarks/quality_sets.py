"""Public sets: how their pictures and clips lie on disk, their test splits, and the figures that others published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rtdehaze.core.errors import SourceError
from rtdehaze.measure.pairs import CLEAR_FOLDERS, PICTURE_SUFFIXES, by_name, partner_of, picture_files
from rtdehaze.stages.capture.pictures import files_of_folder

__all__ = ["SETS", "Files", "Published", "Standard"]


@dataclass(frozen=True, slots=True)
class Files:
    """A hazy picture and its truth."""

    name: str
    """Of the hazy picture, without its suffix."""
    hazy: Path
    truth: Path | None
    """None: there is no clear picture of that name."""
    clip: Path | None = None
    """The folder of the video that it is a frame of."""


Find = Callable[[Path], Iterator[Files]]


@dataclass(frozen=True)
class Published:
    """A figure that others published on the set."""

    method: str
    psnr: float
    ssim: float | None
    source: str


@dataclass(frozen=True)
class Standard:
    """A public set and how it is scored."""

    find: Find
    protocol: str
    published: tuple[Published, ...] = ()
    clips: bool = False
    """Whether its pictures are frames of videos."""


def paired(folder: Path) -> Iterator[Files]:
    """`hazy/NAME` and `clear/NAME` (or gt, GT), as RESIDE and O-HAZE lie on disk.

    Raises:
        SourceError: One of the two folders is not there or holds no pictures.
    """
    clear = _clear(folder)
    if clear is None or not (folder / "hazy").is_dir():
        raise SourceError(f"{folder} must hold the folders hazy and {' or '.join(CLEAR_FOLDERS)}")
    truths = by_name(picture_files(clear))
    for path in picture_files(folder / "hazy"):
        yield Files(path.stem, path, partner_of(path, truths))


def flat(folder: Path) -> Iterator[Files]:
    """`01_hazy.png` beside `01_GT.png`, as NH-HAZE lies on disk."""
    pictures = picture_files(folder)
    by_stem = {path.stem.lower(): path for path in pictures}
    for path in pictures:
        stem = path.stem.lower()
        if "hazy" in stem:
            yield Files(path.stem, path, by_stem.get(stem.replace("hazy", "gt")))


def frames(folder: Path) -> Iterator[Files]:
    """Folders of frames, `hazy/CLIP/FRAME` and `gt/CLIP/FRAME`, or each below the name of a part: `hazy/DAVIS/CLIP`.

    Taken from the folder's `Test` or `test` where there is one: beside it HazeWorld has a `hazy` with all its videos.

    Raises:
        SourceError: There are none.
    """
    root = next((one for one in (folder / "Test", folder / "test", folder) if (one / "hazy").is_dir()), None)
    clear = root and _clear(root)
    if root is None or clear is None:
        raise SourceError(f"{folder} must hold hazy/CLIP/FRAME and gt/CLIP/FRAME, or a folder Test that does")
    for clip in _clips(root / "hazy"):
        partner = _partner(clip, clear / clip.parent.relative_to(root / "hazy"))
        there = {path.stem: path for path in _pictures(partner)} if partner is not None else {}
        # In the order of time: 2.png before 10.png.
        for path in files_of_folder(str(clip)):
            yield Files(f"{clip.name}-{path.stem}", path, there.get(path.stem), clip)


def numbered(find: Find, first: int, last: int) -> Find:
    """Only the pictures whose name begins with a number from `first` to `last`: a set's test split."""

    def some(folder: Path) -> Iterator[Files]:
        for files in find(folder):
            number = re.match(r"\d+", files.name)
            if number and first <= int(number[0]) <= last:
                yield files

    return some


def _clear(folder: Path) -> Path | None:
    return next((folder / name for name in CLEAR_FOLDERS if (folder / name).is_dir()), None)


def _clips(folder: Path, depth: int = 2) -> Iterator[Path]:
    """Folders that hold pictures, not deeper than `depth`."""
    for path in sorted(one for one in folder.iterdir() if one.is_dir()):
        if _pictures(path):
            yield path
        elif depth > 1:
            yield from _clips(path, depth - 1)


def _pictures(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]


def _partner(clip: Path, folder: Path) -> Path | None:
    """The folder with the truth of a clip, of the same name or of its beginning up to an underscore."""
    words = clip.name.split("_")
    beginnings = (folder / "_".join(words[:count]) for count in range(len(words), 0, -1))
    return next((path for path in beginnings if path.is_dir()), None)


_FORMER = "Song et al., DehazeFormer, arXiv:2204.03883, table of SOTS"
_GUNET = "Song et al. 2022, gUNet, arXiv:2209.11448"
_AECR = "Wu et al. 2021, AECR-Net, arXiv:2104.09367, table of NH-HAZE"

SETS = {
    "sots-indoor": Standard(
        paired,
        "RESIDE SOTS indoor: 500 hazy pictures, 620x460, of 50 rooms; truths of 640x480 cropped about their centre",
        (
            Published("DCP", 16.62, 0.818, _FORMER),
            Published("AOD-Net", 20.5, None, _FORMER),
            Published("FFA-Net", 36.39, 0.989, "Qin et al. 2020, FFA-Net, arXiv:1911.07559"),
            Published("gUNet-T", 38.0, None, _GUNET),
            Published("gUNet-D", 41.3, None, _GUNET),
            Published("MixDehazeNet-L", 42.6, None, "Lu et al. 2023, MixDehazeNet, arXiv:2305.17654"),
        ),
    ),
    "sots-outdoor": Standard(
        paired,
        "RESIDE SOTS outdoor: 500 hazy pictures, about 550 pixels wide, of 492 places",
        (
            Published("DCP", 19.1, None, _FORMER),
            Published("AOD-Net", 24.1, None, _FORMER),
            Published("gUNet-T", 34.5, None, _GUNET),
        ),
    ),
    "o-haze": Standard(
        numbered(paired, 41, 45),
        "O-HAZE, scenes 41 to 45 (NTIRE 2018's test split), at full size; figures of shrunk pictures do not compare",
    ),
    "o-haze-all": Standard(paired, "O-HAZE, all 45 scenes at full size, for methods that were not trained on it"),
    "nh-haze": Standard(
        numbered(flat, 51, 55),
        "NH-HAZE, scenes 51 to 55, 1600x1200",
        (
            Published("DCP", 10.57, 0.5196, _AECR),
            Published("AOD-Net", 15.40, 0.5693, _AECR),
            Published("DehazeNet", 16.62, 0.5238, _AECR),
            Published("FFA-Net", 19.87, 0.6915, _AECR),
            Published("AECR-Net", 19.88, 0.7173, _AECR),
        ),
    ),
    "revide": Standard(
        frames,
        "REVIDE (indoor), the frames of the test clips at full size, each by itself",
        (Published("MAP-Net", 24.16, None, "Xu et al. 2023, MAP-Net, arXiv:2303.09757"),),
        clips=True,
    ),
    "hazeworld": Standard(
        frames, "HazeWorld, the frames of the test clips at their own size, each by itself", clips=True
    ),
}
"""Published figures are only those that were checked; an empty list says that none was."""
