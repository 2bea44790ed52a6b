"""Personal data in a text, found by rules: what, where, how sure, by which rule.

    text --fold--> plain --EMAIL, URL, IBAN, IP, MAC, secrets, devices, places--> rest
        --DATE, TIME--> rest --CARD--> rest --SSN--> rest --PHONE--> context.weigh
        --> overlap.settle

`plain` has the text's length, so a span of the one is a span of the other. In `rest`, what is
already explained is blanked out, so that a looser rule cannot read it again. Every rule takes
time in proportion to the text, whatever the text is.
"""

import re

from agent.core.find.address import find_addresses
from agent.core.find.bank import find_cards, find_ibans
from agent.core.find.calendar import find_calendar
from agent.core.find.coin import find_coins
from agent.core.find.context import weigh
from agent.core.find.credential import find_credentials, find_private_keys
from agent.core.find.date import find_dates
from agent.core.find.device import find_checked_devices
from agent.core.find.email import find_emails
from agent.core.find.fold import blank, fold, without_uuids
from agent.core.find.gps import find_positions
from agent.core.find.look import look
from agent.core.find.national import find_lettered_ids, find_national_ids
from agent.core.find.overlap import settle
from agent.core.find.phone import find_phones
from agent.core.find.plate import find_plates
from agent.core.find.postcode import find_postcodes
from agent.core.find.trigger import find_by_words
from agent.core.find.url import find_urls
from agent.stages import FindSpans, Span

__all__ = ["find", "find_with"]

_DIGIT_PAIR = re.compile(r"[0-9][-/.: ]?[0-9aph]")
# The fewest digits of a card or a phone number, with what may stand between two of them.
_ENOUGH_DIGITS = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,4}[0-9]){6}")

_OF_THINGS = (
    find_credentials,
    find_private_keys,
    find_coins,
    find_positions,
    find_checked_devices,
    find_plates,
    find_postcodes,
    find_lettered_ids,
)


def find(text: str) -> tuple[Span, ...]:
    """Find what the rules know: sorted spans that do not overlap."""
    return settle(text, _by_rule(text))


def find_with(*more: FindSpans) -> FindSpans:
    """Make a `find` that asks the rules and others too, such as a model of names."""

    def find_all(text: str) -> tuple[Span, ...]:
        others = (span for finder in more for span in finder(text))
        return settle(text, [*_by_rule(text), *others])

    return find_all


def _by_rule(text: str) -> list[Span]:
    plain = fold(text)
    seen = look(plain)
    spans = [
        *find_emails(plain),
        *find_urls(plain),
        *find_ibans(plain),
        *find_addresses(plain),
        *find_calendar(seen),
        *find_by_words(seen),
        *(span for finder in _OF_THINGS for span in finder(plain)),
    ]
    if _DIGIT_PAIR.search(plain):
        rest = without_uuids(blank(plain, spans))
        dates = list(find_dates(rest))
        spans += dates
        if _ENOUGH_DIGITS.search(plain):
            rest = blank(rest, dates)
            cards = list(find_cards(rest))
            rest = blank(rest, cards)
            ids = list(find_national_ids(rest))
            spans += [*cards, *ids]
            spans += find_phones(blank(rest, ids), seen.present)
    return list(weigh(plain, spans))
