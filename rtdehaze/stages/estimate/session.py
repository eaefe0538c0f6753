"""ONNX Runtime sessions: the provider that was asked for, or an error that says why not."""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import io
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort
from numpy.typing import NDArray

from rtdehaze.core.errors import ModelError, ProviderError, UsageError
from rtdehaze.stages.estimate.assignment import assigned_nodes, strays
from rtdehaze.stages.estimate.models import Model

__all__ = ["PROVIDERS", "Session", "Tensor", "open_session", "why_no_gpu"]

PROVIDERS = ("auto", "cpu", "cuda", "tensorrt")
"""What `--provider` takes."""

_EXECUTION = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_SILENT = 4
"""ONNX Runtime's severity `fatal`: failures reach us as exceptions or are looked up, never as lines on stderr."""

_LOG = logging.getLogger("rtdehaze.estimate")

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Tensor:
    """An input or output as the graph declares it."""

    name: str
    type: str
    """ONNX Runtime's name, for example `tensor(float)`."""
    shape: tuple[int | str | None, ...]


class Session:
    """A model on one provider. `run` may be called from several threads."""

    def __init__(self, session: ort.InferenceSession, model: Model, provider: str, note: str) -> None:
        self.runtime, self._model = session, model
        self.provider = provider
        """`cpu`, `cuda` or `tensorrt`: what it really runs on."""
        self.note = note
        """One line: which provider and why."""
        self.inputs = tuple(Tensor(item.name, item.type, tuple(item.shape)) for item in session.get_inputs())
        self.outputs = tuple(Tensor(item.name, item.type, tuple(item.shape)) for item in session.get_outputs())

    def run(self, outputs: list[str], feed: Mapping[str, Array]) -> list[Array]:
        """Runs the graph.

        Raises:
            ModelError: The graph failed; the message is ONNX Runtime's, on one line.
        """
        try:
            answer: list[Array] = self.runtime.run(outputs, dict(feed))
        except Exception as error:
            raise ModelError(
                f"model {self._model.card.name} failed to run on {self.provider}: {_one_line(error)}"
            ) from error
        return answer

    def left_to_cpu(self) -> tuple[str, ...]:
        """Nodes that compute on the CPU although another provider was taken, by the runtime's own record.

        Returns:
            Their operators and names; empty where all but shape arithmetic runs on the provider.
        """
        if self.provider == "cpu":
            return ()
        left = strays(self._model.graph, assigned_nodes(self.runtime))
        return tuple(f"{node.kind} {node.name}".rstrip() for node in left)


def open_session(model: Model, provider: str = "auto", threads: int = 1) -> Session:
    """Opens a model.

    Args:
        model: From `load_model`.
        provider: One of `PROVIDERS`. `auto` takes CUDA where it really opens, otherwise the CPU; TensorRT only runs
            when asked for, because it builds its engine for minutes.
        threads: Threads of the CPU provider.

    Raises:
        UsageError: No such provider, or no positive number of threads.
        ProviderError: The provider that was asked for did not open; says why and what to do.
        ModelError: ONNX Runtime does not accept the model.
    """
    if provider not in PROVIDERS:
        raise UsageError(f"unknown provider {provider!r}; known: {', '.join(PROVIDERS)}")
    if threads < 1:
        raise UsageError(f"{threads = } must be 1 or more")
    ort.set_default_logger_severity(_SILENT)
    if provider == "cpu":
        return Session(_create(model, "cpu", threads), model, "cpu", "CPU, as asked")
    reason = why_no_gpu(provider)
    if reason is None:
        try:
            wanted = "cuda" if provider == "auto" else provider
            return Session(_create(model, wanted, threads), model, wanted, _note(provider, wanted))
        except ProviderError as error:
            if provider != "auto":
                raise
            reason = str(error)
    if provider != "auto":
        raise ProviderError(f"provider {provider} cannot be used: {reason}; or choose --provider cpu")
    return Session(_create(model, "cpu", threads), model, "cpu", f"CPU, because {reason}")


