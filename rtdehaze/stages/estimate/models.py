"""Where models are found: by name among the shipped ones, or by path."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import rtdehaze
from rtdehaze.core.card import Card, Kind, read_card
from rtdehaze.core.errors import ModelError, UnknownModelError
from rtdehaze.stages.estimate import DEFAULT_MODEL
from rtdehaze.stages.estimate.onnxfile import LARGEST_FILE, inspect_onnx

__all__ = ["DEFAULT_MODEL", "Model", "list_models", "load_model", "models_folder"]


@dataclass(frozen=True, slots=True)
class Model:
    """A model file that was found, read and inspected, but not yet run."""

    card: Card
    path: Path
    graph: bytes
    """The .onnx file's content: what was checked is what is run."""
    has_card: bool
    external: tuple[Path, ...]
    """Files beside it that hold weights."""
    shipped: bool
    """True for a model of this package whose checksum is the one that its card names."""


def models_folder() -> Path:
    """The folder of the shipped models: inside the installed package, or the repository's `models/`."""
    package = Path(rtdehaze.__file__).resolve().parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def list_models() -> list[str]:
    """Returns the names of the shipped models, in alphabetical order."""
    return sorted(path.stem for path in models_folder().glob("*.onnx"))


def load_model(name_or_path: str | Path) -> Model:
    """Finds a model, reads its card and inspects its file.

    Args:
        name_or_path: The name of a shipped model, or the path of an .onnx file, its card beside it or not.

    Raises:
        UnknownModelError: There is none of that name or path.
        ModelError: The file or the card is broken or hostile, or they do not belong together.
    """
    path, shipped = _find(str(name_or_path))
    graph = _read(path)
    beside = path.with_suffix(".json")
    if beside.is_file():
        card = read_card(beside)
        digest = hashlib.sha256(graph).hexdigest()
        if card.sha256 is not None and card.sha256 != digest:
            raise ModelError(
                f"{path} is not the file that its card describes: sha256 is {digest[:12]}..., the card says "
                f"{card.sha256[:12]}...; fetch the model again, or correct the card"
            )
    else:
        card = Card(name=path.stem, kind=Kind.RESTORER, outputs={"image": ""})
    known = shipped and card.sha256 is not None
    return Model(card, path, graph, beside.is_file(), inspect_onnx(graph, path), known)


def _find(wanted: str) -> tuple[Path, bool]:
    """Returns the path and whether it is one of ours."""
    folder = models_folder()
    if wanted and Path(wanted).name == wanted and (folder / f"{wanted}.onnx").is_file():
        return folder / f"{wanted}.onnx", True
    if wanted.lower().endswith(".onnx"):
        path = Path(wanted)
        if path.is_file():
            return path, path.resolve().parent == folder
        raise UnknownModelError(f"no model file {wanted}")
    names = ", ".join(list_models()) or "none"
    raise UnknownModelError(f"unknown model {wanted!r}; known: {names}; or give the path of an .onnx file")


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ModelError(f"{path} has {size} bytes, more than the {LARGEST_FILE} that a model may have")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"model {path} cannot be read: {error.strerror}") from error
