"""A worker's metrics in Prometheus' text format.

    Vitals  --look----> gauges, and counts since the start
    Served  --observe-> histograms of time                    --page--> GET /metrics
    tokens  --count---> histograms of tokens

Where OpenTelemetry's conventions for generative AI have a metric, its name, labels and buckets are
theirs, spelled as Prometheus spells them: dots are underscores, the unit is a suffix.
"""

import time
from collections.abc import Callable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from cloud_worker.intake import Served
from cloud_worker.letters import Reason
from cloud_worker.models import Kind
from cloud_worker.vitals import Check, Lane, Vitals

KIND = "text/plain; version=0.0.4; charset=utf-8"
# open-telemetry/semantic-conventions-genai, docs/gen-ai/gen-ai-metrics.md, status Development
_SECONDS = tuple(0.01 * 2**power for power in range(14))  # 10 ms to 82 s
_TOKENS = tuple(float(4**power) for power in range(14))  # 1 to 67 million
_WHO = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model")
_EVENTS = {"broker_losses", "failed", "refused_by_broker", "store", "unsent"}  # told at 0 too
_REASONS = tuple(reason.value for reason in Reason)

Look = Callable[[], Vitals]
Checks = Callable[[], tuple[Check, ...]]


class WorkerMetrics:
    """Counts for a worker. May be used from any thread.

    Args:
        version: Of this program.
    """

    def __init__(self, version: str) -> None:
        # One more series for each of ours, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._version = version
        self._duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "Time that a model took for a question.",
            (*_WHO, "error_type"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of a question (input) and of its answer (output), where the model tells them.",
            (*_WHO, "gen_ai_token_type"),
            buckets=_TOKENS,
            registry=self._registry,
        )
        self._here = Histogram(
            "firstline_worker_question_duration_seconds",
            "Time from a question's acceptance to its reply.",
            ("model",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._waited = Histogram(
            "firstline_worker_queue_duration_seconds",
            "Time that a question waited for its engine.",
            ("model",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def watch(self, look: Look, checks: Checks) -> None:
        """From now on, tell also what a worker says of itself."""
        self._registry.register(_Told(self._version, look, checks))

    def observe(self, served: Served) -> None:
        """Count a question that a model had."""
        model = served.completer.model
        self._here.labels(model).observe(served.here_s)
        self._waited.labels(model).observe(served.waited_s)
        if served.reason is not Reason.LATE:  # no model was asked
            failed = "" if served.reason is Reason.ANSWERED else served.reason.value
            who = _who(served.completer.kind, model)
            self._duration.labels(*who, failed).observe(served.took_s)

    def count_tokens(self, kind: Kind, model: str, asked: int, said: int) -> None:
        """Count the tokens of a question and its answer."""
        self._tokens.labels(*_who(kind, model), "input").observe(asked)
        self._tokens.labels(*_who(kind, model), "output").observe(said)

    def page(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)


class _Told(Collector):
    """What a worker's vitals say, read at each look."""

    def __init__(self, version: str, look: Look, checks: Checks) -> None:
        self._version, self._look, self._checks = version, look, checks

    def collect(self) -> Iterator[Metric]:
        """See prometheus_client."""
        vitals = self._look()
        yield InfoMetricFamily("firstline_worker", "The program.", value={"version": self._version})
        yield from _lanes(vitals.lanes, time.monotonic())
        yield from _counts(vitals)
        ready = GaugeMetricFamily(
            "firstline_worker_ready", "Whether a check of /readyz passes.", labels=("check",)
        )
        for check in self._checks():
            ready.add_metric((check.name,), float(check.passed))
        yield ready
        yield GaugeMetricFamily(
            "firstline_worker_keys_end_timestamp_seconds",
            "Until when devices can seal to this worker's keys.",
            value=vitals.keys_end_s,
        )


def _lanes(lanes: tuple[Lane, ...], now_s: float) -> Iterator[Metric]:
    """Gauges for each model; two engines that serve one model count together."""
    gauges = {
        "backlog": "Accepted questions that wait for an engine.",
        "in_flight": "Questions that a model works on.",
        "capacity": "Questions accepted at most: waiting and worked on.",
        "oldest_age_seconds": "Age of the oldest question that is not answered.",
        "model_up": "Whether the model can answer, as far as is known.",
    }
    models = sorted({lane.model for lane in lanes})
    for name, words in gauges.items():
        family = GaugeMetricFamily(f"firstline_worker_{name}", words, labels=("model",))
        for model in models:
            ours = [lane for lane in lanes if lane.model == model]
            family.add_metric((model,), _gauge(name, ours, now_s))
        yield family


def _gauge(name: str, lanes: list[Lane], now_s: float) -> float:
    match name:
        case "backlog":
            return sum(lane.waiting for lane in lanes)
        case "in_flight":
            return sum(lane.working for lane in lanes)
        case "capacity":
            return sum(lane.capacity for lane in lanes)
        case "oldest_age_seconds":
            return max((now_s - lane.oldest_s for lane in lanes if lane.oldest_s), default=0.0)
        case _:
            return float(all(lane.ready for lane in lanes))


def _counts(vitals: Vitals) -> Iterator[Metric]:
    questions = CounterMetricFamily(
        "firstline_worker_questions", "Questions, by what became of them.", labels=("reason",)
    )
    for reason in _REASONS:
        questions.add_metric((reason,), vitals.counters.get(reason, 0))
    yield questions
    events = CounterMetricFamily(
        "firstline_worker_events", "What else a worker counts.", labels=("event",)
    )
    for event in sorted(_EVENTS | vitals.counters.keys() - set(_REASONS)):
        events.add_metric((event,), vitals.counters.get(event, 0))
    yield events


def _who(kind: Kind, model: str) -> tuple[str, str, str]:
    return kind.operation, kind.provider, model
