"""The command `rtdehaze`: its sub-commands, and the one place where errors become lines and exit codes."""

from __future__ import annotations

import os
import sys

import click

import rtdehaze
from rtdehaze.cli.adapt import adapt
from rtdehaze.cli.bench import bench
from rtdehaze.cli.data import data
from rtdehaze.cli.demo import demo
from rtdehaze.cli.devices import devices
from rtdehaze.cli.distill import distill
from rtdehaze.cli.doctor import doctor
from rtdehaze.cli.evaluate import evaluate
from rtdehaze.cli.explain import explain
from rtdehaze.cli.export import export
from rtdehaze.cli.models import models
from rtdehaze.cli.probe import probe
from rtdehaze.cli.prune import prune
from rtdehaze.cli.quantize import quantize
from rtdehaze.cli.run import run
from rtdehaze.cli.signals import leave
from rtdehaze.cli.train import train
from rtdehaze.core.errors import RtdehazeError
from rtdehaze.core.secrets import hide_arguments, redacted

__all__ = ["main"]

_INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended: 128 + SIGINT."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(rtdehaze.__version__, prog_name="rtdehaze")
def cli() -> None:
    """See through haze: real-time video dehazing."""


for command in (
    run,
    demo,
    evaluate,
    bench,
    explain,
    adapt,
    models,
    probe,
    devices,
    doctor,
    data,
    train,
    distill,
    prune,
    quantize,
    export,
):
    cli.add_command(command)


def main() -> None:
    """Runs the command line; never lets a traceback out unless RTDEHAZE_DEBUG is set."""
    hide_arguments()
    try:
        cli(prog_name="rtdehaze", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "rtdehaze"
        _fail(f"{error.format_message()} ({path} --help lists what there is)", error.exit_code)
    except RtdehazeError as error:
        _debug()
        _fail(str(error), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; nothing is left to say, and nobody to say it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except ImportError as error:
        _debug()
        _fail(_missing_library(error), 1)
    except MemoryError:
        _fail("out of memory; try a smaller video or fewer --threads", 1)
    except Exception as error:  # noqa: BLE001 - the boundary: a bug must not print a traceback at a user
        _debug()
        _fail(f"internal error, please report it: {type(error).__name__}: {error} (RTDEHAZE_DEBUG=1 shows where)", 1)


def _debug() -> None:
    if os.environ.get("RTDEHAZE_DEBUG"):
        import traceback

        traceback.print_exc()


def _fail(message: str, code: int) -> None:
    click.echo(f"rtdehaze: error: {' '.join(redacted(message).split())}", err=True)
    leave(code)


def _missing_library(error: ImportError) -> str:
    """Says what a failed import needs; OpenCV's wheel wants two system libraries that slim machines lack."""
    text = str(error)
    if "libGL" in text or "libxcb" in text:
        library = "libxcb1" if "libxcb" in text else "libgl1"
        return f"OpenCV needs a system library: {text}; install it, on Debian or Ubuntu: apt-get install {library}"
    return f"{text}; reinstall with: pip install --force-reinstall rtdehaze"
