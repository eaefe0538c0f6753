"""What `rtdehaze run` is told about watching: one decorator, and the way from its parameters to `WatchOptions`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rtdehaze.apps.watch.options import WatchOptions

__all__ = ["take_watch", "watch_options"]

Command = TypeVar("Command", bound=Callable[..., Any])

_DEFAULTS = WatchOptions()

_OPTIONS = (
    click.option(
        "--telemetry", metavar="FILE.jsonl|-",
        help="Append the haze of every frame as JSON lines to a file, or write them to standard output.",
    ),
    click.option(
        "--telemetry-interval", type=float, default=_DEFAULTS.telemetry_interval, metavar="SECONDS",
        help="Least time between two lines.  [default: every frame]",
    ),
    click.option(
        "--visibility-distance", type=float, metavar="METRES",
        help="Distance of which half of the picture is nearer: gives visibility in metres.",
    ),
    click.option(
        "--on-haze", multiple=True, metavar="RULE",
        help="An event, such as 'density>0.5 for 10s' or 'visibility<0.2 for 1min until >0.3'; may be repeated.",
    ),
    click.option(
        "--on-haze-webhook", multiple=True, metavar="URL", help="Post events there as JSON; may be repeated."
    ),
    click.option(
        "--on-haze-command", multiple=True, metavar="COMMAND",
        help="Run a program for each event, without a shell: 'notify {event} {density}'; may be repeated.",
    ),
    click.option(
        "--metrics", metavar="[HOST:]PORT",
        help="Serve /metrics for Prometheus and /healthz there.  [default host: 127.0.0.1]",
    ),
    click.option(
        "--health-after", type=float, default=_DEFAULTS.health_after, show_default=True, metavar="SECONDS",
        help="Without a frame for so long /healthz answers 503.",
    ),
    click.option(
        "--profile", multiple=True, metavar="NAME:CHOICES",
        help="Other choices for other hours, such as night:mode=manual,strength=60,smoothing=0.8; may be repeated.",
    ),
    click.option(
        "--profile-schedule", metavar="NAME=HH:MM-HH:MM,...",
        help="When each profile is due, in local time: day=07:00-19:00,night=19:00-07:00.",
    ),
    click.option(
        "--profile-brightness", metavar="NAME<NUMBER,...",
        help="Below which brightness of the picture (0 to 1) each profile is due: night<0.15.",
    ),
)  # fmt: skip


def watch_options(command: Command) -> Command:
    """Adds the options of watching to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_watch(choices: dict[str, Any]) -> WatchOptions:
    """Takes the options of watching out of a command's parameters; the others stay."""
    return WatchOptions(**{name: choices.pop(name) for name in WatchOptions.__dataclass_fields__})
