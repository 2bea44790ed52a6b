"""What the pure steps refuse, and why.

    InputError                 the input cannot be used: move it aside, tell its sender
    |-- EmptyInputError        nothing in it
    |-- TooLargeError          more bytes than the task takes
    |-- NotTextError           binary, or not UTF-8
    |-- SyntaxInputError       not the JSON or CSV that it should be
    |-- FieldError             a record's field that cannot be used
    |-- ImageError             an image that cannot be cleaned, or is damaged
    `-- WindowError
        |-- ChannelsError      other channels than the task expects, or ragged rows
        |-- RateError          another sampling rate, or none
        |-- LengthError        too few or too many samples
        `-- SampleError        a sample that is no finite float32
    FinderError                a finder failed, or its spans are impossible: nothing may leave

Every message says what happened, where, and what to do. None repeats the content, which may
be personal: not a value, and a name only if it looks like a name (`shown`). For the same
reason these errors are raised `from None`: the errors below them quote what they could not
read.
"""

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./%-]{0,31}", re.ASCII)
_MOST_DIGITS = 5  # more than that may be a number of somebody


class InputError(Exception):
    """The input cannot be used; the message tells its sender why."""


class EmptyInputError(InputError):
    """Nothing in it."""


class TooLargeError(InputError):
    """More bytes than the task takes."""


class NotTextError(InputError):
    """Binary, or text that is not UTF-8."""


class SyntaxInputError(InputError):
    """Not the JSON or CSV that it should be."""


class FieldError(InputError):
    """A record's field that cannot be used."""


class ImageError(InputError):
    """An image that cannot be cleaned, or is damaged."""


class WindowError(InputError):
    """A window that does not fit the task."""


class ChannelsError(WindowError):
    """Other channels than the task expects, or rows of different lengths."""


class RateError(WindowError):
    """Another sampling rate than the task expects, or none."""


class LengthError(WindowError):
    """Too few or too many samples."""


class SampleError(WindowError):
    """A sample that is no finite float32."""


class FinderError(Exception):
    """A finder failed, or returned spans that overlap or lie outside of the text."""


def shown(name: str, otherwise: str) -> str:
    """Give a name that a message may repeat, or another word for what may be content."""
    digits = sum(character.isdigit() for character in name)
    if _NAME.fullmatch(name) and digits <= _MOST_DIGITS:
        return f"'{name}'"
    return otherwise
