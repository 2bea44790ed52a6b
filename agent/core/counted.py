"""What masking did, as names to count: how often a type of personal data met which fate."""

from collections.abc import Iterator

from agent.core.mask import BY_NAME, MaskResult

_FIELD = "FIELD"  # a field's own name is content


def counted(result: MaskResult) -> Iterator[str]:
    """Name each event once: masked_EMAIL, kept_TIME, dropped_FIELD."""
    for each in (*result.maskings, *result.kept):
        yield f"{each.fate}_{_FIELD if each.rule == BY_NAME else each.label}"
    for _ in result.dropped:
        yield f"dropped_{_FIELD}"
