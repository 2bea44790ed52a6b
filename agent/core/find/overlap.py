"""Spans that overlap -> sorted, disjoint spans that together cover the same letters and digits.

A character that any rule called personal must not stay. The best of an overlap keeps its borders;
of another, what lies outside of it stays a span of its own:

    PERSON "Ann 415-555-0123"  +  PHONE "415-555-0123"  ->  PERSON "Ann", PHONE "415-555-0123"

What is sure comes before what is not, then a form with a check before one without and the wider
before what it may hold (but a town in an address stays one), then the higher score, then the
longer one. The winner names what it won against in its `over`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.stages import Span

SURE = 0.8  # a score from here on is not weighed against another
PRECEDENCE = (
    *("URL", "SECRET", "EMAIL", "IBAN", "CRYPTO", "CARD", "IP", "MAC", "GPS", "VIN", "IMEI"),
    *("ICCID", "SSN", "NATIONAL_ID", "DRIVER_LICENSE", "MRN", "SERIAL", "PLATE", "PHONE"),
    *("DATE", "TIME", "LOCATION", "ADDRESS", "POSTCODE", "PERSON", "ORG", "TITLE", "GROUP", "AGE"),
)
_PLACES = {label: place for place, label in enumerate(PRECEDENCE)}


def settle(text: str, spans: Iterable[Span]) -> tuple[Span, ...]:
    """Part what overlaps; spans of one label become one, spans that only touch stay apart."""
    settled: list[Span] = []
    cluster: list[Span] = []
    end = 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if cluster and span.start >= end:
            settled += _parted(text, cluster) if len(cluster) > 1 else cluster
            cluster = []
        end = max(end, span.end) if cluster else span.end
        cluster.append(span)
    settled += _parted(text, cluster) if len(cluster) > 1 else cluster
    return tuple(settled)


def _parted(text: str, cluster: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for span in sorted(_united(cluster), key=_rank):
        kept += list(_outside(text, span, kept))
    return sorted(kept, key=lambda span: span.start)


def _united(cluster: list[Span]) -> Iterator[Span]:
    """Join overlapping spans of one label, under the best of them; they are sorted."""
    open_spans: dict[str, Span] = {}
    for span in cluster:
        other = open_spans.get(span.label)
        if other is None or span.start >= other.end:
            if other is not None:
                yield other
            open_spans[span.label] = span
        else:
            best, lost = sorted((other, span), key=_rank)
            end = max(other.end, span.end)
            over = (*best.over, lost)
            open_spans[span.label] = replace(best, start=other.start, end=end, over=over)
    yield from open_spans.values()


def _outside(text: str, span: Span, kept: list[Span]) -> Iterator[Span]:
    """Give what is left of a span beside better ones, and tell those what they won against."""
    pieces = [(span.start, span.end)]
    for place, better in enumerate(kept):
        if better.start < span.end and span.start < better.end:
            kept[place] = replace(better, over=(*better.over, span))
            pieces = [
                piece
                for start, end in pieces
                for piece in ((start, min(end, better.start)), (max(start, better.end), end))
                if piece[0] < piece[1]
            ]
    if pieces == [(span.start, span.end)]:
        yield span
        return
    for start, end in pieces:
        shown = [place for place in range(start, end) if text[place].isalnum()]
        if shown:
            yield replace(span, start=shown[0], end=shown[-1] + 1)


def _rank(span: Span) -> tuple[bool, int, float, int]:
    return (
        span.score < SURE,
        _PLACES.get(span.label, len(PRECEDENCE)),
        -span.score,
        span.start - span.end,
    )
