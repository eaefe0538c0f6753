"""`rtdehaze evaluate`: models side by side, scored on pairs, clips and real haze."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rtdehaze.core.options import Provider

__all__ = ["evaluate"]

_FOLDER = "[NAME=]DIR"


@click.command()
@click.option("--model", "models", multiple=True, metavar="NAME|FILE",
              help="A shipped model or an .onnx file; may be repeated.  [default: the default model]")  # fmt: skip
@click.option("--pairs", multiple=True, metavar=_FOLDER,
              help="Hazy pictures with their truth: DIR/hazy, DIR/clear (or gt), where known DIR/t and DIR/meta.json; "
              "or the word generated. May be repeated.")  # fmt: skip
@click.option("--clips", multiple=True, metavar=_FOLDER,
              help="Hazy videos with their truth: DIR/hazy, DIR/clear; or generated. May be repeated.")  # fmt: skip
@click.option("--real", multiple=True, metavar=_FOLDER,
              help="Hazy photographs and videos without truth. May be repeated.")  # fmt: skip
@click.option("--domains", type=click.Path(path_type=Path, dir_okay=False), metavar="TOML",
              help="A file with a table for each: [NAME] and in it pairs, clips or real = DIR.")  # fmt: skip
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write all figures, of every picture too.")  # fmt: skip
@click.option("--html", "html_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a page with the tables and the best and worst pictures.")  # fmt: skip
@click.option("--frames", type=click.IntRange(2), default=50, show_default=True, help="Frames of a clip, at most.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Take N pictures or clips of each domain.")
@click.option("--provider", type=click.Choice([word.value for word in Provider]), default="auto", show_default=True)
@click.option("--strength", type=click.FloatRange(0, 100), default=100.0, show_default=True, metavar="0..100",
              help="As for rtdehaze run.")  # fmt: skip
@click.option("--smoothing", type=click.FloatRange(0, 1), default=0.5, show_default=True, metavar="0..1",
              help="As for rtdehaze run; for clips and real videos.")  # fmt: skip
@click.option("--exposure/--no-exposure", default=True, help="As for rtdehaze run.  [default: exposure]")
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier evaluation.")
@click.option("--quiet", is_flag=True, help="No progress; warnings, errors and tables only.")
def evaluate(
    models: tuple[str, ...],
    pairs: tuple[str, ...],
    clips: tuple[str, ...],
    real: tuple[str, ...],
    domains: Path | None,
    json_path: Path | None,
    html_path: Path | None,
    overwrite: bool,
    quiet: bool,
    **choices: Any,
) -> None:
    """Score models side by side with the runtime itself: every picture at full size, gate off.

    Pairs: PSNR, SSIM, CIEDE2000, errors of t and A, the gate, clear in = clear out. Clips: PSNR, warping error and
    flicker, smoothed and frame by frame. Real haze: visible edges, gradients, saturation, beside the untouched own.
    """
    from rtdehaze.cli.progress import Counting
    from rtdehaze.cli.scores import print_scores

    with Counting(quiet=quiet) as counting:
        from rtdehaze.apps.evaluate.contenders import Settings
        from rtdehaze.apps.evaluate.domains import gather_domains
        from rtdehaze.apps.evaluate.evaluation import evaluate_to_files
        from rtdehaze.stages.estimate import DEFAULT_MODEL

        evaluation = evaluate_to_files(
            models or (DEFAULT_MODEL,),
            gather_domains(pairs, clips, real, domains),
            Settings(**choices),
            json_path=json_path,
            html_path=html_path,
            overwrite=overwrite,
            on_progress=counting.update,
        )
    print_scores(evaluation)
    for path in (json_path, html_path):
        if path is not None:
            click.echo(str(path))
