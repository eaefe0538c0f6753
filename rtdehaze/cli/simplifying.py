"""What `distill` and `prune` have in common: options, progress, the table at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtdehaze.cli.training import run_shown

if TYPE_CHECKING:
    from rtdehaze.train.distill import Distiller
    from rtdehaze.train.simplified import Simplified

__all__ = ["PATH", "run_and_tell", "training_options"]

PATH = click.Path(path_type=Path)

_OPTIONS = (
    click.option("--out", type=PATH, required=True, metavar="DIR", help="Folder; a run in it is gone on with."),
    click.option("--minutes", type=float, metavar="M",
                 help="End the schedule after so much training time, if not after its steps."),
    click.option("--weight", type=click.FloatRange(0), default=1.0, show_default=True, metavar="W",
                 help="Of the teacher's answers beside the truth."),
    click.option("--pack", type=PATH, metavar="DIR", help="Training pack instead of the configuration's data.packs."),
    click.option("--validation", type=PATH, metavar="DIR", help="Folder of pairs instead of data.validation."),
    click.option("--workers", type=click.IntRange(0), metavar="N", help="Processes that make samples."),
    click.option("--quiet", is_flag=True, help="No progress; warnings, errors and the table only."),
)  # fmt: skip


def training_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options of a run."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def run_and_tell(
    open_it: Callable[[], Distiller], finish: Callable[[Distiller], Simplified], *, word: str, quiet: bool
) -> None:
    """Runs with a bar, stops on a signal with what was done saved, and prints the table of what came of it."""
    from rtdehaze.cli.progress import Counting
    from rtdehaze.train.comparison import table

    with Counting(quiet=quiet, messages=True) as counting:
        run = open_it()
        run_shown(run, counting, word)
        made = finish(run)
    click.echo(table(made.rows))
    click.echo(f"{made.delivered.model}: {made.delivered.card.summary}")
