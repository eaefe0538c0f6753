"""The models of a benchmark on their providers: each really runs where it says, and what it takes of the GPU."""

from __future__ import annotations

from dataclasses import dataclass

from rtdehaze.apps.bench.machine import gpu_memory_mib
from rtdehaze.apps.bench.plan import Plan
from rtdehaze.core.errors import ProviderError
from rtdehaze.pipeline.threads import ThreadPlan
from rtdehaze.stages.estimate.estimator import Estimator, open_estimator

__all__ = ["Opened", "open_all"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A model on a provider, proven to run there."""

    estimator: Estimator
    gpu_mib: int | None
    """By how much opening it raised the memory in use on the GPU; None on the CPU, or where no driver tells."""


def open_all(plan: Plan, threads: ThreadPlan) -> list[Opened]:
    """Opens every model of a plan on every provider; what turns out to be the same is there once.

    Raises:
        ProviderError: A provider did not open, or left part of a model to the CPU.
        UsageError: There is no such model.
    """
    opened: dict[tuple[str, str], Opened] = {}
    for model in plan.models:
        for provider in plan.providers:
            before = None if provider == "cpu" else gpu_memory_mib()
            estimator = _open(model, provider, threads.inference)
            _assert_really_runs(estimator)
            # At once: what the next model takes is not this one's.
            after = None if before is None or estimator.provider == "cpu" else gpu_memory_mib()
            taken = None if before is None or after is None else after - before
            opened.setdefault((estimator.name, estimator.provider), Opened(estimator, taken))
    return list(opened.values())


def _open(model: str, provider: str, threads: int) -> Estimator:
    try:
        return open_estimator(model, provider=provider, threads=threads)
    except ProviderError as error:
        # The remedy names the option of `rtdehaze run`; ours takes a list.
        raise ProviderError(str(error).replace("--provider ", "--providers ")) from error


def _assert_really_runs(estimator: Estimator) -> None:
    left = estimator.left_to_cpu()
    if left:
        named = ", ".join(left[:3]) + (", ..." if len(left) > 3 else "")
        raise ProviderError(
            f"model {estimator.name} does not really run on {estimator.provider}: {len(left)} of its nodes compute on "
            f"the CPU ({named}); choose --providers cpu, or a model that runs there as a whole"
        )
