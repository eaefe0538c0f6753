"""`rtdehaze prune`: whole channels go, the rest learns on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rtdehaze.cli.extras import extra
from rtdehaze.cli.simplifying import PATH, run_and_tell, training_options

__all__ = ["prune"]


@click.command()
@click.argument("checkpoint", type=PATH)
@click.option("--config", type=PATH, required=True, metavar="CONFIG.toml",
              help="Data, sizes and rate of the fine-tuning; a tenth of the training's rate suits.")  # fmt: skip
@click.option("--keep", type=click.FloatRange(0, 1, min_open=True, max_open=True), required=True, metavar="SHARE",
              help="Share of the multiply-adds that is left.")  # fmt: skip
@click.option("--multiple", type=click.IntRange(1), default=16, show_default=True, metavar="N",
              help="Channels that go together: what the runtime's vectors hold.")  # fmt: skip
@training_options
def prune(
    checkpoint: Path,
    config: Path,
    keep: float,
    multiple: int,
    out: Path,
    minutes: float | None,
    weight: float,
    quiet: bool,
    **data: Any,
) -> None:
    """Take the channels out of CHECKPOINT that are worth least, fine-tune what is left, and export it.

    The network as it was teaches what is left of it. Ctrl-C saves a checkpoint; the same command goes on from it. At
    the end a table compares before and after (table.json).
    """
    with extra("train"):
        from rtdehaze.train.session import configuration
        from rtdehaze.train.simplified import finish, open_pruning
    settled = configuration(config, **data)
    run_and_tell(
        lambda: open_pruning(settled, checkpoint, out, share=keep, multiple=multiple, minutes=minutes, weight=weight),
        lambda run: finish(run, checkpoint, f"{checkpoint.stem} with {keep:.0%} of its multiply-adds, fine-tuned."),
        word="fine-tuning",
        quiet=quiet,
    )
