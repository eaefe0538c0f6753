"""Real-time video dehazing: haze estimated on a thumbnail, removed at full resolution.

`Dehazer` takes pictures one by one, `transcode` whole files, `watch` live sources. The heavy libraries are imported
when one of them is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtdehaze.core.errors import RtdehazeError
    from rtdehaze.core.haze import Haze
    from rtdehaze.core.live import LiveOptions
    from rtdehaze.core.options import Options
    from rtdehaze.pipeline.dehazer import Dehazer
    from rtdehaze.pipeline.live.report import LiveReport
    from rtdehaze.pipeline.live.watch import watch
    from rtdehaze.pipeline.report import Report
    from rtdehaze.pipeline.transcode import transcode

__version__ = "0.1.0"

__all__ = [
    "Dehazer",
    "Haze",
    "LiveOptions",
    "LiveReport",
    "Options",
    "Report",
    "RtdehazeError",
    "__version__",
    "transcode",
    "watch",
]

_HOMES = {
    "Dehazer": "rtdehaze.pipeline.dehazer",
    "Haze": "rtdehaze.core.haze",
    "LiveOptions": "rtdehaze.core.live",
    "LiveReport": "rtdehaze.pipeline.live.report",
    "Options": "rtdehaze.core.options",
    "Report": "rtdehaze.pipeline.report",
    "RtdehazeError": "rtdehaze.core.errors",
    "transcode": "rtdehaze.pipeline.transcode",
    "watch": "rtdehaze.pipeline.live.watch",
}


def __getattr__(name: str) -> Any:
    """Imports a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Lists the public names."""
    return sorted(__all__)
