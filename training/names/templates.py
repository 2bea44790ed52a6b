r"""Templates of sentences, and what their slots stand for.

One template a line; `\n` and `\t` are a line break and a tab, `[[a|b|]]` is one of its parts.
`{slot}` is a value; the same slot with the same number is the same value again: `{person1}` and
`{last_name1}` are one person. A brace that holds no slot's name is a brace, so JSON needs no care.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "templates"
NEGATIVE = "negative"  # a theme so named holds nothing personal

# What a slot's value is called once found; None is a value that nobody has to hide.
LABELS: dict[str, str | None] = {
    **dict.fromkeys(("name", "person", "first_name", "last_name", "last_first"), "PERSON"),
    **dict.fromkeys(("initials", "initialled"), "PERSON"),
    **dict.fromkeys(("city", "country", "region", "location"), "LOCATION"),
    **dict.fromkeys(("org", "brand"), "ORG"),
    **dict.fromkeys(
        ("address", "address_line", "address_block", "street", "street_name"), "ADDRESS"
    ),
    **dict.fromkeys(("building", "unit", "po_box", "military", "address_postcode"), "ADDRESS"),
    **dict.fromkeys(("person_title", "job"), "TITLE"),
    **dict.fromkeys(("nationality", "group", "religion"), "GROUP"),
    **dict.fromkeys(("date", "year", "month_year", "datetime"), "DATE"),
    **dict.fromkeys(("time", "weekday", "relative_day"), "TIME"),
    **dict.fromkeys(("ssn",), "SSN"),
    **dict.fromkeys(("national_id", "passport"), "NATIONAL_ID"),
    "age": "AGE",
    "card": "CARD",
    "crypto": "CRYPTO",
    "driver_license": "DRIVER_LICENSE",
    "email": "EMAIL",
    "gps": "GPS",
    "iban": "IBAN",
    "iccid": "ICCID",
    "imei": "IMEI",
    "ip": "IP",
    "mac": "MAC",
    "mrn": "MRN",
    "phone": "PHONE",
    "plate": "PLATE",
    "postcode": "POSTCODE",
    "secret": "SECRET",
    "serial": "SERIAL",
    "url": "URL",
    "vin": "VIN",
    **dict.fromkeys(
        ("adjective", "amount", "animal", "code", "colour", "device", "drug", "event", "file"), None
    ),
    **dict.fromkeys(("food", "handle", "hashtag", "illness", "number", "order", "percent"), None),
    **dict.fromkeys(("plural", "product", "room", "sport", "subject", "thing"), None),
    **dict.fromkeys(("version", "work"), None),
}
PERSONAL = frozenset(slot for slot, label in LABELS.items() if label)

Choose = Callable[[list[str]], str]

_SLOT = re.compile(r"\{([a-z_]+?)([0-9]*)\}")
_CHOICE = re.compile(r"\[\[((?:(?!\[\[|\]\]).)*)\]\]", re.DOTALL)


class TemplateError(ValueError):
    """A template asks for what there is not; the message says where."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value; `number` tells which one, None is one of its own."""

    name: str
    number: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """One line of a theme: `identity` is `theme:line`."""

    identity: str
    text: str

    @property
    def is_negative(self) -> bool:
        """Tell whether its theme holds nothing personal."""
        return self.identity.startswith(NEGATIVE)


def read_templates(folder: Path = FOLDER) -> list[Template]:
    """Read every theme of a folder.

    Raises:
        TemplateError: a slot is unknown, or a negative theme holds something personal.
    """
    found: list[Template] = []
    for theme in sorted(folder.glob("*.txt")):
        for number, line in enumerate(theme.read_text(encoding="utf-8").splitlines(), start=1):
            if line.strip():
                found.append(_checked(Template(f"{theme.stem}:{number}", line)))
    return found


def chosen(text: str, choose: Choose) -> str:
    """Settle every `[[a|b]]`, the innermost first, and the escapes."""
    while (match := _CHOICE.search(text)) is not None:
        text = text[: match.start()] + choose(match[1].split("|")) + text[match.end() :]
    return text.replace("\\n", "\n").replace("\\t", "\t")


def parts(text: str) -> Iterator[str | Slot]:
    """Cut a text into what stays and what is filled in."""
    last = 0
    for match in _SLOT.finditer(text):
        if match.start() > last:
            yield text[last : match.start()]
        yield Slot(match[1], match[2] or None)
        last = match.end()
    if last < len(text):
        yield text[last:]


def _checked(template: Template) -> Template:
    for match in _SLOT.finditer(template.text):
        if match[1] not in LABELS:
            raise TemplateError(f"{template.identity}: no slot is called {match[1]!r}")
        if template.is_negative and match[1] in PERSONAL:
            raise TemplateError(f"{template.identity}: {match[1]!r} is personal")
    if template.text.count("[[") != template.text.count("]]"):
        raise TemplateError(f"{template.identity}: [[ and ]] do not pair")
    return template
