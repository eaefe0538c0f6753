"""What a model is scored on: named folders of pairs, of clips, or of real haze."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rtdehaze.core.errors import UsageError

__all__ = ["GENERATED", "Domain", "Kind", "check_domains", "gather_domains", "load_domains", "parse_domain"]

GENERATED = "generated"
"""Instead of a folder: scenes that are made on the fly, with their exact haze."""


class Kind(StrEnum):
    """What is known about the pictures of a domain."""

    PAIRS = "pairs"
    """Hazy pictures with their clear truth."""
    CLIPS = "clips"
    """Hazy videos with their clear truth."""
    REAL = "real"
    """Hazy photographs and videos without truth."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A named set of pictures."""

    name: str
    kind: Kind
    source: str
    """A folder, or `GENERATED`."""

    @property
    def generated(self) -> bool:
        """Whether it is made on the fly."""
        return self.source == GENERATED

    @property
    def folder(self) -> Path:
        """Where the pictures are, unless they are generated."""
        return Path(self.source)


def parse_domain(kind: Kind, text: str) -> Domain:
    """Reads `DIR`, `NAME=DIR`, `generated` or `NAME=generated`; a folder without a name has its own."""
    name, equals, source = text.partition("=")
    if not equals or Path(text).exists():
        name, source = "", text
    return Domain(name or (GENERATED if source == GENERATED else Path(source).resolve().name), kind, source)


def gather_domains(
    pairs: Sequence[str] = (), clips: Sequence[str] = (), real: Sequence[str] = (), file: Path | None = None
) -> list[Domain]:
    """Reads what a command line names, see `parse_domain`, and after it what a file lists, see `load_domains`.

    Raises:
        UsageError: The file cannot be read or is no such list.
    """
    given = ((Kind.PAIRS, pairs), (Kind.CLIPS, clips), (Kind.REAL, real))
    named = [parse_domain(kind, text) for kind, texts in given for text in texts]
    return named + (load_domains(file) if file is not None else [])


def load_domains(path: Path) -> list[Domain]:
    """Reads a TOML file with a table for each domain: `[outdoor]` and in it `pairs`, `clips` or `real` = a folder.

    Folders are relative to the file; `generated` may stand for one.

    Raises:
        UsageError: The file cannot be read, or says something else; the message names the table.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"domains {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"domains {path} is not TOML: {error}") from error
    return [_domain(path, name, table) for name, table in tables.items()]


def _domain(path: Path, name: str, table: object) -> Domain:
    if isinstance(table, dict) and len(table) == 1:
        ((word, source),) = table.items()
        if word in tuple(Kind) and isinstance(source, str):
            kind = Kind(word)
            return Domain(name, kind, source if source == GENERATED else str(path.parent / source))
    raise UsageError(f'{path}: [{name}] must hold one line, pairs, clips or real = "FOLDER", and no other')


def check_domains(domains: Sequence[Domain]) -> None:
    """Looks whether the domains can be scored at all.

    Raises:
        UsageError: There is none, two have one name, a folder is not there, or real haze is to be generated.
    """
    if not domains:
        raise UsageError("nothing to evaluate on: give --pairs, --clips, --real or --domains")
    twice = _repeated(domain.name for domain in domains)
    if twice is not None:
        raise UsageError(f"two domains are named {twice!r}; name them as NAME=FOLDER")
    for domain in domains:
        if domain.generated and domain.kind is Kind.REAL:
            raise UsageError("real haze cannot be generated; take --pairs generated or --clips generated")
        if not domain.generated and not domain.folder.is_dir():
            raise UsageError(f"{domain.kind.value}: there is no folder {domain.source}; check the path")


def _repeated(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None
