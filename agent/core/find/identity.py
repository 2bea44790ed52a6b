"""Identity, tax and social security numbers, passports, driver licences: behind their word."""

import re
from collections.abc import Iterable, Iterator

from agent.core.find.behind import heads
from agent.stages import Span

_NUMBERED = r"(?=[ _-]?(?:ids?|no|nr|numbers?|num|n[úu]mero|identification|code|\#)(?![a-z]))"
_HEADS = re.compile(
    rf"""
    (?P<licence> driv(?:er|ing)(?:'?s'?)?[ _-]licen[cs]es? | driver(?:'?s'?)?[ ](?:permit|id)
      | licen[cs]e{_NUMBERED} | f[üu]hrerschein(?:nummer|nr)? | permis[ ]de[ ]conduire
      | (?:permiso|carn[eé])[ ]de[ ]conducir | patente | rijbewijs(?:nummer)? | k[öo]rkort
      | prawo[ ]jazdy | dln? (?=[ ]?[:\#]) )
  | (?P<ssn> ssn | social[ _-]security(?:[ _-](?:card|num(?:ber)?|no\.?|nr))? | itin
      | soc\.?[ ]sec )
  | (?P<identity> national[ _-](?:id|identity|insurance|identification)(?:[ _-]card)?
      | identity[ ]card | identity{_NUMBERED} | identification{_NUMBERED}
      | (?:personal|citizen|government|state)[ _-]id(?:entity)? | id[ ]card | nino
      | tax(?:payer)?[ _-]?(?:id(?:entification)?|{_NUMBERED}) | tin (?=[ ]?[:\#]) | passport
      | steuer-?(?:identifikationsnummer|id(?:nr)?|nummer) | sozialversicherungs-?(?:nummer|nr)
      | svnr | ahv(?:-?nummer|-?nr)? | (?:personal)?ausweis(?:nummer|nr)? | reisepass(?:nummer|nr)?
      | s[eé]curit[eé][ ]sociale | nir (?=[ ]?[:\#]) | passeport | carte[ ]d'identit[eé]
      | dni | nie (?=[ ]?[:\#]) | nif | pasaporte | codice[ ]fiscale | cod\.?[ ]fisc | passaporto
      | bsn | burgerservicenummer | rijksregister(?:nummer)? | paspoort(?:nummer)? | niss
      | insz
      | pesel | personnummer | samordningsnummer | f[øo]dselsnummer | henkil[öo]tunnus | hetu
      | cpr(?:-?nummer|-?nr)? | rodn[eé][ ][čc][ií]slo | cnp | egn | егн | oib
      | ppsn? (?=[ ]?[:\#n])
      | cpf | curp | aadhaar | sin (?=[ ]?[:\#]) | tfn | паспорт | инн | снилс )
    """,
    re.VERBOSE,
)
_LABELS = {"licence": "DRIVER_LICENSE", "ssn": "SSN", "identity": "NATIONAL_ID"}
_VALUE = re.compile(
    r"(?=(?:[A-Za-z \-/.]{0,5}[0-9]){4})[A-Za-z]{0,6}[ \-/]?[0-9]"
    r"(?:[A-Za-z0-9]|[\-/.+](?=[A-Za-z0-9])|[ ](?=[A-Z]{0,2}[0-9]|[A-Z](?![A-Za-z]))){3,24}"
    r"(?![A-Za-z0-9])"
)


def find_named_ids(plain: str, lower: str, here: Iterable[str]) -> Iterator[Span]:
    """Find numbers of identity, tax, social security, passports and driver licences."""
    for kind, start, sure in heads(_HEADS, lower, here):
        value = _VALUE.match(plain, start)
        if value:
            yield Span(*value.span(), _LABELS[kind], 0.9 if sure else 0.7, f"behind a word: {kind}")
