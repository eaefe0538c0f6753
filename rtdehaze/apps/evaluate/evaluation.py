"""The whole of an evaluation: models opened, domains scored one after the other, results written."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rtdehaze
from rtdehaze.apps.evaluate.clips import score_clips
from rtdehaze.apps.evaluate.contenders import Contender, Settings, open_contenders
from rtdehaze.apps.evaluate.domains import Domain, Kind, check_domains
from rtdehaze.apps.evaluate.gallery import Gallery
from rtdehaze.apps.evaluate.page import page
from rtdehaze.apps.evaluate.pairs import score_pairs
from rtdehaze.apps.evaluate.real import score_real
from rtdehaze.apps.evaluate.results import DomainResult, Evaluation
from rtdehaze.core.errors import OutputExistsError, SinkError, UsageError
from rtdehaze.measure.similarity import assert_available
from rtdehaze.stages.estimate.models import load_model

__all__ = ["Progress", "evaluate", "evaluate_to_files"]

Progress = Callable[[str, int, int], None]
"""Called with a domain's name, how much of it is done, and how much there is."""

_SCORERS = {Kind.PAIRS: score_pairs, Kind.CLIPS: score_clips, Kind.REAL: score_real}

_SCENES = 3
"""Best and worst pictures of each model and domain on the page."""

_NAMED = 5
"""Left-out pictures that are named in a warning; the JSON has all."""

_LOG = logging.getLogger("rtdehaze.evaluate")


def evaluate(
    models: Sequence[str],
    domains: Sequence[Domain],
    settings: Settings | None = None,
    *,
    scenes: int = 0,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Scores models on domains, with the runtime that users have.

    Pictures are estimated by ONNX Runtime on the thumbnail and recomposed at full size. The gate is off, so that every
    picture is dehazed, and is scored by itself.

    Args:
        models: Names of shipped models or paths of .onnx files.
        domains: What to score on.
        settings: How to run the models.
        scenes: Of each domain and model, how many of the best and of the worst pictures are kept to be looked at.
        on_progress: Called after every picture or frame.

    Raises:
        UsageError: No such model, no domain, a folder that is not there, or a setting out of its range.
        MissingDependencyError: scikit-image is not installed and there are pairs to score.
        SourceError: A domain holds nothing that can be used.
        ModelError: A model is broken or failed.
    """
    settings = settings or Settings()
    check_domains(domains)
    if any(domain.kind is Kind.PAIRS for domain in domains):
        assert_available()
    contenders = open_contenders(models, settings)
    results = [_score(domain, contenders, settings, scenes, on_progress) for domain in domains]
    about = {one.label: _about(one, model) for one, model in zip(contenders, dict.fromkeys(models), strict=True)}
    return Evaluation(about, dataclasses.asdict(settings) | {"rtdehaze": rtdehaze.__version__}, results)


def _score(
    domain: Domain, contenders: Sequence[Contender], settings: Settings, scenes: int, on_progress: Progress | None
) -> DomainResult:
    def step(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(domain.name, done, total)

    result = _SCORERS[domain.kind](domain, contenders, settings, Gallery(scenes), step)
    if result.skipped:
        named = "; ".join(result.skipped[:_NAMED]) + ("; ..." if result.skipped[_NAMED:] else "")
        _LOG.warning("%s: %d left out: %s", domain.name, len(result.skipped), named)
    return result


def evaluate_to_files(
    models: Sequence[str],
    domains: Sequence[Domain],
    settings: Settings,
    *,
    json_path: Path | None = None,
    html_path: Path | None = None,
    overwrite: bool = False,
    on_progress: Progress | None = None,
) -> Evaluation:
    """Evaluates and writes what was asked for: the figures as JSON, a page with the best and the worst pictures.

    Raises:
        OutputExistsError: A file exists and `overwrite` is false; said before anything is computed.
        SinkError: A file cannot be written.
        RtdehazeError: As `evaluate`.
    """
    wanted = [path for path in (json_path, html_path) if path is not None]
    for path in wanted:
        if path.exists() and not overwrite:
            raise OutputExistsError(f"{path} exists; give --overwrite to replace it, or another name")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{path.parent} is no folder; make it, or choose another place for {path.name}")
    evaluation = evaluate(models, domains, settings, scenes=_SCENES if html_path else 0, on_progress=on_progress)
    if json_path is not None:
        _write(json_path, json.dumps(evaluation.to_dict(), indent=1) + "\n")
    if html_path is not None:
        _write(html_path, page(evaluation))
    return evaluation


def _about(contender: Contender, model: str) -> dict[str, Any]:
    estimator = contender.estimator
    graph = load_model(model).graph
    return {
        "model": model,
        "provider": estimator.provider,
        "sha256": hashlib.sha256(graph).hexdigest(),
        "bytes": len(graph),
        "gate": None if estimator.card.gate is None else dataclasses.asdict(estimator.card.gate),
        "summary": estimator.card.summary,
    }


def _write(path: Path, text: str) -> None:
    """Writes beside its place and moves it there: a reader never finds half a file."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise SinkError(f"{path} cannot be written ({error.strerror}); choose another place") from error
