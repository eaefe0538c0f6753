"""`rtdehaze bench`: how fast this machine dehazes, and `rtdehaze bench compare`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from rtdehaze.cli.signals import stop_on_signals

__all__ = ["bench"]


def _words(value: str | None) -> list[str]:
    return [word for word in (part.strip() for part in (value or "").split(",")) if word]


@click.group(invoke_without_command=True)
@click.option("--sizes", metavar="LIST", help="720p,1080p,4k,8k or WIDTHxHEIGHT.  [default: 720p,1080p,4k; of a file, "
              "its own]")  # fmt: skip
@click.option(
    "--models", metavar="LIST", help="Names (see rtdehaze models) or .onnx files.  [default: the default model]"
)
@click.option("--providers", metavar="LIST", default="auto", show_default=True, help="cpu,cuda,tensorrt or auto; "
              "one that does not really run is an error.")  # fmt: skip
@click.option("--source", metavar="FILE", default="generated", show_default=True, help="A video of your own "
              "instead of the generated drive.")  # fmt: skip
@click.option("--codec", "codecs", metavar="LIST", default="none,h264:veryfast", show_default=True,
              help="What is encoded: NAME or NAME:PRESET, codec or encoder; none: frames stay in memory.")  # fmt: skip
@click.option("--threads", type=int, metavar="N", help="Cores to plan for.  [default: all]")
@click.option("--seconds", type=float, metavar="S", help="Length of a run.  [default: 4]")
@click.option("--rounds", type=int, metavar="N", help="Turns of dehazing and reference.  [default: 3]")
@click.option("--json", "json_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write all figures there, with the machine's description.")  # fmt: skip
@click.option("--plot", "plot_path", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Draw them there: .png, .svg or .pdf.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace the files of an earlier benchmark.")
@click.option("--quiet", is_flag=True, help="No progress; warnings, errors and the table only.")
@click.pass_context
def bench(
    context: click.Context,
    sizes: str | None,
    models: str | None,
    providers: str,
    source: str,
    codecs: str,
    threads: int | None,
    seconds: float | None,
    rounds: int | None,
    json_path: Path | None,
    plot_path: Path | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Measure how fast this machine dehazes, against the same transcode without dehazing, in turns.

    Every size is measured with every codec, model and provider. Ctrl-C ends it: what is complete is shown and written.
    """
    if context.invoked_subcommand is not None:
        return
    from rtdehaze.apps.bench.bench import bench_to_files
    from rtdehaze.apps.bench.plan import DEFAULT_SIZES, GENERATED, ROUNDS, SECONDS, make_plan
    from rtdehaze.cli.bench_tables import print_bench
    from rtdehaze.cli.progress import Counting
    from rtdehaze.stages.estimate import DEFAULT_MODEL

    plan = make_plan(
        sizes=_words(sizes) if sizes is not None else (DEFAULT_SIZES if source == GENERATED else ()),
        models=_words(models) if models is not None else [DEFAULT_MODEL],
        providers=_words(providers),
        codecs=_words(codecs),
        source=source,
        threads=threads,
        seconds=SECONDS if seconds is None else seconds,
        rounds=ROUNDS if rounds is None else rounds,
    )
    with Counting(quiet=quiet) as counting, stop_on_signals() as stop:
        found = bench_to_files(
            plan,
            json_path=json_path,
            plot_path=plot_path,
            overwrite=overwrite,
            on_progress=counting.update,
            stop=stop,
        )
    if found.rows:
        print_bench(found)
        for path in (json_path, plot_path):
            if path is not None:
                click.echo(str(path))
    if found.interrupted:
        click.echo("rtdehaze: interrupted; only what is complete is shown", err=True)
        sys.exit(stop.exit_code)


@bench.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
def compare(first: Path, second: Path) -> None:
    """Compare two files of rtdehaze bench --json.

    Prints the ratios of SECOND over FIRST, and what differs between the machines.
    """
    from rtdehaze.apps.bench.compare import compare as compare_benches
    from rtdehaze.apps.bench.reading import read_bench
    from rtdehaze.cli.bench_tables import print_comparison

    print_comparison(compare_benches(read_bench(first), read_bench(second)), first.name, second.name)
