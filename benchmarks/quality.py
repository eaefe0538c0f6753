"""The standard table on public sets that you have on disk, in their standard protocol, published figures beside it.

    python benchmarks/quality.py --set sots-indoor=DIR --set nh-haze=DIR --models base,fast
    python benchmarks/quality.py --list

Scored by rtdehaze's own evaluation (`rtdehaze evaluate`): the runtime as users have it, every picture at its own full
size and by itself, gate off, exposure given back. PSNR over all samples of the 8-bit sRGB result, then the mean over
the pictures; SSIM with a Gaussian window of 11 x 11, sigma 1.5, the mean over R, G and B, at full size (gUNet's and
DehazeFormer's code shrinks the shorter side to about 256 first, which comes out higher). Pictures are never resized;
a truth that is a border larger than its hazy picture is cropped about its centre. Published networks were trained on
the training part of the very set that they are scored on; ours on none of them.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from results import RESULTS, save

from rtdehaze.apps.evaluate.contenders import Settings
from rtdehaze.apps.evaluate.domains import Domain, Kind
from rtdehaze.apps.evaluate.evaluation import evaluate
from rtdehaze.core.errors import RtdehazeError, SourceError
from rtdehaze.measure.pairs import CLEAR_FOLDERS, by_name, partner_of, picture_files, read_picture

Files = tuple[str, Path, Path]
"""Name, hazy picture, truth."""

_WIDEST_BORDER = 20
"""Pixels by which a truth may be larger than its hazy picture on both sides together: RESIDE's indoor ones are."""


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

    find: Callable[[Path], Iterator[Files]]
    protocol: str
    published: tuple[Published, ...] = ()


def paired(folder: Path) -> Iterator[Files]:
    """`hazy/NAME` and `clear/NAME` (or gt, GT), as RESIDE and O-HAZE lie on disk.

    Raises:
        SourceError: One of the two folders is not there or holds no pictures.
    """
    clear = next((folder / name for name in CLEAR_FOLDERS if (folder / name).is_dir()), None)
    if clear is None or not (folder / "hazy").is_dir():
        raise SourceError(f"{folder} must hold the folders hazy and {' or '.join(CLEAR_FOLDERS)}")
    truths = by_name(picture_files(clear))
    for path in picture_files(folder / "hazy"):
        partner = partner_of(path, truths)
        if partner is not None:
            yield path.stem, path, partner


def flat(folder: Path) -> Iterator[Files]:
    """`01_hazy.png` beside `01_GT.png`, as NH-HAZE lies on disk."""
    files = {path.stem.lower(): path for path in picture_files(folder)}
    for stem, path in files.items():
        partner = files.get(stem.replace("hazy", "gt"))
        if "hazy" in stem and partner is not None:
            yield stem, path, partner


def frames(folder: Path) -> Iterator[Files]:
    """Folders of frames, `hazy/CLIP/FRAME` and `gt/CLIP/FRAME`, below the folder or its `Test` or `test`.

    Raises:
        SourceError: There are none.
    """
    root = next((one for one in (folder, folder / "Test", folder / "test") if (one / "hazy").is_dir()), None)
    clear = root and next((root / name for name in CLEAR_FOLDERS if (root / name).is_dir()), None)
    if root is None or clear is None:
        raise SourceError(f"{folder} must hold hazy/CLIP/FRAME and gt/CLIP/FRAME, or a folder Test that does")
    truths = by_name(sorted(path for path in clear.iterdir() if path.is_dir()))
    for clip in sorted(path for path in (root / "hazy").iterdir() if path.is_dir()):
        partner = partner_of(clip, truths)
        if partner is None:
            continue
        there = {path.stem: path for path in picture_files(partner)}
        for path in picture_files(clip):
            if path.stem in there:
                yield f"{clip.name}-{path.stem}", path, there[path.stem]


def numbered(find: Callable[[Path], Iterator[Files]], first: int, last: int) -> Callable[[Path], Iterator[Files]]:
    """Only the pictures whose name begins with a number from `first` to `last`: a set's test split."""

    def some(folder: Path) -> Iterator[Files]:
        for name, hazy, truth in find(folder):
            number = re.match(r"\d+", name)
            if number and first <= int(number[0]) <= last:
                yield name, hazy, truth

    return some


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
    ),
    "hazeworld": Standard(frames, "HazeWorld, the frames of the test clips at their own size, each by itself"),
}
"""Published figures are only those that were checked; an empty list says that none was."""


