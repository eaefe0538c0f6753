"""`rtdehaze data`: looking at what networks learn from."""

from __future__ import annotations

from pathlib import Path

import click

from rtdehaze.cli.extras import extra

__all__ = ["data"]

_PATH = click.Path(path_type=Path)


@click.group()
def data() -> None:
    """Look at training data."""


@data.command()
@click.argument("config", type=_PATH, metavar="CONFIG.toml")
@click.option("-o", "--output", type=_PATH, required=True, metavar="PNG", help="The contact sheet.")
@click.option("--pack", type=_PATH, metavar="DIR", help="Training pack instead of the configuration's data.packs.")
@click.option("--rows", type=click.IntRange(1, 100), default=8, show_default=True)
@click.option("--columns", type=click.IntRange(1, 10), default=2, show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace an existing sheet.")
def preview(config: Path, output: Path, pack: Path | None, rows: int, columns: int, overwrite: bool) -> None:
    """Draw the first samples of a run: what the network will see, the clear picture, the transmission.

    The captions say what was drawn: median transmission, airlight, noise, compression.
    """
    with extra("train"):
        from rtdehaze.train.session import preview_to_file
    from rtdehaze.cli.progress import Counting

    with Counting(messages=True):
        preview_to_file(config, output, pack=pack, rows=rows, columns=columns, overwrite=overwrite)
    click.echo(str(output))
