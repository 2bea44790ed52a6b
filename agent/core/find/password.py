"""Secrets behind a word: passwords, codes, keys and tokens without a shape of their own.

    password=hunter2   "api_key": "c0ffee..."   my pin is 4711   Authorization: Bearer ...

Behind a word for passwords, anything may be one; behind "token" or "key", only what looks
random is.
"""

import re
from collections.abc import Iterator

from agent.core.find.behind import places
from agent.core.find.words import words
from agent.stages import Span

_STEMS = (  # how the words below begin
    *("pass", "pwd", "psk", "mdp", "kennwort", "senha", "contrase", "clave", "wachtwoord", "losen"),
    *(
        "l\u00f6sen",
        "salas",
        "parola",
        "adgang",
        "heslo",
        "pin",
        "puk",
        "cv",
        "otp",
        "code",
        "token",
    ),
    *("secret", "key", "credential", "sess", "sig", "bearer", "basic"),
)
_HEAD = re.compile(
    r"""
    (?: (?P<password> pass(?:wo?r?d|wort|code|phrase|ord|e)?s? | pwd | psk | mdp | kennwort | senha
          | contrase(?:\u00f1|n)a | clave(?:[ ]de[ ]acceso)? | wachtwoord | l(?:\u00f6|o)senord
          | salasana | parola[ ]d'ordine | adgangskode | heslo )
      | (?P<code> pin(?:[ -]?(?:code|number|nummer))? | puk | cv[vc]2? | otp | code )
      | (?P<key> token | secret | key(?:[ _-]?id)? | credentials? | sess(?:ion)?[ _-]?id
          | sig(?:nature)? | bearer | basic )
    ) (?![a-z])
    """,
    re.VERBOSE,
)
# Heads that are words of their own, not the end of another: a pin, but no chopin.
_ALONE = re.compile(r"(?:pass|passes?|psk|mdp|clave|senha|heslo|pin.*|puk|cv.*|otp|sig)$")
_WHICH = {  # heads that need a word before them
    "key": re.compile(
        r"(?:api|access|private|secret|encryption|signing|master|licen[cs]e|product|recovery|account"
        r"|shared|auth|app|nwk|session|storage|device|network|wi-?fi|wpa[23]?|[a-z][_-])"
        r"[ _-]?s?[ _-]?$"
    ),
    "code": re.compile(
        r"(?:security|one[ -]time|verification|confirmation|2fa|access|door|alarm|gate|unlock"
        r"|entry)"
        r"[ _-]$"
    ),
    "passe": re.compile(r"mot[ ]de[ ]$"),
    "basic": re.compile(r"authorization[\"']?:[ ]?[\"']?$"),
    "bearer": re.compile(r"(?<![a-z])$"),
}
_WHICH_CHARS = 24  # the longest of them
_WHOSE = r"(?:[ ](?:for|of|f\u00fcr|pour|para)[ ][\w.@\-]{1,40}(?:[ ][\w.@\-]{1,40})?)?"
_SIGN = re.compile(rf"{_WHOSE}[\"'\\ \]]{{0,4}}(?:=>|:=|[:=>])[ \t]{{0,4}}\\?")
_VERB = re.compile(
    rf"{_WHOSE}[ ](?:(?:is|was|to|ist|lautet|war|est|es|\u00e8|er|\u00e4r)(?:[ ]now)?[ ]|:[ ]?)",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[ ]{1,2}")
_QUOTED = re.compile(r"\"[^\"\n]{1,256}\"|'[^'\n]{1,256}'")
# Ends at white space, at a quote, or where the next "name=" of a list begins.
_BARE = re.compile(r"(?:(?![,;|&][ ]?[\w\-]{1,32}[\"']?[ ]?[:=])[^\s\"'<>]){1,512}")
_PHRASE = re.compile(r"[^\n\"',;.<>]{1,100}")
_DIGITS = re.compile(r"[0-9]{3,8}(?![0-9A-Za-z.,:]?[0-9A-Za-z])")
_RUN = re.compile(r"[A-Za-z0-9+/=_\-.~%$!*]{8,4096}")
_SEED = re.compile(
    r"(?:seed|recovery|mnemonic|backup)(?:[ ](?:phrase|words?|seed))?[^\n]{0,20}?[:=\"][ \n]{0,2}"
    r"(?P<words>[a-z]{3,8}(?:[ \n][a-z]{3,8}){11,23})(?![a-z])",
    re.IGNORECASE,
)
_WIFI = re.compile(r"WIFI:[^\n]{0,128}?[;:]P:((?:\\.|[^;\n\\]){1,128})", re.IGNORECASE)
_TOO_SHORT = 4  # of a password behind "is"
_LONG = 16
_DISTINCT = 4
_STARTS_NOT = ("$", "<", "*", "%", "{", "[", "(", "/", "...", "0x")
_NO_PASSWORD = words(
    "a all also always an and any as at authentication auth bad been being but by can case changed"
    " correct default disabled empty enabled encrypted error expired expires failed failure fine"
    " for from given going good has hashed here if in incorrect invalid it known later less long"
    " longer lost mandatory manager missing my needed never no none not now null of ok old on only"
    " optional or please policy prompt protected protection quite really required reset reset."
    " rotated safe same secure set short should so still stored strong that the there this to too"
    " true false undefined unknown unset until updated used user username valid very weak what"
    " when which will with without wrong yes you your file"
)


def find_passwords(plain: str, lower: str) -> Iterator[Span]:
    """Find passwords, codes, keys and seed phrases by the word before them."""
    done = 0
    for at in places(lower, _STEMS):
        head = _HEAD.match(lower, at) if at >= done else None
        if head and _is_meant(lower, head) and (span := _behind(plain, head)):
            done = span.end
            yield span
    for match in _SEED.finditer(lower) if "seed" in lower or "phrase" in lower else ():
        yield Span(*match.span("words"), "SECRET", 0.9, "seed phrase")
    for match in _WIFI.finditer(plain) if "wifi:" in lower else ():
        yield Span(*match.span(1), "SECRET", 1.0, "Wi-Fi code")


def _is_meant(lower: str, head: re.Match[str]) -> bool:
    start = head.start()
    if _ALONE.match(head[0]) and lower[start - 1 : start].isalpha():
        return False
    which = _WHICH.get(head[0][:6].split(" ")[0].split("_")[0].split("-")[0])
    return which is None or bool(which.search(lower[max(0, start - _WHICH_CHARS) : start]))


def _behind(plain: str, head: re.Match[str]) -> Span | None:
    match head.lastgroup:
        case "password":
            value = _password(plain, head)
        case "code":
            value = _code(plain, head)
        case _:
            value = _key(plain, head)
    if value is None:
        return None
    score = 0.9 if plain[value[0] - 1] in "=:\"'" else 0.7
    return Span(*value, "SECRET", score, f"behind a word for a {head.lastgroup}")


def _password(plain: str, word: re.Match[str]) -> tuple[int, int] | None:
    sign = _SIGN.match(plain, word.end())
    spoken = None if sign else _VERB.match(plain, word.end())
    if not sign and not spoken and plain[: word.start()].endswith("--"):  # --password hunter2
        spoken = _SPACE.match(plain, word.end())
    gap = sign or spoken
    if not gap:
        return None
    if quoted := _QUOTED.match(plain, gap.end()):
        inside = quoted[0][1:-1].rstrip("\\")  # of a quote inside JSON's own quotes
        return (quoted.start() + 1, quoted.start() + 1 + len(inside)) if inside else None
    phrase = sign and word[0].lower().endswith("phrase")
    value = (_PHRASE if phrase else _BARE).match(plain, gap.end())
    if not value:
        return None
    written = value[0].rstrip(".,;:)]}|\\ ")
    if written.lower() in _NO_PASSWORD or written.startswith(_STARTS_NOT):
        return None
    if len(written) < (_TOO_SHORT if spoken else 1):
        return None
    return value.start(), value.start() + len(written)


def _code(plain: str, word: re.Match[str]) -> tuple[int, int] | None:
    gap = (
        _SIGN.match(plain, word.end())
        or _VERB.match(plain, word.end())
        or _SPACE.match(plain, word.end())
    )
    if not gap:
        return None
    start = gap.end() + (plain[gap.end() : gap.end() + 1] in ('"', "'"))
    digits = _DIGITS.match(plain, start)
    return digits.span() if digits else None


def _key(plain: str, head: re.Match[str]) -> tuple[int, int] | None:
    sign = _SIGN.match(plain, head.end()) or _VERB.match(plain, head.end())
    gap = sign or _SPACE.match(plain, head.end())
    if not gap:
        return None
    start = gap.end() + (plain[gap.end() : gap.end() + 1] in ('"', "'"))
    value = _RUN.match(plain, start)
    if not value:
        return None
    written = value[0].rstrip(".")
    scheme = head[0] in ("basic", "bearer")  # of an HTTP header, where no sign stands
    if not sign and not scheme and len(written) < _LONG:
        return None
    if not _looks_random(written) and head[0] != "basic":
        return None
    return start, start + len(written)


def _looks_random(written: str) -> bool:
    """Tell a key from a word, a path, a pointer and a plain number."""
    if written.startswith(_STARTS_NOT) or (written.count("/") > 1 and "." in written):
        return False
    digits = sum(c.isdigit() for c in written)
    letters = sum(c.isalpha() for c in written)
    return digits > 0 and letters > 0 and len(set(written)) > _DISTINCT
