from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from rtdehaze.core.errors import ProviderError, UsageError
from rtdehaze.stages.estimate import session as sessions
from rtdehaze.stages.estimate.canary import compare_with_cpu
from rtdehaze.stages.estimate.contract import Network, resolve_card
from rtdehaze.stages.estimate.estimator import open_estimator
from rtdehaze.stages.estimate.models import load_model

NO_GPU = sessions.why_no_gpu()


@pytest.mark.skipif(NO_GPU is None, reason="this machine has a usable NVIDIA GPU")
@pytest.mark.parametrize("provider", ["cuda", "tensorrt"])
def test_a_gpu_that_is_not_there_is_an_error_with_the_reason(provider: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ProviderError) as caught:
        open_estimator("cap", provider=provider)
    assert f"provider {provider} cannot be used: " in str(caught.value)
    assert "--provider cpu" in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(NO_GPU is None, reason="this machine has a usable NVIDIA GPU")
def test_auto_falls_back_in_silence_and_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    estimator = open_estimator("cap", provider="auto")
    assert estimator.provider == "cpu"
    assert estimator.provider_note == f"CPU, because {NO_GPU}"
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(NO_GPU is not None, reason="needs an NVIDIA GPU")
def test_cuda_really_runs_on_cuda() -> None:
    assert open_estimator("cap", provider="cuda").provider == "cuda"
    assert open_estimator("cap", provider="auto").provider == "cuda"


def test_a_provider_that_gives_way_to_the_cpu_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    if NO_GPU is None:
        pytest.skip("this machine has a usable NVIDIA GPU")
    monkeypatch.setattr(sessions, "why_no_gpu", lambda provider: None)
    with pytest.raises(ProviderError, match=r"CUDAExecutionProvider (was asked for|did not open)"):
        open_estimator("cap", provider="cuda")
    assert open_estimator("cap", provider="auto").provider == "cpu"


def test_unknown_providers_and_impossible_threads_are_usage_errors() -> None:
    with pytest.raises(UsageError, match="unknown provider 'gpu'; known: auto, cpu, cuda, tensorrt"):
        open_estimator("cap", provider="gpu")
    with pytest.raises(UsageError, match="threads = 0 must be 1 or more"):
        open_estimator("cap", provider="cpu", threads=0)


class WrongOnGpu(sessions.Session):
    """A session whose answers are off by a little, by much, or not numbers: what half precision may do."""

    error = 0.0

    def run(self, outputs: list[str], feed: Mapping[str, sessions.Array]) -> list[sessions.Array]:
        right = super().run(outputs, feed)
        return [right[0] * np.float32(1 - self.error), *right[1:]]


@pytest.mark.parametrize(("error", "says"), [(0.3, "answers differently on cuda"), (np.nan, "on cuda it fails")])
def test_a_gpu_that_answers_otherwise_than_the_cpu_is_found(error: float, says: str) -> None:
    model = load_model("cap")
    right = sessions.open_session(model, "cpu")
    network = Network(resolve_card(model, right), right)
    wrong = WrongOnGpu(right.runtime, "cap", "cuda", "")
    wrong.error = 0.01
    compare_with_cpu(Network(network.card, wrong), network)
    wrong.error = error
    with pytest.raises(ProviderError, match=says):
        compare_with_cpu(Network(network.card, wrong), network)
