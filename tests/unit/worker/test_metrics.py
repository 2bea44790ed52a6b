"""What /metrics says, read by the library's own parser."""

import time

import pytest

pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families

from cloud_worker.intake import Served
from cloud_worker.letters import Reason
from cloud_worker.metrics import WorkerMetrics
from cloud_worker.models import Engine, Kind, echo
from cloud_worker.vitals import GOOD, Check, Lane, Vitals
from tests.unit.docs.metrics_rows import exposed, told
from tests.unit.docs.pages import README

KIND = Kind("chat", "openai")
ENGINE = Engine("large", echo().complete, kind=KIND)
LANE = Lane(model="large", capacity=68, waiting=3, working=4, oldest_s=None, ready=True)
FAR = Lane(model="far", capacity=10, waiting=0, working=0, oldest_s=None, ready=False)
Sample = tuple[str, tuple[tuple[str, str], ...]]


def watched(*lanes: Lane, **counters: int) -> WorkerMetrics:
    vitals = Vitals(
        beat_s=0.0,
        broker=GOOD,
        stopping=False,
        keys_end_s=1_800_000_000.0,
        lanes=lanes,
        counters=counters,
    )
    made = WorkerMetrics("1.2.3")
    made.watch(lambda: vitals, lambda: (Check("loop", GOOD), Check("broker", "gone")))
    return made


def served(reason: Reason = Reason.ANSWERED) -> Served:
    return Served(completer=ENGINE, reason=reason, waited_s=0.3, took_s=2.0, here_s=2.5)


def samples(made: WorkerMetrics) -> dict[Sample, float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(made.page().decode())
        for sample in family.samples
    }


def test_two_engines_of_one_model_count_together_and_each_other_by_itself() -> None:
    page = samples(watched(LANE, LANE, FAR))

    assert {
        name: page[f"firstline_worker_{name}", (("model", "large"),)]
        for name in ("backlog", "in_flight", "capacity", "model_up")
    } == {"backlog": 6, "in_flight": 8, "capacity": 136, "model_up": 1}
    assert page["firstline_worker_model_up", (("model", "far"),)] == 0


def test_the_oldest_question_grows_older_though_the_loop_says_nothing_new() -> None:
    since_s = time.monotonic() - 5.0
    lane = Lane(model="m", capacity=1, waiting=1, working=0, oldest_s=since_s, ready=True)

    made = watched(lane)
    name: Sample = ("firstline_worker_oldest_age_seconds", (("model", "m"),))
    first, second = samples(made)[name], samples(made)[name]

    assert 5.0 <= first <= second


def test_each_question_is_counted_by_what_became_of_it_and_all_else_as_events() -> None:
    page = samples(watched(answered=7, busy=2, broker_losses=1))

    questions = {
        dict(labels)["reason"]: value
        for (name, labels), value in page.items()
        if name == "firstline_worker_questions_total"
    }
    assert questions == dict.fromkeys(map(str, Reason), 0) | {"answered": 7, "busy": 2}
    assert page["firstline_worker_events_total", (("event", "broker_losses"),)] == 1


def test_checks_are_told_one_by_one() -> None:
    page = samples(watched())

    assert page["firstline_worker_ready", (("check", "loop"),)] == 1
    assert page["firstline_worker_ready", (("check", "broker"),)] == 0


WHO = (
    ("gen_ai_operation_name", "chat"),
    ("gen_ai_provider_name", "openai"),
    ("gen_ai_request_model", "large"),
)


def labelled(name: str, *more: tuple[str, str]) -> Sample:
    return name, tuple(sorted((*WHO, *more)))


@pytest.mark.parametrize(
    ("reason", "error"), [(Reason.ANSWERED, ""), (Reason.SATURATED, "saturated")]
)
def test_a_models_time_has_the_conventions_name_labels_and_buckets(
    reason: Reason, error: str
) -> None:
    made = watched()
    made.observe(served(reason))

    page = samples(made)

    duration = "gen_ai_client_operation_duration_seconds"
    assert page[labelled(f"{duration}_sum", ("error_type", error))] == 2.0
    bounds = buckets(page, duration)
    assert bounds[:3] == [0.01, 0.02, 0.04]
    assert bounds[-2:] == [81.92, float("inf")]
    assert page["firstline_worker_queue_duration_seconds_sum", (("model", "large"),)] == 0.3
    assert page["firstline_worker_question_duration_seconds_sum", (("model", "large"),)] == 2.5


def test_a_question_that_no_model_had_time_for_is_no_time_of_a_model() -> None:
    made = watched()
    made.observe(served(Reason.LATE))

    assert not [name for name, _ in samples(made) if name.startswith("gen_ai")]


def test_tokens_are_told_by_where_they_were() -> None:
    made = watched()
    made.count_tokens(KIND, "large", 100, 7)
    made.count_tokens(KIND, "large", 50, 8)

    page = samples(made)

    tokens = "gen_ai_client_token_usage"
    assert page[labelled(f"{tokens}_sum", ("gen_ai_token_type", "input"))] == 150
    assert page[labelled(f"{tokens}_sum", ("gen_ai_token_type", "output"))] == 15
    assert buckets(page, tokens)[:3] == [1, 4, 16]


def test_every_metric_of_a_worker_is_in_the_readme_with_its_type_and_its_labels() -> None:
    made = watched(LANE, broker_losses=1)
    made.observe(served())
    made.count_tokens(KIND, "large", 1, 1)

    assert told(README, "### Watching a worker") == exposed(made.page().decode())


def buckets(page: dict[Sample, float], name: str) -> list[float]:
    """The upper bounds of a histogram."""
    inside = (dict(labels)["le"] for each, labels in page if each == f"{name}_bucket")
    return sorted({float(bound) for bound in inside})
