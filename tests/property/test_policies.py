"""Whatever a policy says: what is denied, dropped or masked is not in what leaves."""

from hypothesis import given
from hypothesis import strategies as st

from agent.core.find import find
from agent.core.mask import mask
from agent.core.phrases import phrases
from agent.core.policy import Fate, MaskRules, Treatment
from agent.core.restore import restore
from agent.stages import Clean
from broker.wire.payload import Text

PERSONAL = {
    "EMAIL": "john@example.com",
    "CARD": "4111 1111 1111 1111",
    "IP": "192.0.2.1",
    "DATE": "12 March 1980",
}
GONE = (Treatment.MASK, Treatment.DROP)
VALUES = [*PERSONAL.values(), "blue falcon"]
WORDS = st.sampled_from([*VALUES, "Blue  Falcon", "falcon", "blue", "mail", "<EMAIL_1>", "(", "é"])
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)
TREATMENTS = st.dictionaries(st.sampled_from(list(PERSONAL)), st.sampled_from(list(Treatment)))
LISTS = st.lists(st.sampled_from([*VALUES, "falcon", "john"]), max_size=3)


@given(TEXTS, TREATMENTS, LISTS, LISTS)
def test_what_leaves_follows_from_the_policy(
    text: str, types: dict[str, Treatment], allow: list[str], deny: list[str]
) -> None:
    rules = MaskRules(types=types, allow=phrases(allow), deny=phrases(deny))

    result = mask(Clean(Text(text)), rules, find)

    payload = result.masked.payload
    assert isinstance(payload, Text)
    assert not list(rules.deny.places(payload.text))
    for label, value in PERSONAL.items():
        if types.get(label, Treatment.MASK) in GONE and value not in allow:
            assert value not in payload.text
    if all(each.fate is Fate.MASKED for each in result.maskings):
        assert restore(payload.text, result.vault).text == text
