"""A training run as every command shows it: a bar, and a signal that ends it with what was done saved."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rtdehaze.cli.signals import stop_on_signals

if TYPE_CHECKING:
    from rtdehaze.cli.progress import Counting
    from rtdehaze.train.loop import Trainer

__all__ = ["run_shown"]

_PARTS = 10_000
"""Parts that a run is shown in: it may end by steps or by minutes."""


def run_shown(run: Trainer, counting: Counting, word: str) -> None:
    """Runs to the end; a signal ends it after its step, says how to go on, and exits with the signal's code."""
    with stop_on_signals() as stop:

        def show(done: float) -> None:
            counting.update(word, round(_PARTS * done), _PARTS)
            if stop.is_set():
                raise KeyboardInterrupt

        run.on_step = show
        try:
            run.run()
        except KeyboardInterrupt:
            step = run.progress.step
            click.echo(f"rtdehaze: stopped at step {step}; the same command goes on from {run.out}", err=True)
            sys.exit(stop.exit_code)
