"""What `rtdehaze run` is told about live sources and outputs: one decorator, and the way to `LiveOptions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rtdehaze.cli.parameters import KEEP, LENGTH, PAIR, SIZE
from rtdehaze.cli.run_parameters import choice_of
from rtdehaze.core.errors import UsageError
from rtdehaze.core.live import LiveOptions, LossPolicy, RtspTransport

__all__ = ["live_options", "take_live"]

Command = TypeVar("Command", bound=Callable[..., Any])

_DEFAULTS = LiveOptions()

_OPTIONS = (
    click.option(
        "--rtsp-transport", type=choice_of(RtspTransport), default=_DEFAULTS.rtsp_transport.value, show_default=True,
        help="How the media of an RTSP input travel.",
    ),
    click.option(
        "--open-timeout", type=float, default=_DEFAULTS.open_timeout, show_default=True, metavar="SECONDS",
        help="How long connecting may take.",
    ),
    click.option(
        "--read-timeout", type=float, default=_DEFAULTS.read_timeout, show_default=True, metavar="SECONDS",
        help="Without a frame for so long a live input counts as lost.",
    ),
    click.option("--retries", type=int, metavar="N", help="Attempts in a row to connect again.  [default: for ever]"),
    click.option(
        "--retry-cap", type=float, default=_DEFAULTS.retry_cap, show_default=True, metavar="SECONDS",
        help="Longest pause between attempts, of input and outputs.",
    ),
    click.option("--input-size", type=SIZE, help="A camera's or screen's picture."),
    click.option("--input-rate", type=float, metavar="FPS", help="A camera's or screen's frames per second."),
    click.option("--input-format", metavar="NAME", help="A camera's pixel format or codec, such as mjpeg."),
    click.option(
        "--input-option", "input_options", type=PAIR, multiple=True,
        help="An option of FFmpeg's for the input; may be repeated. FFmpeg passes over those that it does not know.",
    ),
    click.option(
        "--on-loss", type=choice_of(LossPolicy), default=_DEFAULTS.on_loss.value, show_default=True,
        help="While a live input is away: the last picture marked as old, nothing, or a slate that says so.",
    ),
    click.option(
        "--max-latency", type=float, metavar="SECONDS", help="Drop frames that are older than this when they go out."
    ),
    click.option("--segment", type=LENGTH, help="Begin a new file so often: 10min; OUTPUT is a strftime pattern."),
    click.option(
        "--keep", type=KEEP, multiple=True, metavar="48h|20GB",
        help="Delete segments that are older, or the oldest past a size; may be given for both.",
    ),
    click.option(
        "--gop", type=float, default=_DEFAULTS.gop, show_default=True, metavar="SECONDS",
        help="Longest time between keyframes of a live output: how long a viewer waits who tunes in.",
    ),
)  # fmt: skip


def live_options(command: Command) -> Command:
    """Adds the options of live runs to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_live(choices: dict[str, Any]) -> LiveOptions:
    """Takes the options of live runs out of a command's parameters; the others stay.

    Raises:
        UsageError: A value is out of its range, or a limit was given twice.
    """
    kept = choices.pop("keep")
    limits = dict(kept)
    if len(limits) < len(kept):
        raise UsageError("keep was given twice for the same: give one age, one size, or one of each")
    choices["input_options"] = dict(choices["input_options"])
    given = {name: choices.pop(name) for name in LiveOptions.__dataclass_fields__ if name in choices}
    return LiveOptions(**given, **limits)
