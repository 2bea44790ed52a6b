"""Asks a finder for its spans, and lets nothing pass that it did not answer for.

A finder that fails, whatever its error is, has not looked: the caller must not go on.
"""

from agent.core.errors import FinderError
from agent.stages import FindSpans, Span


def found(find: FindSpans, text: str) -> list[Span]:
    """Ask a finder; its spans in reading order.

    Raises:
        FinderError: it failed, or its spans overlap or lie outside of the text.
    """
    try:
        spans = sorted(find(text), key=lambda span: span.start)
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing may leave
        # Without its message and its cause, which may quote the text.
        message = f"Personal data could not be looked for: {type(error).__name__}. Nothing left."
        raise FinderError(message) from None
    end = 0
    for span in spans:
        if not end <= span.start < span.end <= len(text):
            message = f"The finder's spans overlap or lie outside: {span.label}, {span.rule}."
            raise FinderError(message)
        end = span.end
    return spans
