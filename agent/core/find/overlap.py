"""Spans that overlap -> sorted, disjoint spans that together cover the same characters.

Spans that overlap become one that covers them all, because a character that any rule called
personal must not stay. It is named by the best of them: by precedence of label, then the
higher score, then the longer one.
"""

from collections.abc import Iterable

from agent.stages import Span

# A form with a check or a fixed shape before one without; the wider before what it may hold.
PRECEDENCE = ("EMAIL", "IBAN", "CARD", "IP", "MAC", "PHONE")


def settle(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Merge what overlaps; spans that only touch stay apart."""
    settled: list[Span] = []
    cluster: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if cluster and span.start >= end:
            settled.append(_merge(cluster))
            cluster = []
        end = max(end, span.end) if cluster else span.end
        cluster.append(span)
    if cluster:
        settled.append(_merge(cluster))
    return tuple(settled)


def _merge(cluster: list[Span]) -> Span:
    best = min(cluster, key=_rank)
    end = max(span.end for span in cluster)
    return Span(cluster[0].start, end, best.label, best.score, best.rule)


def _rank(span: Span) -> tuple[int, float, int]:
    known = span.label in PRECEDENCE
    place = PRECEDENCE.index(span.label) if known else len(PRECEDENCE)
    return place, -span.score, span.start - span.end
