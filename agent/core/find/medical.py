"""Numbers of patients, their records and cases: only behind a word for them."""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.behind import heads
from agent.stages import Span

_NUMBERED = (
    r"(?=[ _-]?(?:id|no|nr|number|num|num[e\u00e9]ro|identifier|n[\u00b0\u00ba]|\#)(?![a-z]))"
)
_HEADS = re.compile(
    rf"""
    (?P<record> mrn | medical[ ]record | health[ ]record | patient[ ]record | chi{_NUMBERED}
      | historia[ ]cl[i\u00ed]nica | nhc | cartella[ ]clinica | ipp )
  | (?P<patient> patient(?:en)?{_NUMBERED} | patienten-?nummer | pati(?:e|\u00eb)nt(?:en)?nummer
      | nhs{_NUMBERED} | medicare{_NUMBERED} | health[ ](?:card|insurance|plan){_NUMBERED}
      | insurance{_NUMBERED} | (?:kranken)?versicherten-?(?:nummer|nr\.?)
      | (?:num[e\u00e9]ro|n\u00famero)[ ]de[ ](?:patient|paciente|dossier|historia) )
  | (?P<case> (?:hospital|chart|case|admission|encounter|accession|visit){_NUMBERED}
      | accession | fall-?(?:nummer|nr\.?) )
    """,
    re.VERBOSE,
)
_VALUE = re.compile(
    r"(?=(?:[A-Za-z \-/.]{0,3}[0-9]){4})[A-Za-z]{0,5}[ \-/]?[0-9]"
    r"(?:[A-Za-z0-9]|[\-/.](?=[A-Za-z0-9])|[ ](?=[0-9]{3})){3,20}(?![A-Za-z0-9])"
)


def find_records(plain: str, lower: str, here: Iterable[str]) -> Iterator[Span]:
    """Find medical record numbers, patient ids and case numbers."""
    for kind, start, sure in heads(_HEADS, lower, here):
        value = _VALUE.match(plain, start)
        if value:
            yield Span(*value.span(), "MRN", 0.9 if sure else 0.7, f"behind a word for a {kind}")
