"""A foreign model's first run, in a process of its own with limits: `python -m rtdehaze.stages.estimate.trial PATH`.

A graph of some hundred bytes can ask for a terabyte or loop for ever, and a broken one can crash the runtime. There it
ends a child; here it would end the program. Shipped models, whose checksum is known, are spared the half second.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from rtdehaze.core.errors import ModelError, RtdehazeError

__all__ = ["try_apart"]

MEMORY = 4 * 2**30
"""Bytes of address space that a model may take with all libraries; a thumbnail's worth of work needs a tenth."""

PATIENCE = 60.0
"""Seconds for start, loading and one picture, on a busy machine."""


def try_apart(path: Path) -> None:
    """Opens a model on the CPU and runs a test picture, in another process.

    Raises:
        ModelError: The model was refused, crashed, or took more memory or time than a model may.
    """
    if not sys.executable:
        return
    command = [sys.executable, "-m", "rtdehaze.stages.estimate.trial", str(path)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"{path}: did not answer a test picture within {PATIENCE:.0f} s: refused") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be tried in a process of its own: {error.strerror}") from error
    if answer.returncode == 0:
        return
    said = answer.stdout.strip().splitlines()
    if answer.returncode == ModelError.exit_code and said:
        raise ModelError(said[-1])
    raise ModelError(f"{path}: crashed in its first run (exit {answer.returncode}), or wants over {MEMORY >> 30} GiB")


def _limit_memory() -> None:
    # Windows has no such limits; there the time limit alone holds.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


def _main(path: str) -> int:
    _limit_memory()
    try:
        from rtdehaze.stages.estimate.canary import check_answers
        from rtdehaze.stages.estimate.contract import Network, resolve_card
        from rtdehaze.stages.estimate.models import load_model
        from rtdehaze.stages.estimate.session import open_session

        model = load_model(path)
        session = open_session(model, "cpu")
        check_answers(Network(resolve_card(model, session), session))
    except RtdehazeError as error:
        print(error)  # noqa: T201 - its parent reads it
        return ModelError.exit_code
    except MemoryError:
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
