"""`python -m rtdehaze.synth.stills DIR --count N`: renders a training pack of still scenes."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

import cv2

from rtdehaze.core.errors import RtdehazeError, UsageError
from rtdehaze.synth.stills.pack import write_pack
from rtdehaze.synth.stills.render import KINDS

log = logging.getLogger("rtdehaze.synth")

_REPORT = 100  # scenes between two lines of progress


def _progress(done: int) -> None:
    if done % _REPORT == 0:
        log.info("%d scenes", done)


def main() -> int:
    """Writes the pack and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rtdehaze.synth.stills", description=__doc__)
    parser.add_argument("folder", type=Path, help="the pack to write")
    parser.add_argument("--count", type=int, default=2000, help="scenes; default %(default)s")
    parser.add_argument("--first", type=int, default=0, help="seed of the first scene; default %(default)s")
    parser.add_argument("--kinds", default="", help=f"of {','.join(KINDS)}; default a mixture of all")
    given = parser.parse_args()
    kinds = tuple(kind for kind in given.kinds.split(",") if kind)
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    cv2.setNumThreads(1)
    try:
        unknown = [kind for kind in kinds if kind not in KINDS]
        if unknown:
            raise UsageError(f"--kinds: {unknown[0]!r} is not one of {', '.join(KINDS)}")
        write_pack(given.folder, given.count, given.first, kinds, _progress)
    except RtdehazeError as error:
        log.error("error: %s", error)
        return error.exit_code
    except KeyboardInterrupt:
        log.error("stopped; the folder holds no index and is no pack")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
