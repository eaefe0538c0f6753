"""`rtdehaze explain`: what the program believes of a picture or a video, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from rtdehaze.cli.parameters import SECONDS
from rtdehaze.core.options import Mode, Options, Provider

__all__ = ["explain"]

_DEFAULTS = Options()


@click.command()
@click.argument("input", metavar="INPUT")
@click.option("-o", "--output", metavar="OUT", help="Where the drawing goes.  [default: INPUT-panels.png or .mp4...]")
@click.option("--model", metavar="NAME|FILE", help="A shipped model (see rtdehaze models) or an .onnx file.")
@click.option(
    "--view", type=click.Choice(["panels", "transmission", "depth", "gain", "overlay"]), default="panels",
    show_default=True, help="All maps side by side, one of them, or the picture coloured by its transmission.",
)  # fmt: skip
@click.option("--panel", type=int, default=640, show_default=True, metavar="PIXELS", help="Width of a panel of 16:9.")
@click.option(
    "--provider",
    type=click.Choice([word.value for word in Provider]),
    default=_DEFAULTS.provider.value,
    show_default=True,
)
@click.option(
    "--mode", type=click.Choice(["auto", "manual"]), default=Mode.AUTO.value, show_default=True,
    help="auto: dehaze while there is haze; manual: always.",
)  # fmt: skip
@click.option("--strength", type=float, default=_DEFAULTS.strength, show_default=True, metavar="0..100")
@click.option("--smoothing", type=float, default=_DEFAULTS.smoothing, show_default=True, metavar="0..1")
@click.option("--exposure/--no-exposure", default=True, help="Brighten what comes out dim.  [default: exposure]")
@click.option("--start", type=SECONDS, help="Begin here: seconds or HH:MM:SS.")
@click.option("--duration", type=SECONDS, help="Read this much: seconds or HH:MM:SS.")
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
@click.option("--threads", type=int, metavar="N", help="Cores to plan for.  [default: all]")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
def explain(
    input: str,  # noqa: A002 - the word that users know
    output: str | None,
    view: str,
    panel: int,
    quiet: bool,
    **choices: Any,
) -> None:
    """Show what is believed of INPUT's haze, and done about it.

    INPUT is a picture, a video, a folder of pictures, or a pattern such as frames/%05d.png.
    """
    options = Options(**choices)
    from rtdehaze.cli.progress import Display
    from rtdehaze.cli.signals import stop_on_signals

    with stop_on_signals() as stop, Display(quiet=quiet) as display:
        from rtdehaze.apps import explain as app

        made = app.explain(input, output, options, view=view, panel=panel, on_progress=display.update, stop=stop)
    density = "" if made.density is None else f", mean haze density {made.density:.2f}"
    click.echo(f"{Path(made.output)}: {made.frames} frame{'s' if made.frames != 1 else ''}{density}")
    if made.interrupted:
        sys.exit(stop.exit_code)