def lay_out(files: list[Files], folder: Path) -> None:
    """Makes a folder of pairs as `rtdehaze evaluate --pairs` reads it: links, and cropped copies of larger truths."""
    for part in ("hazy", "clear"):
        (folder / part).mkdir()
    for name, hazy, truth in files:
        _link(hazy, folder / "hazy" / f"{name}{hazy.suffix}")
        cropped = _cropped(hazy, truth)
        if cropped is None:
            _link(truth, folder / "clear" / f"{name}{truth.suffix}")
        else:
            cv2.imwrite(str(folder / "clear" / f"{name}.png"), cropped[:, :, ::-1])


def _link(source: Path, target: Path) -> None:
    with suppress(OSError):
        target.symlink_to(source.resolve())
        return
    os.link(source, target)  # where links by name need a privilege


def _cropped(hazy: Path, truth: Path) -> np.ndarray | None:
    """The truth's middle of the hazy picture's size; None where the sizes are equal, or too far apart."""
    (height, width), clear = read_picture(hazy).shape[:2], read_picture(truth)
    rows, columns = clear.shape[0] - height, clear.shape[1] - width
    if not (0 <= rows <= _WIDEST_BORDER and 0 <= columns <= _WIDEST_BORDER) or rows + columns == 0:
        return None
    return clear[rows // 2 : rows // 2 + height, columns // 2 : columns // 2 + width]


def score(name: str, folder: Path, models: list[str], settings: Settings) -> dict[str, Any]:
    """Scores models on one set.

    Raises:
        SourceError: The folder is not laid out as the set is.
    """
    standard = SETS[name]
    found = list(standard.find(folder))
    if not found:
        raise SourceError(f"{folder} holds no pair of {name}: {standard.protocol}")
    with tempfile.TemporaryDirectory() as place:
        lay_out(found, Path(place))
        evaluation = evaluate(models, [Domain(name, Kind.PAIRS, place)], settings)
    result = evaluation.domains[0]
    return {
        "protocol": standard.protocol,
        "pictures": len(result.items),
        "left_out": len(result.skipped),
        "ours": {
            method: {key: round(scores[key], 4) for key in ("psnr", "ssim", "ciede2000") if key in scores}
            for method, scores in result.means.items()
        },
        "published": [asdict(one) for one in standard.published],
    }


def table(name: str, figures: dict[str, Any]) -> str:
    """The table of one set, in Markdown."""
    lines = [f"### {name}", "", f"{figures['protocol']}. {figures['pictures']} pictures.", ""]
    lines += ["| method | PSNR | SSIM | from |", "| --- | --- | --- | --- |"]
    for one in figures["published"]:
        ssim = "" if one["ssim"] is None else f"{one['ssim']:g}"
        lines.append(f"| {one['method']} | {one['psnr']:g} | {ssim} | {one['source']} |")
    for method, scores in figures["ours"].items():
        label = method if method == "untouched" else f"**rtdehaze {method}**"
        lines.append(f"| {label} | {scores['psnr']:.2f} | {scores['ssim']:.4f} | measured here |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Scores, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=DIR", help=", ".join(SETS))
    parser.add_argument("--models", default="base")
    parser.add_argument("--limit", type=int, help="pictures of each set, spread evenly; for a try")
    parser.add_argument("--no-exposure", action="store_true", help="leave brightness as the haze model gives it")
    parser.add_argument(
        "--list", action="store_true", help="say what sets there are, their protocols and published figures"
    )
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    if given.list or not given.set:
        for name, standard in SETS.items():
            print(f"{name}: {standard.protocol}")
            for one in standard.published:
                print(f"    {one.method}: {one.psnr:g} dB ({one.source})")
        return
    found: dict[str, Any] = {}
    for word in given.set:
        name, _, folder = word.partition("=")
        if name not in SETS or not folder:
            parser.error(f"--set {word}: must be NAME=DIR with NAME one of {', '.join(SETS)}")
        settings = Settings(limit=given.limit, exposure=not given.no_exposure)
        try:
            found[name] = score(name, Path(folder), given.models.split(","), settings)
        except RtdehazeError as error:
            parser.exit(error.exit_code, f"quality.py: {error}\n")
        print(table(name, found[name]), flush=True)
        save("quality", found, given.out)
    print("saved quality.json")


if __name__ == "__main__":
    main()
