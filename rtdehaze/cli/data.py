"""`rtdehaze data`: looking at what networks learn from, and making pairs of it to measure them on."""

from __future__ import annotations

from pathlib import Path

import click

from rtdehaze.cli.extras import extra

__all__ = ["data"]

_PATH = click.Path(path_type=Path)


@click.group()
def data() -> None:
    """Look at training data, and make pairs to measure models on."""


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


@data.command()
@click.argument("config", type=_PATH, metavar="CONFIG.toml")
@click.option("-o", "--output", type=_PATH, required=True, metavar="DIR", help="Folder to make; it must not exist.")
@click.option("--pack", type=_PATH, metavar="DIR", help="Training pack instead of the configuration's data.packs.")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="Pairs, from all over the data.")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
def pairs(config: Path, output: Path, pack: Path | None, count: int, quiet: bool) -> None:
    """Write hazy pictures with their truth, for `rtdehaze evaluate --pairs DIR`.

    Haze is made as CONFIG.toml says, the same for the same seed; each picture keeps about its own size. Give pictures
    that the models were not trained on; those that they were show what they know by heart.
    """
    with extra("train"):
        from rtdehaze.train.paired import write_pairs
        from rtdehaze.train.session import configuration
    from rtdehaze.cli.progress import Counting

    with Counting(quiet=quiet, messages=True) as counting:
        settled = configuration(config, pack=pack)
        made = write_pairs(settled, output, count, on_pair=lambda done: counting.update("pairs", done, count))
    click.echo(f"{output}: {made} pairs")
