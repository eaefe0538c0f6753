"""How much of a virtual machine's processor time went to other machines on its host while something was measured."""

from __future__ import annotations

from pathlib import Path

__all__ = ["StolenTime"]

_STAT = Path("/proc/stat")
_WAITING = 3, 4
"""Places of idle time and of waiting for disks in the line of all processors."""
_STOLEN = 7


class StolenTime:
    """Counts from its making on. Figures of a machine that got half of its time are figures of half a machine."""

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self._begin = self._ticks()

    def share(self) -> float | None:
        """Returns the share in [0, 1] of the time wanted that was not given; None where the system does not tell."""
        end = self._ticks()
        if self._begin is None or end is None:
            return None
        stolen, wanted = (after - before for before, after in zip(self._begin, end, strict=True))
        return round(stolen / wanted, 3) if wanted > 0 else 0.0

    def _ticks(self) -> tuple[int, int] | None:
        """Time stolen, and time wanted: all but idling and waiting."""
        try:
            name, *counts = self._stat.read_text(encoding="ascii").splitlines()[0].split()
            ticks = [int(count) for count in counts[: _STOLEN + 1]]
        except (OSError, ValueError, IndexError):
            return None
        if name != "cpu" or len(ticks) <= _STOLEN:
            return None
        return ticks[_STOLEN], sum(ticks) - sum(ticks[place] for place in _WAITING)
