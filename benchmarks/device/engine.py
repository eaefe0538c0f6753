"""Frames through graphs on a device: lanes of page-locked memory, each with a stream, a session and a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from device.memory import Memory
from rtdehaze.core.errors import ProviderError
from rtdehaze.core.timing import Durations
from rtdehaze.stages.estimate.assignment import assigned_nodes, strays

__all__ = ["Lane", "Work", "open_bound", "run_lanes"]

Array = NDArray[Any]

_SILENT = 4
_WARM_UP = 3
"""Runs: one as ever, one that records the CUDA graph, one that replays it."""
_WARMING = threading.Lock()
_NUMPY = {"tensor(uint8)": np.uint8, "tensor(uint16)": np.uint16, "tensor(float)": np.float32}


@dataclass
class Bound:
    """A session whose inputs and outputs lie at fixed addresses of the device."""

    session: ort.InferenceSession
    binding: Any
    places: dict[str, int]
    """Address of every input and output."""
    options: Any = field(default_factory=ort.RunOptions)

    def run(self) -> None:
        """Begins to run, on a GPU without waiting."""
        self.session.run_with_iobinding(self.binding, self.options)


def open_bound(graph: bytes, memory: Memory, stream: int, *, cuda_graph: bool, shared: dict[str, int]) -> Bound:
    """Opens a graph on the device and gives all its tensors room there.

    Args:
        graph: The model; its shapes are fixed.
        memory: The device.
        stream: Where it runs.
        cuda_graph: Record all kernels of a run once and replay them.
        shared: Addresses that inputs already have, by name.

    Raises:
        ProviderError: It did not open there, or left a node that computes to the CPU.
    """
    options = ort.SessionOptions()
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    providers: list[Any] = ["CPUExecutionProvider"]
    if memory.name == "cuda":
        # Products rounded to 10 bits (TF32) would show in 10-bit video.
        wanted = {"user_compute_stream": str(stream), "enable_cuda_graph": str(int(cuda_graph)), "use_tf32": "0"}
        providers = [("CUDAExecutionProvider", wanted), "CPUExecutionProvider"]
    else:
        options.intra_op_num_threads = 1
    try:
        session = ort.InferenceSession(graph, options, providers=providers, enable_fallback=0)
    except Exception as error:
        raise ProviderError(f"the graph did not open on {memory.name}: {' '.join(str(error).split())[:240]}") from error
    assert_really_runs(session, graph, memory.name)
    bound = Bound(session, session.io_binding(), {})
    if memory.name == "cuda":
        bound.options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    for tensors, bind in (
        (session.get_inputs(), bound.binding.bind_input),
        (session.get_outputs(), bound.binding.bind_output),
    ):
        for tensor in tensors:
            dtype = np.dtype(_NUMPY[tensor.type])
            address = shared.get(tensor.name) or memory.room(int(np.prod(tensor.shape)) * dtype.itemsize)
            bound.places[tensor.name] = address
            bind(tensor.name, memory.name, 0, dtype, tensor.shape, address)
    return bound


def assert_really_runs(session: ort.InferenceSession, graph: bytes, device: str) -> None:
    """Refuses a session of which a node that computes is on the CPU, by the runtime's own record.

    Raises:
        ProviderError: There is one, or the provider did not open.
    """
    if device == "cpu":
        return
    if session.get_providers()[0] != "CUDAExecutionProvider":
        raise ProviderError("CUDAExecutionProvider was asked for and did not open")
    left = strays(graph, assigned_nodes(session))
    if left:
        named = ", ".join(f"{node.kind} {node.name}" for node in left[:3])
        raise ProviderError(f"{len(left)} nodes that compute were left to the CPU: {named}")


class Lane:
    """One frame after the other: page-locked memory, copies, graphs, all on one stream.

    Args:
        memory: The device.
        graphs: Run one after the other; an input that an earlier graph has as input or output is at the same address.
        cuda_graph: As `open_bound`.
        between: Between the first and the second graph: given the first one's outputs on the host, writes what the
            second takes from there. None passes on the device from one to the other.
    """

    def __init__(
        self,
        memory: Memory,
        graphs: Sequence[bytes],
        *,
        cuda_graph: bool,
        between: Callable[[dict[str, Array]], None] | None = None,
    ) -> None:
        self._memory, self._between = memory, between
        self._stream = memory.stream()
        shared: dict[str, int] = {}
        self._bound: list[Bound] = []
        for graph in graphs:
            self._bound.append(open_bound(graph, memory, self._stream, cuda_graph=cuda_graph, shared=shared))
            shared |= self._bound[-1].places
        first, last = self._bound[0].session, self._bound[-1].session
        self.source = {one.name: memory.pinned(one.shape, np.dtype(_NUMPY[one.type])) for one in first.get_inputs()}
        self.target = {one.name: memory.pinned(one.shape, np.dtype(_NUMPY[one.type])) for one in last.get_outputs()}
        self._maps: dict[str, Array] = {}
        if between is not None:
            outputs = first.get_outputs()
            self._maps = {one.name: memory.pinned(one.shape, np.dtype(_NUMPY[one.type])) for one in outputs}

    def copy_in(self) -> None:
        """Begins to copy the source to the device."""
        for name, array in self.source.items():
            self._memory.copy_in(self._bound[0].places[name], array, self._stream)

    def compute(self) -> None:
        """Begins to run the graphs; waits only where something is to be done on the host between them."""
        for number, bound in enumerate(self._bound):
            bound.run()
            if number == 0 and self._between is not None:
                self._visit_host(bound, self._between)

    def copy_out(self) -> None:
        """Begins to copy the result to the host."""
        for name, array in self.target.items():
            self._memory.copy_out(array, self._bound[-1].places[name], self._stream)

    def wait(self) -> None:
        """Until all is done."""
        self._memory.wait(self._stream)

    def process(self) -> None:
        """Takes the source's frame to the target's."""
        self.copy_in()
        self.compute()
        self.copy_out()
        self.wait()

    def _visit_host(self, bound: Bound, between: Callable[[dict[str, Array]], None]) -> None:
        for name, array in self._maps.items():
            self._memory.copy_out(array, bound.places[name], self._stream)
        self.wait()
        between(self._maps)
        for name in self._bound[1].places.keys() & self._maps.keys():
            self._memory.copy_in(bound.places[name], self._maps[name], self._stream)


@dataclass(frozen=True)
class Work:
    """What lanes did together."""

    frames: int
    seconds: float
    latency: Durations
    """From a frame in the host's memory to its clear picture there."""

    @property
    def fps(self) -> float:
        """Frames a second of all lanes."""
        return self.frames / self.seconds


