"""`rtdehaze run`: a hazy video in, a clear video out."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtdehaze.cli.parameters import BIT_RATE, BOX, SECONDS
from rtdehaze.cli.signals import stop_on_signals
from rtdehaze.core.options import Compare, Hdr, Mode, Options, Provider

if TYPE_CHECKING:
    from rtdehaze.pipeline.report import Report

__all__ = ["run"]

_DEFAULTS = Options()


def _choice(words: type[StrEnum]) -> click.Choice[str]:
    return click.Choice([word.value for word in words])


@click.command()
@click.argument("input", metavar="INPUT")
@click.option("-o", "--output", metavar="OUTPUT", help="Where the result goes.  [default: INPUT-clear beside INPUT]")
@click.option("--model", metavar="NAME|FILE", help="A shipped model (see rtdehaze models) or an .onnx file.")
@click.option("--provider", type=_choice(Provider), default=_DEFAULTS.provider.value, show_default=True)
@click.option(
    "--mode", type=_choice(Mode), default=_DEFAULTS.mode.value, show_default=True,
    help="off: no dehazing; auto: while there is haze; manual: always.",
)  # fmt: skip
@click.option(
    "--strength", type=float, default=_DEFAULTS.strength, show_default=True, metavar="0..100",
    help="The share of the haze that is removed, in percent of its optical depth.",
)  # fmt: skip
@click.option(
    "--smoothing", type=float, default=_DEFAULTS.smoothing, show_default=True, metavar="0..1",
    help="Seconds over which the haze map is smoothed; 0 is off.",
)  # fmt: skip
@click.option(
    "--every", type=int, default=_DEFAULTS.every, show_default=True, metavar="N",
    help="Estimate the haze of every N-th frame, and move it along with the picture in between: faster.",
)  # fmt: skip
@click.option("--exposure/--no-exposure", default=True, help="Brighten what comes out dim.  [default: exposure]")
@click.option("--compare", type=_choice(Compare), help="Show hazy and clear in one picture.")
@click.option(
    "--mask", type=click.Path(path_type=Path), metavar="PNG",
    help="Leave untouched what is not black in this picture of the video's size.",
)  # fmt: skip
@click.option("--keep-box", "keep_boxes", type=BOX, multiple=True, help="Leave a rectangle untouched; may be repeated.")
@click.option("--start", type=SECONDS, help="Begin here: seconds or HH:MM:SS.")
@click.option("--duration", type=SECONDS, help="Read this much: seconds or HH:MM:SS.")
@click.option(
    "--rate", type=float, default=_DEFAULTS.rate, show_default=True, metavar="FPS",
    help="Pictures per second of an image sequence.",
)  # fmt: skip
@click.option("--hwaccel", metavar="DEVICE", help="Decode in hardware (see rtdehaze doctor).")
@click.option("--hdr", type=_choice(Hdr), default=_DEFAULTS.hdr.value, show_default=True,
              help="What to do with PQ and HLG video.")  # fmt: skip
@click.option("--deinterlace", is_flag=True, help="Deinterlace interlaced video.")
@click.option("--codec", metavar="NAME", help="h264, hevc, av1, vp9, ffv1, ... or like-input.")
@click.option("--encoder", metavar="NAME", help="A particular encoder, such as h264_nvenc (see rtdehaze doctor).")
@click.option("--crf", type=float, help="Constant quality; lower is better and larger.")
@click.option("--preset", metavar="NAME", help="The encoder's preset, such as veryfast.")
@click.option("--bitrate", type=BIT_RATE, help="Bits per second instead of constant quality: 4M, 800k.")
@click.option("--pixel-format", metavar="NAME", help="Such as yuv420p10le.  [default: follows the input]")
@click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists, once the run has succeeded.")
@click.option("--strict", is_flag=True, help="Refuse to start if a stream of INPUT cannot be kept.")
@click.option("--tag/--no-tag", default=True, help="Note program, version and model in the output.  [default: tag]")
@click.option("--threads", type=int, metavar="N", help="Cores to plan for.  [default: all]")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print a report as JSON at the end.")
def run(input: str, output: str | None, quiet: bool, as_json: bool, **choices: Any) -> None:  # noqa: A002
    """Dehaze INPUT: a video, a picture, a folder of pictures, or a pattern such as frames/%05d.png.

    Sound, subtitles, chapters and the rest come along. An aid to seeing, not a safety device.
    """
    options = Options(**choices)
    from rtdehaze.cli.progress import Display

    with stop_on_signals() as stop, Display(quiet=quiet) as display:
        from rtdehaze.pipeline.transcode import transcode

        report = transcode(input, output, options, on_progress=display.update, stop=stop)
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    elif not quiet:
        click.echo(_summary(report))
    if report.interrupted:
        sys.exit(stop.exit_code)


def _summary(report: Report) -> str:
    density = "" if report.mean_density is None else f", mean haze density {report.mean_density:.2f}"
    model = "no dehazing" if report.model is None else f"{report.model} on {report.provider}"
    return (
        f"{report.output}: {report.frames_out} frames in {report.seconds:.1f} s, {report.fps:.1f} fps, {model}{density}"
    )
