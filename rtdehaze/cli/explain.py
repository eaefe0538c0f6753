"""`rtdehaze explain`: what the program believes of a picture or a video, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rtdehaze.cli.parameters import PLACE, SECONDS
from rtdehaze.core.options import Mode, Options, Provider

if TYPE_CHECKING:
    from rtdehaze.apps.explain import Explained

__all__ = ["explain"]

_DEFAULTS = Options()


@click.command()
@click.argument("input", metavar="INPUT")
@click.option("-o", "--output", metavar="OUT", help="Where the drawing goes.  [default: INPUT-panels.png, .mp4, ...]")
@click.option("--model", metavar="NAME|FILE", help="A shipped model (see rtdehaze models) or an .onnx file.")
@click.option(
    "--view", type=click.Choice(["panels", "transmission", "depth", "gain", "overlay"]),
    help="All maps side by side, one of them, or the picture coloured by its transmission.  [default: panels]",
)  # fmt: skip
@click.option(
    "--why", type=click.Choice(["density", "airlight", "transmission"]),
    help="Draw instead which parts of the picture this answer rests on; of a video, of its first frame.",
)  # fmt: skip
@click.option("--at", type=PLACE, help="The place that --why transmission is asked about, in pixels.")
@click.option("--atlas", is_flag=True, help="Draw instead what the model's layers answer to the picture.")
@click.option("--panel", type=int, metavar="PIXELS", help="Width of a panel of 16:9.  [default: 640]")
@click.option("--segments", type=int, metavar="N", help="Parts that --why cuts the picture into.  [default: 80]")
@click.option("--samples", type=int, metavar="N", help="Altered pictures that --why asks about.  [default: 800]")
@click.option(
    "--fill", type=click.Choice(["picture", "blur", "mean"]),
    help="What --why hides parts behind: other parts of the picture, a blur, its mean.  [default: picture]",
)  # fmt: skip
@click.option("--channels", type=int, metavar="N", help="Channels of a layer that --atlas shows.  [default: 4]")
@click.option("--provider", type=click.Choice([word.value for word in Provider]), default=_DEFAULTS.provider.value,
              show_default=True)  # fmt: skip
@click.option(
    "--mode", type=click.Choice(["auto", "manual"]), default=Mode.AUTO.value, show_default=True,
    help="auto: dehaze while there is haze; manual: always.",
)  # fmt: skip
@click.option("--strength", type=float, default=_DEFAULTS.strength, show_default=True, metavar="0..100")
@click.option("--smoothing", type=float, default=_DEFAULTS.smoothing, show_default=True, metavar="0..1")
@click.option("--exposure/--no-exposure", default=True, help="Brighten what comes out dim.  [default: exposure]")
@click.option("--start", type=SECONDS, help="Begin here: seconds or HH:MM:SS.")
@click.option("--duration", type=SECONDS, help="Read this much: seconds or HH:MM:SS.")
@click.option("--rate", type=float, default=_DEFAULTS.rate, show_default=True, metavar="FPS",
              help="Pictures per second of an image sequence.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace OUT if it exists.")
@click.option("--threads", type=int, metavar="N", help="Cores to plan for.  [default: all]")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
def explain(
    input: str,  # noqa: A002 - the word that users know
    output: str | None,
    view: str | None,
    why: str | None,
    at: tuple[int, int] | None,
    atlas: bool,
    panel: int | None,
    segments: int | None,
    samples: int | None,
    fill: str | None,
    channels: int | None,
    quiet: bool,
    **choices: Any,
) -> None:
    """Show what is believed of INPUT's haze and done about it, and why.

    INPUT is a picture, a video, a folder of pictures, or a pattern such as frames/%05d.png. Default: panels of the
    transmission, depth, gain and veil with the result, exactly as rtdehaze run has them.
    """
    options = Options(**choices)
    _one_of({"--view": view is not None, "--why": why is not None, "--atlas": atlas})
    asked: dict[str, Any] = {"at": at, "segments": segments, "samples": samples, "fill": fill}
    _belongs("--why", why is not None, asked)
    _belongs("--atlas", atlas, {"channels": channels})
    _belongs("panels", (view or "panels") == "panels" and why is None and not atlas, {"panel": panel})
    from rtdehaze.cli.progress import Display

    with Display(quiet=quiet) as display:
        from rtdehaze.apps import explain as app

        if why is not None:
            made = app.why(input, output, options, question=why, **_given(asked))
        elif atlas:
            made = app.atlas(input, output, options, **_given({"channels": channels}))
        else:
            from rtdehaze.cli.signals import stop_on_signals

            with stop_on_signals() as stop:
                drawing = _given({"view": view, "panel": panel})
                made = app.explain(input, output, options, on_progress=display.update, stop=stop, **drawing)
    if not quiet:
        click.echo(_summary(made))
    if made.interrupted:
        sys.exit(stop.exit_code)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _one_of(chosen: dict[str, bool]) -> None:
    named = [name for name, is_chosen in chosen.items() if is_chosen]
    if len(named) > 1:
        raise click.UsageError(
            f"{' and '.join(named)} exclude each other; give one of them", click.get_current_context()
        )


def _belongs(to: str, is_chosen: bool, values: dict[str, Any]) -> None:
    for name in _given(values) if not is_chosen else ():
        raise click.UsageError(f"--{name} goes with {to} only", click.get_current_context())


def _summary(made: Explained) -> str:
    frames = f": {made.frames} frames" if made.frames > 1 else ""
    density = "" if made.density is None else f", haze density {made.density:.2f}"
    return f"{made.output}{frames}{density}"
