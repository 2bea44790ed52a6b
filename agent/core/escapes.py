r"""Characters as languages and formats write them: &lt; and %3C and \u003c are all <.

Reads one character at a time, so that a text that is still arriving can be read as far as it is.
"""

import re
from dataclasses import dataclass

LONGEST = 16  # characters of one escape: &amp;#x00003c;
_ESCAPE = re.compile(
    r"&(?:amp;)?(?:#x(?P<hex>[0-9a-f]{1,6})|#(?P<decimal>[0-9]{1,7})|(?P<word>[a-z]{2,8}));"
    r"|%(?P<url>[0-9a-f]{2})"
    r"|\\(?:u(?P<json>[0-9a-f]{4})|x(?P<byte>[0-9a-f]{2})|(?P<space>[nrt])|(?P<mark>[!-/:-@[-`{-~]))",
    re.ASCII | re.IGNORECASE,
)
_WORDS = {
    "lt": "<", "gt": ">", "lowbar": "_", "underbar": "_", "hyphen": "-", "nbsp": " ",
    "lsqb": "[", "lbrack": "[", "rsqb": "]", "rbrack": "]",
    "lcub": "{", "lbrace": "{", "rcub": "}", "rbrace": "}", "shy": "\u00ad",
}  # fmt: skip
_BASES = {"hex": 16, "url": 16, "json": 16, "byte": 16, "decimal": 10}
_UNICODE_END = 0x110000
# Of no width: they may stand between any two characters, seen by nobody.
INVISIBLE = frozenset(
    map(
        chr,
        (
            *(0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF),
            *range(0x200B, 0x2010),
            *range(0x202A, 0x202F),
            *range(0x2060, 0x2070),
            *range(0xFE00, 0xFE10),
        ),
    )
)
_SAME = {
    **dict.fromkeys("\u2039\u00ab\u2329\u27e8\u3008\uff1c", "<"),
    **dict.fromkeys("\u203a\u00bb\u232a\u27e9\u3009\uff1e", ">"),
    **dict.fromkeys("\u3010\uff3b", "["),
    **dict.fromkeys("\u3011\uff3d", "]"),
    **dict.fromkeys("\uff5b", "{"),
    **dict.fromkeys("\uff5d", "}"),
    **dict.fromkeys("\uff3f", "_"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d", "-"),
    **dict.fromkeys("\t\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000", " "),
    **dict.fromkeys("\r\u0085\u2028\u2029", "\n"),
}
OPENING = "".join(char for char, same in _SAME.items() if same in "<[{")


class UndecidedError(Exception):
    """The text ends before it can be told what stands there."""


@dataclass(slots=True)
class Cursor:
    """A place in a text.

    Args:
        text: What there is of it.
        at: The place.
        whole: No more of it will come.
    """

    text: str
    at: int
    whole: bool

    def peek(self) -> tuple[str, int]:
        """Tell the character that stands here, in ASCII if it has such a form, and its end.

        Empty at the end of the text.

        Raises:
            UndecidedError: More of the text must be known.
        """
        text, at, size = self.text, self.at, len(self.text)
        while at < size and text[at] in INVISIBLE:
            at += 1
        if at == size:
            if not self.whole:
                raise UndecidedError
            return "", at
        char = text[at]
        if char in "&%\\":
            if size - at < LONGEST and not self.whole:
                raise UndecidedError
            if escape := _ESCAPE.match(text, at):
                return _meant(escape), escape.end()
        return _SAME.get(char, char), at + 1

    def take(self, wanted: str, most: int = 1) -> str:
        """Step over characters that are wanted; return them.

        Raises:
            UndecidedError: More of the text must be known.
        """
        taken = ""
        while len(taken) < most:
            char, after = self.peek()
            if not char or char not in wanted:
                break
            taken, self.at = taken + char, after
        return taken


def _meant(escape: re.Match[str]) -> str:
    kind, written = escape.lastgroup or "", escape[escape.lastgroup or 0]
    if kind == "word":
        return _WORDS.get(written.lower(), "&")
    if kind == "space":
        return "\n" if written in "nr" else " "
    if kind == "mark":
        return written
    number = int(written, _BASES[kind])
    char = chr(number) if number < _UNICODE_END else "\ufffd"
    return _SAME.get(char, char)
