"""A question to the tokens of a prompt. What stands in the question is never a special token.

head.prompt --chat template, once--> (before, after)
before + question + after --> tokens
"""

from dataclasses import dataclass

from broker.package.errors import ManifestError
from broker.package.gguf import Weights
from broker.package.heads import TextHead

_PLACE = "{text}"
_MARK = "\ue000question\ue000"  # private use: no template has a meaning for it


@dataclass(frozen=True, slots=True)
class Prompt:
    """What comes before and after a question, in tokens."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def around(self, weights: Weights, question: str) -> list[int]:
        """Put a question in."""
        first = not self.before
        asked = weights.tokens(question, begin=first, special=False)
        return [*self.before, *asked, *self.after]


def prompt_of(head: TextHead, weights: Weights) -> Prompt:
    """Prepare the prompt of a head.

    Raises:
        ManifestError: the chat template is missing, or loses the question.
    """
    whole = head.prompt.replace(_PLACE, _MARK)
    if head.chat:
        whole = weights.chat(whole, head.system)
    before, mark, after = whole.partition(_MARK)
    if not mark or _MARK in after:
        raise ManifestError(f"{weights.path}: its chat template does not hold the question once")
    begin = bool(before) and not head.chat  # a chat template writes its own beginning
    return Prompt(
        tuple(weights.tokens(before, begin=begin, special=True)) if before else (),
        tuple(weights.tokens(after, begin=False, special=True)) if after else (),
    )