def run_lanes(lanes: Sequence[Lane], seconds: float, step: Callable[[Lane], None]) -> Work:
    """Lets every lane work in a thread of its own for so long.

    However it ends, no lane is at work any more: their memory may be given back.

    Args:
        lanes: Each is warmed up first.
        seconds: How long.
        step: What one frame is.

    Raises:
        Exception: What a lane raised first.
        KeyboardInterrupt: Raised in the calling thread, after all lanes have stopped.
    """
    shift = _Shift(len(lanes))
    taken = [Durations() for _ in lanes]
    workers = [_Worker(shift, lane, durations, step) for lane, durations in zip(lanes, taken, strict=True)]
    try:
        for worker in workers:
            worker.start()
        with suppress(threading.BrokenBarrierError):
            shift.ready.wait()
        begin = time.perf_counter()
        shift.stop.wait(seconds)
    except BaseException:
        shift.stop.set()
        shift.ready.abort()
        raise
    finally:
        shift.stop.set()
        for worker in workers:
            worker.await_end()
    passed = time.perf_counter() - begin
    if shift.failures:
        raise shift.failures[0]
    return Work(sum(one.count for one in taken), passed, max(taken, key=lambda one: one.percentile(99)))


class _Shift:
    """What the threads of some lanes share while they work side by side."""

    def __init__(self, lanes: int) -> None:
        self.ready = threading.Barrier(lanes + 1)
        self.stop = threading.Event()
        self.failures: list[Exception] = []


class _Worker(threading.Thread):
    """The thread of one lane."""

    def __init__(self, shift: _Shift, lane: Lane, durations: Durations, step: Callable[[Lane], None]) -> None:
        super().__init__()
        self._shift, self._lane, self._durations, self._step = shift, lane, durations, step
        self._over = threading.Event()

    def run(self) -> None:
        """Warms the lane up, waits for the others, and works until it is told to stop."""
        shift = self._shift
        try:
            # ONNX Runtime records a CUDA graph per thread, and while one records no other may ask for memory.
            with _WARMING:
                for _ in range(_WARM_UP):
                    if not shift.stop.is_set():
                        self._step(self._lane)
            shift.ready.wait()
            while not shift.stop.is_set():
                with self._durations.measure():
                    self._step(self._lane)
        except threading.BrokenBarrierError:
            pass
        except Exception as error:  # noqa: BLE001 - handed to the caller
            shift.failures.append(error)
            shift.stop.set()
            shift.ready.abort()
        finally:
            self._over.set()

    def await_end(self) -> None:
        """Waits, after `stop` is set; a second Ctrl-C does not abandon a thread that is still in device memory."""
        # One that has no number yet finds `stop` set before it touches anything.
        while self.ident is not None and (self.is_alive() or not self._over.is_set()):
            with suppress(KeyboardInterrupt):
                # Not `join` alone: up to Python 3.12 an interrupted one takes a running thread for ended.
                self._over.wait()
                self.join()
