"""`rtdehaze devices`: the cameras of this machine and their modes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rtdehaze.stages.capture.live.cameras import Camera

__all__ = ["devices"]


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def devices(as_json: bool) -> None:
    """List cameras and the formats, sizes and rates that they deliver."""
    from rtdehaze.stages.capture.live.cameras import cameras

    found = cameras()
    if as_json:
        click.echo(json.dumps({"cameras": [asdict(camera) for camera in found]}, indent=2))
        return
    for camera in found:
        click.echo("\n".join(_lines(camera)))
    if not found:
        click.echo("no cameras found")


def _lines(camera: Camera) -> Iterator[str]:
    yield f"{camera.location}  {camera.name or camera.trouble}"
    for mode in camera.modes:
        rates = ", ".join(f"{rate:g}" for rate in mode.rates)
        yield f"  {mode.format:10} {mode.width}x{mode.height}{f' at {rates} fps' if rates else ''}"
