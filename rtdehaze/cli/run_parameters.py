"""What `rtdehaze run` is told about dehazing, reading and encoding: one decorator, and the way to `Options`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import click

from rtdehaze.cli.parameters import BIT_RATE, BOX, SECONDS
from rtdehaze.core.options import Compare, Hdr, Mode, Options, Provider

__all__ = ["choice_of", "run_options", "take_run"]

Command = TypeVar("Command", bound=Callable[..., Any])

_DEFAULTS = Options()


def choice_of(words: type[StrEnum]) -> click.Choice[str]:
    """Returns the parameter type of an enumeration's words."""
    return click.Choice([word.value for word in words])


_OPTIONS = (
    click.option("--model", metavar="NAME|FILE", help="A shipped model (see rtdehaze models) or an .onnx file."),
    click.option("--provider", type=choice_of(Provider), default=_DEFAULTS.provider.value, show_default=True),
    click.option(
        "--mode", type=choice_of(Mode), default=_DEFAULTS.mode.value, show_default=True,
        help="off: no dehazing; auto: while there is haze; manual: always.",
    ),
    click.option(
        "--strength", type=float, default=_DEFAULTS.strength, show_default=True, metavar="0..100",
        help="The share of the haze that is removed, in percent of its optical depth.",
    ),
    click.option(
        "--smoothing", type=float, default=_DEFAULTS.smoothing, show_default=True, metavar="0..1",
        help="Seconds over which the haze map is smoothed; 0 is off.",
    ),
    click.option(
        "--every", type=int, default=_DEFAULTS.every, show_default=True, metavar="N",
        help="Estimate the haze of every N-th frame, and move it along with the picture in between: faster.",
    ),
    click.option("--exposure/--no-exposure", default=True, help="Brighten what comes out dim.  [default: exposure]"),
    click.option("--compare", type=choice_of(Compare), help="Show hazy and clear in one picture."),
    click.option(
        "--mask", type=click.Path(path_type=Path), metavar="PNG",
        help="Leave untouched, and out of what the model sees, what is not black in this picture of the video's size.",
    ),
    click.option(
        "--keep-box", "keep_boxes", type=BOX, multiple=True,
        help="Leave a rectangle untouched, and out of what the model sees: a clock, a dashboard; may be repeated.",
    ),
    click.option("--start", type=SECONDS, help="Begin here: seconds or HH:MM:SS."),
    click.option(
        "--duration", type=SECONDS, help="Read this much: seconds or HH:MM:SS; live, from the first frame on."
    ),
    click.option(
        "--rate", type=float, default=_DEFAULTS.rate, show_default=True, metavar="FPS",
        help="Pictures per second of an image sequence.",
    ),
    click.option("--hwaccel", metavar="DEVICE", help="Decode in hardware (see rtdehaze doctor)."),
    click.option(
        "--hdr", type=choice_of(Hdr), default=_DEFAULTS.hdr.value, show_default=True,
        help="What to do with PQ and HLG video.",
    ),
    click.option("--deinterlace", is_flag=True, help="Deinterlace interlaced video."),
    click.option("--codec", metavar="NAME", help="h264, hevc, av1, vp9, ffv1, ... or like-input."),
    click.option("--encoder", metavar="NAME", help="A particular encoder, such as h264_nvenc (see rtdehaze doctor)."),
    click.option("--crf", type=float, help="Constant quality; lower is better and larger."),
    click.option("--preset", metavar="NAME", help="The encoder's preset, such as veryfast."),
    click.option("--bitrate", type=BIT_RATE, help="Bits per second instead of constant quality: 4M, 800k."),
    click.option("--pixel-format", metavar="NAME", help="Such as yuv420p10le.  [default: follows the input]"),
    click.option("--overwrite", is_flag=True, help="Replace OUTPUT if it exists, once the run has succeeded."),
    click.option("--strict", is_flag=True, help="Refuse to start if a stream of INPUT cannot be kept."),
    click.option("--tag/--no-tag", default=True, help="Note program, version and model in the output.  [default: tag]"),
    click.option("--threads", type=int, metavar="N", help="Cores to plan for.  [default: all]"),
)  # fmt: skip


def run_options(command: Command) -> Command:
    """Adds the options of a run to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_run(choices: dict[str, Any]) -> Options:
    """Takes the options of a run out of a command's parameters; the others stay."""
    return Options(**{name: choices.pop(name) for name in Options.__dataclass_fields__})
