"""`rtdehaze adapt`: fine-tuning on real haze without truth."""

from __future__ import annotations

import json
from pathlib import Path

import click

from rtdehaze.cli.extras import extra
from rtdehaze.cli.training import run_shown

__all__ = ["adapt"]

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.option("--real", type=_FOLDER, multiple=True, required=True, metavar="DIR|VIDEO",
              help="Real hazy pictures or videos; may be repeated.")  # fmt: skip
@click.option("--start", type=_FOLDER, required=True, metavar="CHECKPOINT", help="What to adapt (.safetensors).")
@click.option("--out", type=_FOLDER, required=True, metavar="DIR",
              help="Folder of the run; an interrupted one in it goes on.")  # fmt: skip
@click.option("--pack", "packs", type=_FOLDER, multiple=True, metavar="DIR",
              help="Labelled pictures to keep in practice with: a training pack; may be repeated.")  # fmt: skip
@click.option("--config", type=_FOLDER, metavar="FILE", help="Take data, haze and losses of a training configuration.")
@click.option("--validation", type=_FOLDER, metavar="DIR", help="Pairs that must not fare worse, with hazy and clear.")
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Budget of training time.")
@click.option("--tolerance", type=click.FloatRange(min=0), default=0.1, show_default=True, metavar="DB",
              help="How much the mean PSNR of labelled pairs may fall.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), help="Another seed gives another run.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads of PyTorch on a CPU.")
@click.option("--workers", type=click.IntRange(min=0), metavar="N", help="Processes that make labelled samples.")
@click.option("--json", "as_json", is_flag=True, help="Print a report as JSON at the end.")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
def adapt(
    real: tuple[Path, ...],
    start: Path,
    out: Path,
    packs: tuple[Path, ...],
    config: Path | None,
    validation: Path | None,
    minutes: float | None,
    tolerance: float,
    seed: int | None,
    threads: int | None,
    workers: int | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Adapt a network to real haze of which no truth is known, such as your camera's.

    Half of what it practises on stays labelled; where its labelled scores fall, it goes back to its best.
    """
    from rtdehaze.cli.progress import Counting

    with extra("train"):
        from rtdehaze.train.adapt import Plan
        from rtdehaze.train.adapted import configuration, deliver_adaptation, open_adaptation

    with Counting(quiet=quiet, messages=True) as counting:
        settled = configuration(config, packs=packs, validation=validation, seed=seed, threads=threads, workers=workers)
        adaptation = open_adaptation(real, start, out, config=settled, plan=Plan(tolerance=tolerance), minutes=minutes)
        run_shown(adaptation.run, counting, "adapting")
        report = deliver_adaptation(adaptation)
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    elif not quiet:
        click.echo(f"{report.describe()}\n{report.model}, {report.sheet}")
