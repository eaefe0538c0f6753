"""`rtdehaze probe`: what is in a file and what would become of it."""

from __future__ import annotations

import json

import click

__all__ = ["probe"]


@click.command()
@click.argument("input", metavar="INPUT")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def probe(input: str, as_json: bool) -> None:  # noqa: A002
    """Print what is in INPUT and what a run would keep, convert or leave out."""
    from rtdehaze.stages.capture.probe import probe as look

    found = look(input)
    click.echo(json.dumps(found.to_dict(), indent=2) if as_json else "\n".join(found.lines()))
