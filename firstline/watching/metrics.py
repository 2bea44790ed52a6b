"""A fleet's metrics in Prometheus' text format, read from what was heard at each look."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from firstline.heard import Standing
from firstline.watching.states import Pool, States

KIND = "text/plain; version=0.0.4; charset=utf-8"
_DEVICE = ("fleet", "device")
_POOL = ("fleet", "pool")


class FleetMetrics:
    """Metrics of what was heard. May be used from any thread.

    Args:
        states: What was heard.
        online: Whether the broker is there.
    """

    def __init__(self, states: States, online: Callable[[], bool]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Heard(states, online))

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Heard(Collector):
    def __init__(self, states: States, online: Callable[[], bool]) -> None:
        self._states, self._online = states, online

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        yield GaugeMetricFamily(
            "firstline_fleet_broker_up", "Whether the broker is there.", value=self._online()
        )
        yield from _devices(self._states.devices())
        yield from _pools(self._states.pools())
        refused = CounterMetricFamily(
            "firstline_fleet_refused", "What was heard and not taken.", labels=("reason",)
        )
        for reason, count in self._states.refused().items():
            refused.add_metric((reason,), count)
        yield refused


def _devices(standings: Iterable[Standing]) -> Iterator[Metric]:
    online = GaugeMetricFamily("firstline_device_online", "Whether it is there.", labels=_DEVICE)
    info = GaugeMetricFamily(
        "firstline_device_info", "The agent's version.", labels=(*_DEVICE, "version")
    )
    events = CounterMetricFamily(
        "firstline_device_events", "What it counted since its start.", labels=(*_DEVICE, "event")
    )
    for each in standings:
        place = (each.fleet, each.device)
        online.add_metric(place, each.online)
        info.add_metric((*place, each.version), 1)
        for name, count in each.counters.items():
            events.add_metric((*place, name), count)
    yield from (online, info, events)


def _pools(pools: dict[tuple[str, str], Pool]) -> Iterator[Metric]:
    workers = GaugeMetricFamily("firstline_pool_workers", "Workers there.", labels=_POOL)
    capacity = GaugeMetricFamily(
        "firstline_pool_capacity", "Questions that they take at once.", labels=_POOL
    )
    load = GaugeMetricFamily("firstline_pool_load", "Questions that they have now.", labels=_POOL)
    for place, pool in pools.items():
        workers.add_metric(place, pool.workers)
        capacity.add_metric(place, pool.capacity)
        load.add_metric(place, pool.load)
    yield from (workers, capacity, load)
