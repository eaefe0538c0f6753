"""`rtdehaze export`: from a checkpoint to a model with its card."""

from __future__ import annotations

from pathlib import Path

import click

from rtdehaze.cli.extras import extra
from rtdehaze.core.card import Gate

__all__ = ["export"]

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("checkpoint", type=_PATH)
@click.option("-o", "--output", type=_PATH, required=True, metavar="NAME.onnx", help="The card goes beside it.")
@click.option("--name", help="The model's name.  [default: that of the file]")
@click.option("--summary", help="One line about it.")
@click.option("--licence", help="On what terms it may be used.  [default: what the terms of its data leave]")
@click.option("--trained-on", help="On what it was trained.  [default: what the checkpoint tells]")
@click.option("--gate", type=click.FloatRange(0, 1), nargs=2, metavar="HAZY CLEAR",
              help="Density above which a frame is hazy, and below which it is clear.")  # fmt: skip
@click.option("--validation", type=_PATH, metavar="DIR", help="Score it on these pairs, for the card.")
@click.option("--evaluation", type=_PATH, metavar="FILE", help="Take scores from what rtdehaze evaluate --json wrote.")
@click.option("--overwrite", is_flag=True, help="Replace an existing model and card.")
def export(
    checkpoint: Path,
    output: Path,
    name: str | None,
    summary: str | None,
    licence: str | None,
    trained_on: str | None,
    gate: tuple[float, float] | None,
    validation: Path | None,
    evaluation: Path | None,
    overwrite: bool,
) -> None:
    """Write CHECKPOINT (.safetensors) as an ONNX model with its card.

    Nothing is written unless ONNX Runtime answers what PyTorch answers.
    """
    with extra("train"):
        from rtdehaze.train.delivery import Words, deliver
    chosen = None if gate is None else Gate(*gate)
    words = Words(name=name, summary=summary, licence=licence, trained_on=trained_on, gate=chosen)
    made = deliver(checkpoint, output, words, validation=validation, evaluation=evaluation, overwrite=overwrite)
    click.echo(f"{made.model}: PyTorch and ONNX Runtime agree to {made.difference:.0e}")
    click.echo(made.card.describe())
