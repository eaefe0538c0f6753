"""`rtdehaze doctor`: what this machine has and what of it really opens."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import click

import rtdehaze

__all__ = ["doctor"]

_LIBRARIES = ("av", "onnxruntime-gpu", "onnxruntime", "opencv-python", "numpy", "numba", "click", "rich")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor(as_json: bool) -> None:
    """Print versions, and the providers, encoders and hardware decoders that open when they are tried."""
    found = _examine()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"rtdehaze {found['rtdehaze']}, Python {found['python']}, {found['system']}, {found['cores']} cores")
    click.echo("libraries:         " + ", ".join(f"{name} {number}" for name, number in found["libraries"].items()))
    for title, key in (("providers", "providers"), ("encoders", "encoders"), ("hardware decoders", "decoders")):
        click.echo(f"{title}:")
        for entry in found[key]:
            click.echo(f"  {'opens ' if entry['opens'] else 'no    '}{entry['name']:18}{entry['why']}".rstrip())


def _examine() -> dict[str, Any]:
    from rtdehaze.pipeline.threads import available_cores
    from rtdehaze.stages.capture.hardware import available_hwaccels
    from rtdehaze.stages.encode.encoders import available_encoders

    return {
        "rtdehaze": rtdehaze.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": available_cores(),
        "libraries": {name: number for name in _LIBRARIES if (number := _version(name))},
        "providers": _providers(),
        "encoders": [
            {"name": state.name, "codec": state.codec, "opens": state.opens, "why": state.why}
            for state in available_encoders()
        ],
        "decoders": [{"name": name, "opens": opens, "why": why} for name, opens, why in available_hwaccels()],
    }


def _providers() -> list[dict[str, Any]]:
    from rtdehaze.core.errors import ModelError
    from rtdehaze.core.options import Provider
    from rtdehaze.stages.estimate import DEFAULT_MODEL
    from rtdehaze.stages.estimate.estimator import open_estimator

    states = []
    for provider in (Provider.CPU, Provider.CUDA, Provider.TENSORRT):
        try:
            open_estimator(DEFAULT_MODEL, provider=provider.value)
            states.append({"name": provider.value, "opens": True, "why": ""})
        except ModelError as error:
            states.append({"name": provider.value, "opens": False, "why": str(error)})
    return states


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
