"""A benchmark that is over in a second."""

from __future__ import annotations

from rtdehaze.apps.bench.plan import Plan, make_plan


def small(**changes: object) -> Plan:
    words = {
        "sizes": ["96x64"],
        "models": ["cap"],
        "providers": ["cpu"],
        "codecs": ["none"],
        "seconds": 0.1,
        "rounds": 3,
    }
    return make_plan(**words | changes)
