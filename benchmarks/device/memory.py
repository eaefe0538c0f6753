"""Memory and copies of a GPU by the CUDA runtime, through ctypes; and the same words for the host, to test with."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtdehaze.core.errors import ProviderError

__all__ = ["Cuda", "Host", "Memory"]

Array = NDArray[Any]

_LIBRARIES = ("libcudart.so.13", "libcudart.so.12", "libcudart.so", "cudart64_13.dll", "cudart64_12.dll")
_TO_DEVICE, _TO_HOST, _ON_DEVICE = 1, 2, 3
"""cudaMemcpyKind."""
_NON_BLOCKING = 1
"""cudaStreamNonBlocking: does not wait for the default stream."""


class Memory(Protocol):
    """What the engine needs of a device."""

    name: str
    """ONNX Runtime's word for the device: `cuda` or `cpu`."""

    def pinned(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Room on the host that the device can copy from and to without a detour."""

    def room(self, size: int) -> int:
        """The address of `size` bytes on the device."""

    def stream(self) -> int:
        """A new stream, on which things happen one after the other."""

    def copy_in(self, address: int, source: Array, stream: int) -> None:
        """Begins to copy to the device."""

    def copy_out(self, target: Array, address: int, stream: int) -> None:
        """Begins to copy from the device."""

    def wait(self, stream: int) -> None:
        """Waits until all that was begun on the stream is done."""

    def close(self) -> None:
        """Gives everything back."""


class Cuda:
    """The first CUDA device.

    Raises:
        ProviderError: The CUDA runtime is not installed, or a call of it failed.
    """

    name = "cuda"

    def __init__(self) -> None:
        self._library = _load()
        self._rooms: list[int] = []
        self._pinned: list[int] = []
        self._streams: list[int] = []
        self._call("cudaSetDevice", 0)

    def pinned(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """Page-locked memory as an array."""
        size = int(np.prod(shape)) * dtype.itemsize
        address = ctypes.c_void_p()
        self._call("cudaHostAlloc", ctypes.byref(address), ctypes.c_size_t(size), 0)
        self._pinned.append(address.value or 0)
        content = (ctypes.c_uint8 * size).from_address(address.value or 0)
        return np.frombuffer(content, dtype).reshape(shape)

    def room(self, size: int) -> int:
        """Device memory."""
        address = ctypes.c_void_p()
        self._call("cudaMalloc", ctypes.byref(address), ctypes.c_size_t(size))
        self._rooms.append(address.value or 0)
        return address.value or 0

    def stream(self) -> int:
        """A stream of its own."""
        stream = ctypes.c_void_p()
        self._call("cudaStreamCreateWithFlags", ctypes.byref(stream), _NON_BLOCKING)
        self._streams.append(stream.value or 0)
        return stream.value or 0

    def copy_in(self, address: int, source: Array, stream: int) -> None:
        """Returns at once where the source is page-locked."""
        self._copy(address, source.ctypes.data, source.nbytes, _TO_DEVICE, stream)

    def copy_out(self, target: Array, address: int, stream: int) -> None:
        """Returns at once where the target is page-locked."""
        self._copy(target.ctypes.data, address, target.nbytes, _TO_HOST, stream)

    def copy_on(self, target: int, source: int, size: int, stream: int) -> None:
        """From device memory to device memory."""
        self._copy(target, source, size, _ON_DEVICE, stream)

    def wait(self, stream: int) -> None:
        """Blocks, the interpreter lock released."""
        self._call("cudaStreamSynchronize", ctypes.c_void_p(stream))

    def close(self) -> None:
        """Frees memory and streams."""
        for stream in self._streams:
            self._call("cudaStreamDestroy", ctypes.c_void_p(stream))
        for address in self._rooms:
            self._call("cudaFree", ctypes.c_void_p(address))
        for address in self._pinned:
            self._call("cudaFreeHost", ctypes.c_void_p(address))
        self._streams, self._rooms, self._pinned = [], [], []

    def _copy(self, target: int, source: int, size: int, kind: int, stream: int) -> None:
        places = ctypes.c_void_p(target), ctypes.c_void_p(source)
        self._call("cudaMemcpyAsync", *places, ctypes.c_size_t(size), kind, ctypes.c_void_p(stream))

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._library, name)(*arguments)
        if code != 0:
            self._library.cudaGetErrorString.restype = ctypes.c_char_p
            said = self._library.cudaGetErrorString(code).decode()
            raise ProviderError(f"{name} failed: {said} ({code}); check nvidia-smi for memory and driver")


def _load() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise ProviderError("the CUDA runtime (libcudart) was not found: pip install 'rtdehaze[cuda]'")


class Host:
    """The same on the processor, where every copy is done at once: to test the engine, and nothing else."""

    name = "cpu"

    def __init__(self) -> None:
        self._arrays: dict[int, Array] = {}

    def pinned(self, shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
        """An array."""
        return np.zeros(shape, dtype)

    def room(self, size: int) -> int:
        """The address of an array that is kept."""
        array = np.zeros(size, np.uint8)
        self._arrays[array.ctypes.data] = array
        return array.ctypes.data

    def stream(self) -> int:
        """There is but one."""
        return 0

    def copy_in(self, address: int, source: Array, stream: int) -> None:
        """Copies."""
        del stream
        self._arrays[address][: source.nbytes] = source.reshape(-1).view(np.uint8)

    def copy_out(self, target: Array, address: int, stream: int) -> None:
        """Copies."""
        del stream
        target.reshape(-1).view(np.uint8)[:] = self._arrays[address][: target.nbytes]

    def wait(self, stream: int) -> None:
        """Nothing is under way."""

    def close(self) -> None:
        """Lets the arrays go."""
        self._arrays.clear()
