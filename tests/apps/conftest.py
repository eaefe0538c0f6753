from __future__ import annotations

import pytest

from rtdehaze.apps.bench import bench as benching
from rtdehaze.apps.bench.results import Bench
from tests.apps.bench_plans import small


@pytest.fixture(scope="session")
def found() -> Bench:
    return benching.bench(small(codecs=["none", "libx264:ultrafast"]))
