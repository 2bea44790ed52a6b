"""What follows a street: units, then a place that ends in its postcode, or begins with it."""

import re

LETTERS = r"[^\W\d_](?:[^\W_]|['\u2019.\-](?=[^\W_]))*\.?"  # a word, with its dot
_UNIT = re.compile(
    r"[,.]?[ ]?\n?[ ]{0,2}(?:(?:suite|ste|apt|apartment|unit|flat|floor|fl|room|rm|bldg|building"
    r"|lot|whg|wohnung|app|appt|appartement|piso|interno|int|lgh|etage)\b\.?"
    r"[ ]{0,2}#?[ ]?[0-9][0-9a-z\-]{0,6}"
    r"|#[ ]?[0-9]{1,5}[a-z]?)(?![0-9a-z])",
    re.IGNORECASE,
)
_PLACE = rf"(?:(?=[^\Wa-z\d_]|[a-z]{{2,3}}[ ,\n]){LETTERS}|\({LETTERS}\))"
TAIL = re.compile(  # , Springfield, IL 62704
    rf"(?:[ ]?[,\n]?[ ]?[,\n]?[ ]{{1,2}}{_PLACE}|\n{_PLACE}){{1,8}}?[ ,\n]{{1,4}}"
    r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]?[ ][0-9][A-Z]{2}"
    r"|[A-Z][0-9][A-Z][ ][0-9][A-Z][0-9])(?![0-9A-Za-z]|[.:\-][0-9])"
)
_LOW_TAIL = re.compile(
    rf"(?:[ ]?[,\n]?[ ]?[,\n]?[ ]{{1,2}}{LETTERS}|\n{LETTERS}){{1,4}}?"
    r"[ ,\n]{1,4}[0-9]{5}(?![\w])"
)
_POST_FIRST = re.compile(  # , 10115 Berlin
    rf"(?:,[ ]|[ ]?\n[ ]?)(?:[A-Z]{{1,2}}-)?(?:[0-9]{{4}}[ ][A-Z]{{2}}"
    rf"|[0-9]{{3}}[ ][0-9]{{2}}|[0-9]{{2}}-[0-9]{{3}}"
    rf"|[0-9]{{4,5}})[ ](?=[^\Wa-z\d_]){LETTERS}(?:[ ](?=[^\Wa-z\d_]){LETTERS}){{0,2}}"
)
# Behind a unit, words with a capital: on its line, or on lines that are set in.
_NAMES = re.compile(
    rf"(?:(?:[ ]?,)?(?:[ ]|[ ]?\n[ ]{{1,4}})(?=[^\Wa-z\d_]|nan\b|\()"
    rf"(?:{LETTERS}|\({LETTERS}\))(?![ ]?:)){{1,6}}"
)


def extended(plain: str, end: int) -> tuple[int, float]:
    """Give the end of the units, the place and the postcode that follow, and a score for them."""
    score = 0.0
    for _ in range(3):
        unit = _UNIT.match(plain, end)
        if not unit:
            break
        end, score = unit.end(), 0.9
    tail = _POST_FIRST.match(plain, end) or TAIL.match(plain, end)
    if not tail and score and plain.islower():
        tail = _LOW_TAIL.match(plain, end)
    if tail:
        return tail.end(), 0.95
    names = _NAMES.match(plain, end) if score else None
    return (names.end() - (names[0][-1] == ".") if names else end), score
