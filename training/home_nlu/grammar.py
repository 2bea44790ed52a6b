"""The GBNF grammars: exactly the JSON of a domain's frames, whatever the model would write."""

from collections.abc import Iterable

_TEMPLATE = r"""# {domain}: {{"intent": "...", "slots": {{"...": "...", "...": ["...", "..."]}}}}
root ::= "{{\"intent\": \"" intent "\", \"slots\": {{" (slot (", " slot)*)? "}}}}"
slot ::= "\"" name "\": " (text | "[" text (", " text)+ "]")
text ::= "\"" character+ "\""
character ::= [^"\\\x00-\x1F\x7F] | "\\" ["\\/bfnrt]
intent ::= {intents}
name ::= {slots}
"""


def grammar(domain: str, *, intents: Iterable[str], slots: Iterable[str]) -> str:
    """Write the grammar that admits a domain's intents and slots, and any text as a value."""
    return _TEMPLATE.format(domain=domain, intents=_any_of(intents), slots=_any_of(slots))


def _any_of(names: Iterable[str]) -> str:
    return " | ".join(f'"{name}"' for name in sorted(set(names)))
