"""Words beside a span that make it likelier, or less likely: applied once, by a table.

What a rule is sure of is left alone. What it half believes, a word before or behind decides:
"reach me at 374 780 163" and "order 374 780 163". Below `ENOUGH`, nothing is personal data.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from agent.core.find.words import words
from agent.stages import Span

ENOUGH = 0.5
_SURE = 0.8
_BETWEEN = " \t\n:.#"  # a word and what it is the name of: "Phone:\n467 3395"
_BEFORE = 40  # characters
_BEHIND = 24
_RAISE = 0.3
_NEAR = 0.15  # a word that only leads to something: "answering at"
_LOWER = 0.3
_NONE = words("")
_NAME = re.compile(r" [A-Z]")  # "at 9816 214 Main St"
_IN_PROSE = re.compile(r"(?<![=\[\]{}<>_|/#:0-9-])[a-z]+[,:]? $")
_PROSE_GOES_ON = re.compile(r"$|[.,;!?)\"']($|\s)| [a-z]+[ .,;!?]")
_WORDS = re.compile(r"[^\W\d_]+")
_LEADING = re.compile(
    r"(?<![^\W_])(?:at|to|me|us|is|on|number|home|office|work|registered|no\.?|nr\.?|:)"
    r"[: ]{1,2}[(+]?$"
)

PHONE_WORDS = words(
    "tel telephone telephones telefon telefono telefone phone phones telephonic mobile"
    " mobil cell cellphone cellular handy fax whatsapp signal sms tél téléphone teléfono"
    " celular móvil portable dial dialing dialling dialed dialled call calling called"
    " callback ring reach reached contact hotline landline desk pager nummer numéro número"
    " rufnummer message messages text texted answer answering voicemail"
)
"""What raises the score of a phone number."""
_RAISING = {
    "URL": words("visit website web site homepage domain url link browse webpage seite"),
    "PHONE": PHONE_WORDS,
    "SSN": words("ssn social security tax taxpayer itin ein soc sec"),
    "DATE": words(
        "date dates dob born birth birthday birthdate due since until expires expiry expiration"
        " on by datum le am"
    ),
    "CARD": words(
        "card cards visa mastercard amex maestro credit debit pan payment karte carte tarjeta"
    ),
}
_LOWERING = {
    "PHONE": words(
        "lot batch sku model item order orders invoice invoices ticket serial version v id ids"
        " pid pids uid port ports isbn code codes amount total price byte bytes size sizes"
        " offset block blocks line lines row rows part parts article ref reference account acct"
        " case claim policy tracking license licence passport seq address addr irq range value"
        " values reading readings rgb count"
    ),
    "CARD": words(
        "order orders invoice invoices ticket serial imei iccid tracking timestamp timestamps seq"
        " id ids blk block"
    ),
    "DATE": words("version v ver release firmware build score ratio port section"),
    "TIME": words("ratio score verse scale version"),
}


def weigh(plain: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Raise and lower scores by the nearest word beside; leave out what is then too unlikely."""
    for span in spans:
        score = span.score if span.score >= _SURE else _weighed(plain, span)
        if score >= ENOUGH:
            yield span if score == span.score else replace(span, score=score)


def _weighed(plain: str, span: Span) -> float:
    raising = _RAISING.get(span.label, _NONE)
    lowering = _LOWERING.get(span.label, _NONE)
    if not raising and not lowering:
        return span.score
    before = plain[max(0, span.start - _BEFORE) : span.start].lower()
    behind = plain[span.end : span.end + _BEHIND]
    for word in [*reversed(_WORDS.findall(before)), *_WORDS.findall(behind.lower())]:
        if word in raising:
            raised = round(min(1.0, span.score + _RAISE), 2)
            return max(_SURE, raised) if before.rstrip(_BETWEEN).endswith(word) else raised
        if word in lowering:
            return round(max(0.0, span.score - _LOWER), 2)
    if span.rule == "groups" and _IN_PROSE.search(before) and _PROSE_GOES_ON.match(behind):
        return ENOUGH
    alone = span.rule == "groups" and (span.start, span.end) == (0, len(plain))
    leading = _LEADING.search(before) and not _NAME.match(behind)
    if span.label == "PHONE" and (leading or alone):
        return round(span.score + _NEAR, 2)
    return span.score
