"""Bytes -> text -> JSON, once, at the door.

    bytes --decode--> str --parsed--> JSON values --records.read_record--> {name: scalar}
                       `------------> tables.read_table ----------------> Table

Nothing here knows what the task expects; `clean` compares and normalises.
"""

import json

from agent.core.errors import FieldError, NotTextError, SyntaxInputError, shown

MAX_DEPTH = 128  # of nested objects and lists
_MOST_INT_DIGITS = 20  # longer whole numbers are read as floats; int() would take square time
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def decode(data: bytes) -> str:
    """Read UTF-8, with or without a byte order mark.

    Raises:
        NotTextError: Not UTF-8, or a zero byte, which no text holds.
    """
    if data.startswith(_UTF_16):
        message = "The input is UTF-16, not UTF-8 (byte 0). Save it as UTF-8."
        raise NotTextError(message)
    zero = data.find(0)
    if zero >= 0:
        message = f"The input is binary: zero byte at offset {zero}. Send UTF-8 text."
        raise NotTextError(message)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # "utf-8-sig" counts from behind the mark.
        offset = error.start + len(data) - len(error.object)
        message = f"The input is not UTF-8: bad byte at offset {offset}. Save it as UTF-8."
        raise NotTextError(message) from None


def parsed(text: str) -> object:
    """Read JSON in which no object names a field twice.

    Raises:
        SyntaxInputError: Not JSON, or nested too deeply.
        FieldError: A field is given twice.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_whole)
    except json.JSONDecodeError as error:
        message = f"Invalid JSON at line {error.lineno}, column {error.colno}: {error.msg}."
        raise SyntaxInputError(message) from None
    except RecursionError:
        message = f"The JSON is nested too deeply. At most {MAX_DEPTH} levels are read."
        raise SyntaxInputError(message) from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) < len(pairs):
        names = [name for name, _ in pairs]
        place = next(n for n, name in enumerate(names) if name in names[:n])
        message = f"Field {shown(names[place], f'number {place + 1}')} is given twice. Keep one."
        raise FieldError(message)
    return result


def _whole(digits: str) -> float:
    return int(digits) if len(digits) <= _MOST_INT_DIGITS else float(digits)
