"""The standard table on public sets that you have on disk, in their standard protocol, published figures beside it.

    python benchmarks/quality.py --set sots-indoor=DIR --set nh-haze=DIR --models base,fast
    python benchmarks/quality.py --set revide=DIR        # video: its frames as pictures, and its clips over time
    python benchmarks/quality.py --list

Scored by rtdehaze's own evaluation (`rtdehaze evaluate`): the runtime as users have it, every picture at its own full
size and by itself, gate off, exposure given back. PSNR over all samples of the 8-bit sRGB result, then the mean over
the pictures; SSIM with a Gaussian window of 11 x 11, sigma 1.5, the mean over R, G and B, at full size (gUNet's and
DehazeFormer's code shrinks the shorter side to about 256 first, which comes out higher). Pictures are never resized;
a truth that is a border larger than its hazy picture is cropped about its centre. Published networks were trained on
the training part of the very set that they are scored on; ours on none of them.

Sets of videos have a second table, as `rtdehaze evaluate --clips` has it: PSNR, warping error and flicker of the first
frames of every clip, smoothed over time and frame by frame.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from arguments import listed, model_word, run_script, whole
from quality_layout import lay_out_clips, lay_out_pairs
from quality_sets import SETS, Files
from results import add_out, save

from rtdehaze.apps.evaluate.clips import CLEAR, MEASURES
from rtdehaze.apps.evaluate.contenders import Settings
from rtdehaze.apps.evaluate.domains import Domain, Kind
from rtdehaze.apps.evaluate.evaluation import evaluate
from rtdehaze.apps.evaluate.results import UNTOUCHED, DomainResult, Scores
from rtdehaze.apps.evaluate.selection import spread
from rtdehaze.core.errors import SourceError

__all__ = ["score", "table"]

_NAMED = 3
"""What was left out and is named; the others are counted."""


def score(name: str, folder: Path, models: list[str], settings: Settings) -> dict[str, Any]:
    """Scores models on one set, and where it is one of videos on its clips, too.

    Raises:
        SourceError: The folder is not laid out as the set is, or nothing in it can be used.
    """
    standard = SETS[name]
    try:
        found = list(standard.find(folder))
    except OSError as error:
        raise SourceError(f"{error.filename} cannot be read: {error.strerror}") from error
    if not found:
        raise SourceError(f"{folder} holds no picture of {name}: {standard.protocol}")
    figures = {"protocol": standard.protocol} | _pictures(found, folder, models, settings)
    if standard.clips:
        figures["clips"] = _clips(found, folder, models, settings)
    return figures | {"published": [asdict(one) for one in standard.published]}


def _pictures(found: list[Files], folder: Path, models: list[str], settings: Settings) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        left_out = lay_out_pairs(spread(found, settings.limit), folder, Path(place))
        result = _evaluated(Kind.PAIRS, Path(place), folder, models, settings)
    return {
        "pictures": len(result.items),
        "left_out": len(left_out),
        "why_left_out": left_out[:_NAMED],
        "ours": _rounded(result.means, ("psnr", "ssim", "ciede2000")),
    }


def _clips(found: list[Files], folder: Path, models: list[str], settings: Settings) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        left_out = lay_out_clips(found, folder, Path(place), frames=settings.frames, limit=settings.limit)
        # The pictures' figures stand even where no clip can be used.
        usable = any((Path(place) / "hazy").iterdir())
        result = _evaluated(Kind.CLIPS, Path(place), folder, models, settings) if usable else None
    return {
        "clips": len(result.items) if result else 0,
        "frames": settings.frames,
        "left_out": len(left_out),
        "why_left_out": left_out[:_NAMED],
        "means": _rounded(result.means, [measure.key for measure in MEASURES]) if result else {},
    }


def _evaluated(kind: Kind, place: Path, folder: Path, models: list[str], settings: Settings) -> DomainResult:
    """What rtdehaze's evaluation says of what was laid out in a place of its own."""
    try:
        # What there is to be left out was left out, and what `limit` leaves was taken.
        evaluation = evaluate(models, [Domain(folder.name, kind, str(place))], replace(settings, limit=None))
    except SourceError as error:
        raise SourceError(str(error).replace(str(place), str(folder))) from error
    return evaluation.domains[0]


