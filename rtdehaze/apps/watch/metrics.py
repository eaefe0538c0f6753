"""A live run's state in Prometheus' words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

import rtdehaze
from rtdehaze.apps.watch.worker import Worker
from rtdehaze.core.live import OutletState, OutletStatus
from rtdehaze.core.watch import LiveStatus

__all__ = ["Readings", "registry_of"]

Readings = Callable[[], Mapping[str, float]]
"""The last frame's quantities by name; empty before the first."""

Labelled = Iterable[tuple[tuple[str, ...], float]]

_QUANTILES = {"p50_ms": "0.5", "p95_ms": "0.95", "p99_ms": "0.99", "p50": "0.5", "p95": "0.95", "p99": "0.99"}


def registry_of(
    status: Callable[[], LiveStatus | None], readings: Readings, workers: Callable[[], Sequence[Worker[object]]]
) -> CollectorRegistry:
    """Returns a registry of its own for one run; several runs in a process do not mix.

    Args:
        status: The run's state when it is asked; None before there is a run.
        readings: What the last frame's haze was.
        workers: Those of the watch, for what they dropped.
    """
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_RunCollector(status, readings, workers))
    return registry


class _RunCollector(Collector):
    """Makes the metrics at the moment that they are asked for: nothing is kept, nothing is counted twice."""

    def __init__(
        self,
        status: Callable[[], LiveStatus | None],
        readings: Readings,
        workers: Callable[[], Sequence[Worker[object]]],
    ) -> None:
        self._status, self._readings, self._workers = status, readings, workers

    def describe(self) -> Iterable[Metric]:
        """Nothing is known before the first question."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yields one family after the other."""
        yield _gauge("info", "The program.", ("version",), [((rtdehaze.__version__,), 1)])
        for name, number in self._readings().items():
            if name in _OF_A_FRAME:
                yield _gauge(_OF_A_FRAME[name][0], _OF_A_FRAME[name][1], (), [((), number)])
        dropped: Counter[tuple[str, ...]] = Counter()
        for worker in self._workers():
            dropped[worker.name,] += worker.dropped  # there may be several commands
        yield _counter("watch_dropped", "What an observer could not take or deliver.", ("observer",), dropped.items())
        status = self._status()
        if status is not None:
            yield from _of_the_run(status)
            yield from _of_the_times(status)
            yield from _of_the_outlets(status.outlets)


_OF_A_FRAME = {
    "visibility": ("visibility_index", "Estimated visibility of the last frame, 0 to 1, logarithmic."),
    "visibility_m": ("visibility_metres", "Estimated meteorological optical range of the last frame."),
    "transmission": ("transmission", "Median transmission of the last frame, 0 to 1."),
    "brightness": ("brightness", "Mean brightness of the last frame before dehazing, 0 to 1."),
}


def _of_the_run(status: LiveStatus) -> Iterator[Metric]:
    yield _gauge("run_seconds", "Since the run began.", (), [((), status.seconds)])
    yield _counter("frames_in", "Frames that arrived and were decoded.", (), [((), status.frames_in)])
    yield _counter("frames_out", "Frames handed to the outputs, fillers left out.", (), [((), status.frames_out)])
    yield _counter("frames_filler", "Frames made up while the source was away.", (), [((), status.fillers)])
    yield _counter(
        "frames_dropped", "Frames that came in and did not go out.", ("reason",),
        [((reason,), count) for reason, count in status.dropped.items()],
    )  # fmt: skip
    yield _gauge("frames_under_way", "Frames between source and outputs now.", (), [((), status.under_way)])
    yield _gauge("silent_seconds", "Since the last frame went out, fillers left out.", (), [((), status.silent)])
    yield _gauge("source_connected", "1 while the source is there.", (), [((), status.connected)])
    yield _counter("source_reconnects", "Times that the source came back.", (), [((), status.reconnects)])
    yield _gauge("estimate_every", "The haze of every n-th frame is estimated.", (), [((), status.every)])
    if status.density is not None:
        yield _gauge("density", "Haze density of the last frame, 0 (clear) to 1.", (), [((), status.density)])
    if status.profile is not None:
        yield _gauge("profile", "1 for the present profile.", ("profile",), [((status.profile,), 1)])


def _of_the_times(status: LiveStatus) -> Iterator[Metric]:
    quantile = ("quantile",)
    yield _gauge("frame_age_seconds", "Arrival to encoded, over the run.", quantile, _seconds(status.age_ms))
    yield _gauge("added_latency_seconds", "Decoded to encoder, over the run.", quantile, _seconds(status.added_ms))
    times = [((stage, *key), value) for stage, of in status.stages.items() for key, value in _seconds(of)]
    yield _gauge("stage_seconds", "Work of a stage on a frame, over the run.", ("stage", *quantile), times)
    totals = [((stage,), of.get("total_s", 0.0)) for stage, of in status.stages.items()]
    yield _counter("stage_work_seconds", "Work of a stage in all.", ("stage",), totals)
    counts = [((stage,), of.get("count", 0.0)) for stage, of in status.stages.items()]
    yield _counter("stage_frames", "Frames that a stage has worked on.", ("stage",), counts)


def _of_the_outlets(outlets: Sequence[OutletStatus]) -> Iterator[Metric]:
    # By number, too: two outputs may read the same once their credentials are taken out.
    labels = ("outlet", "location")
    keys = [(str(number), outlet.location) for number, outlet in enumerate(outlets)]

    def each(value: Callable[[OutletStatus], float]) -> Labelled:
        return [(key, value(outlet)) for key, outlet in zip(keys, outlets, strict=True)]

    up = each(lambda outlet: outlet.state is OutletState.RUNNING)
    yield _gauge("outlet_up", "1 while the output takes frames.", labels, up)
    yield _counter("outlet_frames", "Frames written to the output.", labels, each(lambda outlet: outlet.frames))
    yield _counter("outlet_dropped", "Frames not written to the output.", labels, each(lambda outlet: outlet.dropped))
    yield _counter("outlet_restarts", "Times the output was opened anew.", labels, each(lambda outlet: outlet.restarts))


def _seconds(milliseconds: Mapping[str, float]) -> list[tuple[tuple[str, ...], float]]:
    return [((_QUANTILES[name],), value / 1e3) for name, value in milliseconds.items() if name in _QUANTILES]


def _gauge(name: str, text: str, labels: Sequence[str], values: Labelled) -> Metric:
    family = GaugeMetricFamily(f"rtdehaze_{name}", text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family


def _counter(name: str, text: str, labels: Sequence[str], values: Labelled) -> Metric:
    family = CounterMetricFamily(f"rtdehaze_{name}", text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    return family
