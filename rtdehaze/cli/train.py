"""`rtdehaze train`: from a configuration to a model."""

from __future__ import annotations

from pathlib import Path

import click

from rtdehaze.cli.extras import extra
from rtdehaze.cli.training import run_shown

__all__ = ["train"]

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("config", type=_PATH, metavar="CONFIG.toml")
@click.option("--out", type=_PATH, required=True, metavar="DIR", help="Folder of the run; one in it is gone on with.")
@click.option("--minutes", type=float, metavar="M",
              help="End the schedule after so much training time, if not after its steps.")  # fmt: skip
@click.option("--start", type=_PATH, metavar="CHECKPOINT", help="Start a new run from these weights (.safetensors).")
@click.option("--pack", type=_PATH, metavar="DIR", help="Training pack instead of the configuration's data.packs.")
@click.option("--validation", type=_PATH, metavar="DIR", help="Folder of pairs instead of data.validation.")
@click.option("--workers", type=click.IntRange(0), metavar="N", help="Processes that make samples.")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
def train(
    config: Path,
    out: Path,
    minutes: float | None,
    start: Path | None,
    pack: Path | None,
    validation: Path | None,
    workers: int | None,
    quiet: bool,
) -> None:
    """Train a network as CONFIG.toml says, and export it with its card.

    Ctrl-C saves a checkpoint; the same command then goes on to the numbers of an uninterrupted run.
    """
    from rtdehaze.cli.progress import Counting

    with extra("train"):
        from rtdehaze.train.session import configuration, deliver_run, open_run

    with Counting(quiet=quiet, messages=True) as counting:
        settled = configuration(config, pack=pack, validation=validation, workers=workers)
        trainer = open_run(settled, out, minutes=minutes, start=start)
        run_shown(trainer, counting, "training")
        made = deliver_run(trainer)
    if not quiet:
        click.echo(f"{made.model}: PyTorch and ONNX Runtime agree to {made.difference:.0e}; {made.card.licence}")
