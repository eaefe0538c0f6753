"""`rtdehaze models`: what can be chosen with --model."""

from __future__ import annotations

import json

import click

__all__ = ["models"]


@click.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def models(name: str | None, as_json: bool) -> None:
    """List the models, or show the card of NAME (a shipped model or an .onnx file)."""
    from rtdehaze.stages.estimate.models import DEFAULT_MODEL, list_models, load_model

    if name is None:
        cards = [load_model(known).card for known in list_models()]
        if as_json:
            click.echo(json.dumps([card.to_dict() for card in cards], indent=2))
            return
        for card in cards:
            click.echo(f"{card.name:12}{'default  ' if card.name == DEFAULT_MODEL else '         '}{card.summary}")
        return
    card = load_model(name).card
    click.echo(json.dumps(card.to_dict(), indent=2) if as_json else card.describe())