def _rounded(means: Mapping[str, Scores], keys: Sequence[str]) -> dict[str, dict[str, float]]:
    return {method: {key: round(scores[key], 4) for key in keys if key in scores} for method, scores in means.items()}


def table(name: str, figures: dict[str, Any]) -> str:
    """The tables of one set, in Markdown."""
    lines = [f"### {name}", "", f"{figures['protocol']}. {_counted(figures, 'pictures')}", ""]
    lines += ["| method | PSNR | SSIM | from |", "| --- | --- | --- | --- |"]
    for one in figures["published"]:
        ssim = "" if one["ssim"] is None else f"{one['ssim']:g}"
        lines.append(f"| {one['method']} | {one['psnr']:g} | {ssim} | {one['source']} |")
    for method, scores in figures["ours"].items():
        label = method if method == "untouched" else f"**rtdehaze {method}**"
        lines.append(f"| {label} | {scores['psnr']:.2f} | {scores['ssim']:.4f} | measured here |")
    if "clips" in figures:
        lines += ["", *_clip_lines(figures["clips"])]
    return "\n".join(lines) + "\n"


def _clip_lines(clips: dict[str, Any]) -> list[str]:
    """The table of videos: measures below each other, methods side by side, as `rtdehaze evaluate` prints it."""
    said = f"As clips, the first {clips['frames']} frames of each at most. {_counted(clips, 'clips')}"
    means = clips["means"]
    if not means:
        return [said]
    heads = ("", *(method if method in (UNTOUCHED, CLEAR) else f"**rtdehaze {method}**" for method in means))
    lines = [said, "", f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |"]
    for measure in MEASURES:
        unit = f", {measure.unit}" if measure.unit else ""
        cells = (measure.show(scores.get(measure.key)) for scores in means.values())
        lines.append(f"| {measure.title}{unit} | {' | '.join(cells)} |")
    return lines


def _counted(figures: dict[str, Any], word: str) -> str:
    """How many there are, how many were left out, and why."""
    count, left_out = figures[word], figures["left_out"]
    said = f"{count} {word if count != 1 else word[:-1]}"
    if not left_out:
        return f"{said}."
    why = figures["why_left_out"]
    return f"{said}, {left_out} left out: {'; '.join(why)}{'; ...' if left_out > len(why) else ''}."


def _set_word(word: str) -> tuple[str, Path]:
    """Reads `NAME=DIR`."""
    name, _, folder = word.partition("=")
    if name not in SETS or not folder:
        raise argparse.ArgumentTypeError(f"{word!r} must be NAME=DIR with NAME one of {', '.join(SETS)}")
    if not Path(folder).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {folder}; check the path")
    return name, Path(folder)


def _print_sets() -> None:
    for name, standard in SETS.items():
        print(f"{name}: {standard.protocol}{'; its clips over time, too' if standard.clips else ''}")
        for one in standard.published:
            print(f"    {one.method}: {one.psnr:g} dB ({one.source})")


@contextmanager
def _quiet_capture() -> Iterator[None]:
    """Of every clip it would say that RGB becomes YUV, and name the place where it was laid out."""
    log = logging.getLogger("rtdehaze.capture")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def main() -> None:
    """Scores, prints and saves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", type=_set_word, default=[], metavar="NAME=DIR", help=", ".join(SETS))
    parser.add_argument("--models", type=listed(model_word), default="base")
    parser.add_argument(
        "--limit", type=whole(1), metavar="N", help="pictures and clips of each set, spread evenly; for a try"
    )
    parser.add_argument(
        "--frames",
        type=whole(2),
        default=Settings().frames,
        metavar="N",
        help="of a clip, at most  [default: %(default)s]",
    )
    parser.add_argument("--no-exposure", action="store_true", help="leave brightness as the haze model gives it")
    parser.add_argument(
        "--list", action="store_true", help="say what sets there are, their protocols and published figures"
    )
    add_out(parser)
    given = parser.parse_args()
    if given.list or not given.set:
        _print_sets()
        return
    settings = Settings(limit=given.limit, frames=given.frames, exposure=not given.no_exposure)
    found: dict[str, Any] = {}
    for name, folder in given.set:
        with _quiet_capture():
            found[name] = score(name, folder, given.models, settings)
        print(table(name, found[name]), flush=True)
        save("quality", found, given.out)
    print("saved quality.json")


if __name__ == "__main__":
    run_script(main)
