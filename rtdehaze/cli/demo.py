"""`rtdehaze demo`: see it work without a video of one's own."""

from __future__ import annotations

from pathlib import Path

import click

from rtdehaze.core.options import Options

__all__ = ["demo"]


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=Path("rtdehaze-demo/drive.mp4"),
    show_default=True, help="The clear video; the foggy one and a picture of both go beside it.",
)  # fmt: skip
@click.option("--model", metavar="NAME|FILE", help="A shipped model (see rtdehaze models) or an .onnx file.")
@click.option("--seconds", type=click.FloatRange(0.2, 600), default=8.0, show_default=True, help="Length of the drive.")
@click.option("--seed", type=click.IntRange(0), default=10, show_default=True, help="The place and the weather.")
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier demo.")
@click.option("--quiet", is_flag=True, help="No progress; warnings and errors only.")
def demo(output: Path, model: str | None, seconds: float, seed: int, overwrite: bool, quiet: bool) -> None:
    """Render a drive through fog, dehaze it, and say where the videos and a picture of both are."""
    from rtdehaze.cli.progress import Display

    with Display(quiet=quiet) as display:
        from rtdehaze.apps.demo import make_demo

        options = Options(model=model, overwrite=overwrite)
        made = make_demo(output, options, seconds=seconds, seed=seed, on_progress=display.update)
    report = made.report
    click.echo(f"foggy:        {made.foggy}")
    click.echo(f"clear:        {made.clear}  ({report.frames_out} frames, {report.fps:.0f} fps, {report.model})")
    click.echo(f"side by side: {made.side_by_side}")