def why_no_gpu(provider: str = "cuda") -> str | None:
    """Says in a few words why an NVIDIA provider cannot work here, or None if nothing speaks against trying.

    Looks quietly: ONNX Runtime itself would print to stderr and fall back.
    """
    name = _EXECUTION["cuda" if provider == "auto" else provider]
    if name not in ort.get_available_providers():
        return f"this build of ONNX Runtime has no {name}: pip install 'onnxruntime-gpu' in place of 'onnxruntime'"
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0 or count.value < 1:
            return "the NVIDIA driver finds no device: check that nvidia-smi lists one"
    except (OSError, AttributeError):
        return "no NVIDIA driver was found: install one, 580 or newer"
    # It reports on stdout what it does not find, and goes on.
    with contextlib.redirect_stdout(io.StringIO()):
        ort.preload_dlls()
    return _missing_library(name)


def _missing_library(name: str) -> str | None:
    """Loads the provider's library as ONNX Runtime would, to learn the name of what it lacks."""
    if sys.platform != "linux":
        return None
    folder = Path(ort.__file__).parent / "capi"
    try:
        ctypes.CDLL(str(folder / "libonnxruntime_providers_shared.so"), mode=ctypes.RTLD_GLOBAL)
        stem = "tensorrt" if name == _EXECUTION["tensorrt"] else "cuda"
        ctypes.CDLL(str(folder / f"libonnxruntime_providers_{stem}.so"))
    except OSError as error:
        remedy = "pip install tensorrt" if "nvinfer" in str(error) else "pip install 'rtdehaze[cuda]'"
        return f"a library is missing ({_one_line(error)}): {remedy}"
    return None


def _note(asked: str, taken: str) -> str:
    return f"{taken.upper()}, as asked" if asked == taken else f"{taken.upper()}, the fastest that opened"


def _create(model: Model, provider: str, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    # From bytes nothing of the file system is read, except where the weights were seen to lie beside the model.
    source: bytes | str = str(model.path) if model.external else model.graph
    try:
        session = ort.InferenceSession(source, options, providers=_chain(model, provider), enable_fallback=0)
    except Exception as error:
        if provider == "cpu":
            raise ModelError(f"ONNX Runtime does not accept {model.path}: {_one_line(error)}") from error
        raise ProviderError(f"{_EXECUTION[provider]} did not open: {_one_line(error)}") from error
    _confirm(session, provider)
    return session


def _chain(model: Model, provider: str) -> list[tuple[str, dict[str, str]] | str]:
    """The provider and what takes over the nodes that it has no kernel for."""
    if provider == "cpu":
        return [_EXECUTION["cpu"]]
    if provider == "cuda":
        return [_EXECUTION["cuda"], _EXECUTION["cpu"]]
    cache = _engine_cache(model)
    if not any(cache.glob("*.engine")):
        _LOG.warning("TensorRT is building its engine for %s; this takes minutes, once", model.card.name)
    options = {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(cache),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(cache),
    }
    return [(_EXECUTION["tensorrt"], options), _EXECUTION["cuda"], _EXECUTION["cpu"]]


def _engine_cache(model: Model) -> Path:
    """A folder for this model on this version; TensorRT's own file names add shapes and the GPU's architecture."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256(model.graph + ort.__version__.encode() + b"fp32").hexdigest()[:16]
    folder = base / "rtdehaze" / "tensorrt" / f"{model.card.name}-{key}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProviderError(f"no folder for TensorRT's engines at {folder}: {error.strerror}") from error
    return folder


def _confirm(session: ort.InferenceSession, provider: str) -> None:
    """Compares what was asked for with what was got: listed first, and given at least one node."""
    wanted = _EXECUTION[provider]
    got = session.get_providers()[0]
    if got != wanted:
        raise ProviderError(f"{wanted} was asked for, {got} was given: the provider did not open")
    if provider != "cpu" and wanted not in {node.provider for node in assigned_nodes(session)}:
        raise ProviderError(f"{wanted} opened but took no part of the model")


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 240 else text[:120] + " ... " + text[-110:]
