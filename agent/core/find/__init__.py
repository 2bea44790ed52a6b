"""Personal data in a text, found by rules: what, where, how sure, by which rule.

    text --fold--> plain --EMAIL, IBAN, IP, MAC--> rest --CARD--> rest --PHONE--> overlap.settle

`plain` has the text's length, so a span of the one is a span of the other. In `rest`, what is
already explained is blanked out, so that a looser rule cannot read it again. Every rule takes
time in proportion to the text, whatever the text is.
"""

import re

from agent.core.find.address import find_addresses
from agent.core.find.bank import find_cards, find_ibans
from agent.core.find.email import find_emails
from agent.core.find.fold import blank, fold
from agent.core.find.overlap import settle
from agent.core.find.phone import find_phones
from agent.stages import Span

__all__ = ["find"]

# The fewest digits of a card or a phone number, with what may stand between two of them.
_ENOUGH_DIGITS = re.compile(r"[0-9](?:[^0-9A-Za-z]{0,4}[0-9]){6}")


def find(text: str) -> tuple[Span, ...]:
    """Find e-mail, phone, card, IBAN, IP and MAC: sorted spans that do not overlap."""
    plain = fold(text)
    spans = [*find_emails(plain), *find_ibans(plain), *find_addresses(plain)]
    if _ENOUGH_DIGITS.search(plain):
        rest = blank(plain, spans)
        cards = list(find_cards(rest))
        spans += cards
        spans += find_phones(blank(rest, cards))
    return settle(spans)
