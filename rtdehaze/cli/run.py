"""`rtdehaze run`: a hazy video or camera in, a clear one out."""

from __future__ import annotations

import json
from typing import Any

import click

from rtdehaze.cli.config import config_option
from rtdehaze.cli.live_parameters import live_options, take_live
from rtdehaze.cli.run_parameters import run_options, take_run
from rtdehaze.cli.signals import leave, stop_on_signals
from rtdehaze.cli.summary import summary_of
from rtdehaze.cli.watch_parameters import take_watch, watch_options
from rtdehaze.core.errors import UsageError

__all__ = ["run"]


@click.command()
@click.argument("input", metavar="INPUT")
@click.option(
    "-o", "--output", "outputs", metavar="OUTPUT", multiple=True,
    help="Where the result goes: a file, rtsp://, rtmp://, udp://, NAME.m3u8, /dev/videoN, - or null; may be repeated."
    "  [default: INPUT-clear beside INPUT; none where INPUT is live]",
)  # fmt: skip
@run_options
@live_options
@watch_options
@config_option
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
@click.option("--json", "as_json", is_flag=True, help="Print a report as JSON at the end.")
def run(input: str, outputs: tuple[str, ...], quiet: bool, as_json: bool, **choices: Any) -> None:  # noqa: A002
    """Dehaze INPUT: a video, a picture, a folder of pictures, a pattern such as frames/%05d.png, or a live source:
    rtsp://, rtmp://, http://, udp://, camera:0, screen:, lavfi:GRAPH, or - for standard input (live, too: give a file's
    name instead).

    Sound, subtitles, chapters and the rest come along. An aid to seeing, not a safety device.
    """  # noqa: D205
    live, watching = take_live(choices), take_watch(choices)
    options = take_run(choices)
    piped = any(output == "-" or output.startswith("-.") for output in outputs)
    taken = piped or watching.telemetry == "-"
    if taken and (as_json or (piped and watching.telemetry == "-")):
        what = "--json" if as_json else "--telemetry"
        raise UsageError(f"{what} prints to standard output, which is taken; let one of them go to a file")
    # Before signals are taken for a wish to finish the output: there is none yet, and loading takes its time.
    from rtdehaze.apps.run import run as carry_out
    from rtdehaze.cli.live_progress import LiveLine
    from rtdehaze.cli.progress import Display

    with stop_on_signals() as stop, Display(quiet=quiet) as display, LiveLine(display.console, quiet=quiet) as line:
        report = carry_out(
            input,
            outputs,
            options,
            live,
            watching,
            on_progress=display.update,
            on_status=line.update,
            stop=stop,
        )
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    elif not quiet:
        click.echo(summary_of(report), err=taken)
    if report.interrupted:
        leave(stop.exit_code)
