"""Scores on hazy pictures whose clear truth is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rtdehaze.apps.evaluate.contenders import Contender, Restored, Settings
from rtdehaze.apps.evaluate.domains import Domain
from rtdehaze.apps.evaluate.gallery import Gallery
from rtdehaze.apps.evaluate.generated import generated_pairs
from rtdehaze.apps.evaluate.results import HIGHEST_PSNR, UNTOUCHED, DomainResult, Item, Measure, Scores, mean_scores
from rtdehaze.apps.evaluate.selection import spread
from rtdehaze.core.errors import SourceError
from rtdehaze.measure.decisions import Decisions
from rtdehaze.measure.fidelity import mean_absolute_error, psnr
from rtdehaze.measure.pairs import Pair, find_pairs, read_pair
from rtdehaze.measure.similarity import ciede2000, ssim

__all__ = ["MEASURES", "score_pairs"]

Picture = NDArray[np.uint8]

MEASURES = (
    Measure("psnr", "PSNR", "of the 8-bit RGB result at full size, gate off", 2, "dB", "up"),
    Measure("ssim", "SSIM", "as scikit-image: Gaussian window, sigma 1.5, mean over RGB", 4, "", "up"),
    Measure("ciede2000", "CIEDE2000", "mean colour difference; 1 is just noticeable", 2, "", "down"),
    Measure("psnr_auto", "PSNR, gate on", "as rtdehaze run gives: what is called clear stays untouched", 2, "dB", "up"),
    Measure("transmission", "error of t", "mean absolute error, the map enlarged to the picture", 4, "", "down"),
    Measure("airlight", "error of A", "mean absolute error over RGB, range [0, 1]", 4, "", "down"),
    Measure("clear_psnr", "clear in, clear out", "PSNR of clear pictures put in, gate off; 60 at most", 2, "dB", "up"),
    Measure("clear_psnr_auto", "clear, gate on", "the same as rtdehaze run gives", 2, "dB", "up"),
    Measure("gate_accuracy", "gate: accuracy", "share of pictures rightly called hazy or clear", 3, "", "up"),
    Measure("gate_precision", "gate: precision", "hazy ones among those called hazy", 3, "", "up"),
    Measure("gate_recall", "gate: recall", "those called hazy among the hazy ones", 3, "", "up"),
    Measure("gate_f1", "gate: F1", "harmonic mean of precision and recall", 3, "", "up"),
)


@dataclass(frozen=True, slots=True)
class _Sample:
    pair: Pair
    truth: str
    """Which clear picture it is: in RESIDE ten hazy ones share one."""


def score_pairs(
    domain: Domain,
    contenders: Sequence[Contender],
    settings: Settings,
    gallery: Gallery,
    on_progress: Callable[[int, int], None],
) -> DomainResult:
    """Scores every pair of a domain.

    Raises:
        SourceError: The folder holds no pairs, or not one that can be used.
    """
    items: list[Item] = []
    clear: dict[str, Item] = {}
    skipped: list[str] = []
    for number, (sample, total) in enumerate(_samples(domain, settings), 1):
        if isinstance(sample, str):
            skipped.append(sample)
        else:
            items.append(_hazy_item(sample.pair, contenders, gallery))
            if sample.truth not in clear:
                clear[sample.truth] = _clear_item(sample.truth, sample.pair.clear, contenders)
        on_progress(number, total)
    if not items:
        raise SourceError(f"{domain.source}: no pair can be used: {'; '.join(skipped[:3])}")
    means = mean_scores([*items, *clear.values()], MEASURES)
    for contender in contenders:
        means[contender.label] |= _gate_scores(contender.label, items, list(clear.values()))
    methods = (UNTOUCHED, *(contender.label for contender in contenders))
    return DomainResult(
        domain, MEASURES, "psnr", methods, items, means, skipped, list(clear.values()), gallery.scenes()
    )


def _samples(domain: Domain, settings: Settings) -> Iterator[tuple[_Sample | str, int]]:
    """The pairs one by one, or why one is left out, with their number."""
    if domain.generated:
        for pair, total in generated_pairs(settings.limit):
            yield _Sample(pair, pair.name), total
        return
    files = spread(find_pairs(domain.folder), settings.limit)
    for one in files:
        try:
            yield _Sample(read_pair(one), one.clear.name if one.clear else ""), len(files)
        except SourceError as error:
            yield str(error), len(files)


def _hazy_item(pair: Pair, contenders: Sequence[Contender], gallery: Gallery) -> Item:
    scores: dict[str, Scores] = {UNTOUCHED: _fidelity(pair.hazy, pair.clear)}
    restored = {contender.label: contender.restore(pair.hazy) for contender in contenders}
    for contender in contenders:
        result = restored[contender.label]
        own = _fidelity(result.picture, pair.clear) | _haze_errors(result, pair)
        hazy = contender.calls_hazy(result.haze.density)
        own["psnr_auto"] = own["psnr"] if hazy is not False else scores[UNTOUCHED]["psnr"]
        scores[contender.label] = own | _call(hazy, result)
    ranks = {label: scores[label]["psnr"] for label in restored}

    def panels() -> list[tuple[str, Picture]]:
        shown = [(f"hazy, {scores[UNTOUCHED]['psnr']:.1f} dB", pair.hazy)]
        shown += [(f"{label}, {ranks[label]:.1f} dB", one.picture) for label, one in restored.items()]
        return [*shown, ("truth", pair.clear)]

    gallery.offer(pair.name, ranks, panels)
    return Item(pair.name, scores)


def _clear_item(name: str, clear: Picture, contenders: Sequence[Contender]) -> Item:
    scores: dict[str, Scores] = {}
    for contender in contenders:
        result = contender.restore(clear)
        hazy = contender.calls_hazy(result.haze.density)
        kept = min(HIGHEST_PSNR, psnr(result.picture, clear))
        own = {"clear_psnr": kept, "clear_psnr_auto": kept if hazy is not False else HIGHEST_PSNR}
        scores[contender.label] = own | _call(hazy, result)
    return Item(name, scores)


def _fidelity(result: Picture, truth: Picture) -> dict[str, float]:
    return {
        "psnr": min(HIGHEST_PSNR, psnr(result, truth)),
        "ssim": ssim(result, truth),
        "ciede2000": ciede2000(result, truth),
    }


def _haze_errors(result: Restored, pair: Pair) -> dict[str, float]:
    errors = {}
    if pair.transmission is not None:
        size = pair.transmission.shape[::-1]
        said = cv2.resize(result.haze.transmission, size, interpolation=cv2.INTER_LINEAR)
        errors["transmission"] = mean_absolute_error(said, pair.transmission)
    if pair.airlight is not None:
        errors["airlight"] = mean_absolute_error(result.haze.airlight, pair.airlight)
    return errors


def _call(hazy: bool | None, result: Restored) -> dict[str, float]:
    said = {"density": result.haze.density}
    return said if hazy is None else said | {"called_hazy": float(hazy)}


def _gate_scores(label: str, hazy: list[Item], clear: list[Item]) -> dict[str, float]:
    answers = [
        [item.scores[label]["called_hazy"] > 0 for item in items if "called_hazy" in item.scores[label]]
        for items in (hazy, clear)
    ]
    if not any(answers):
        return {}
    counted = Decisions.count(*answers)
    return {f"gate_{name}": getattr(counted, name) for name in ("accuracy", "precision", "recall", "f1")}
