"""`rtdehaze quantize`: an exported model in int8."""

from __future__ import annotations

from pathlib import Path

import click

from rtdehaze.cli.extras import extra
from rtdehaze.core.errors import UsageError

__all__ = ["quantize"]

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("model", type=_PATH, metavar="MODEL.onnx")
@click.option("-o", "--output", type=_PATH, required=True, metavar="NAME.onnx", help="The card goes beside it.")
@click.option("--config", type=_PATH, metavar="CONFIG.toml", help="Measure ranges on samples of this training.")
@click.option("--pack", type=_PATH, metavar="DIR", help="Training pack instead of the configuration's data.packs.")
@click.option("--pictures", type=_PATH, metavar="DIR", help="Measure ranges on these hazy pictures instead.")
@click.option("--count", type=click.IntRange(1), default=64, show_default=True, help="How many of them.")
@click.option("--validation", type=_PATH, metavar="DIR", help="Pairs to score on, for the table.")
@click.option("--layers", type=click.Choice(["auto", "all", "wide"]), default="auto", show_default=True,
              help="Every convolution, or the 1x1 ones over many channels alone; auto takes the faster.")  # fmt: skip
@click.option("--tolerance", type=click.FloatRange(0, min_open=True), default=0.02, show_default=True,
              help="How far pictures may be from the float model's, rms; worse layers stay float.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace an existing model and card.")
@click.option("--quiet", is_flag=True, help="Warnings, errors and the table only.")
def quantize(
    model: Path,
    output: Path,
    config: Path | None,
    pack: Path | None,
    pictures: Path | None,
    count: int,
    validation: Path | None,
    layers: str,
    tolerance: float,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Write MODEL.onnx with convolutions in int8, and a table (NAME.table.json) that tells whether that pays.

    Interrupted, it leaves nothing behind: start it again.
    """
    if (config is None) == (pictures is None):
        raise UsageError("ranges are measured on data: give --config CONFIG.toml or --pictures DIR")
    from rtdehaze.cli.progress import Counting

    with extra("train"):
        from rtdehaze.train.comparison import table
        from rtdehaze.train.quantised import pictures_of, quantise_file, samples_of
        from rtdehaze.train.session import configuration
        from rtdehaze.train.validate import read_validation
    with Counting(quiet=quiet, messages=True):
        given = (
            pictures_of(pictures, count) if pictures is not None
            else samples_of(configuration(config, pack=pack), count) if config is not None else []
        )  # fmt: skip
        pairs = read_validation(validation) if validation is not None else []
        rows = quantise_file(model, output, given, pairs=pairs, layers=layers, tolerance=tolerance, overwrite=overwrite)
    click.echo(table(rows))
    change = rows[-1].milliseconds / rows[0].milliseconds
    click.echo(f"{output}: {change:.2f} of the float model's time")
