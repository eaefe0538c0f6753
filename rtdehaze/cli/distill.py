"""`rtdehaze distill`: a large network teaches a small one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rtdehaze.cli.extras import extra
from rtdehaze.cli.simplifying import PATH, run_and_tell, training_options

__all__ = ["distill"]


@click.command()
@click.argument("config", type=PATH, metavar="CONFIG.toml")
@click.option("--teacher", type=PATH, required=True, metavar="CHECKPOINT", help="The network to learn from.")
@click.option("--from-scratch", is_flag=True,
              help="Begin with random numbers instead of the teacher's most important channels.")  # fmt: skip
@training_options
def distill(
    config: Path,
    teacher: Path,
    from_scratch: bool,
    out: Path,
    minutes: float | None,
    weight: float,
    quiet: bool,
    **data: Any,
) -> None:
    """Train the network of CONFIG.toml on the truth and on what a larger one answers, and export it.

    It begins with the teacher's most important channels. Ctrl-C saves a checkpoint; the same command goes on from it,
    also with a teacher that has learned on meanwhile. At the end a table compares teacher and student (table.json).
    """
    with extra("train"):
        from rtdehaze.train.session import configuration
        from rtdehaze.train.simplified import finish, open_distillation
    settled = configuration(config, **data)
    run_and_tell(
        lambda: open_distillation(settled, teacher, out, minutes=minutes, weight=weight, inherits=not from_scratch),
        lambda run: finish(run, teacher, f"The learned estimator {settled.network}, taught by {teacher.stem}."),
        word="distilling",
        quiet=quiet,
    )
