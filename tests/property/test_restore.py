"""An answer that comes in pieces is restored as the whole one is."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.core.restore import Restored, Restorer, restore
from agent.stages import Vault

VAULT = Vault(
    {"<A_1>": "one", "<A_2>": "<A_1>", "<B_C_1>": 'say "hi"', "<A_B_11>": "\\1", "<A_1_1>": ""}
)
WORDS = st.sampled_from(
    [
        *"<>[]{}(AaBCb_- \n12x*/\\\u00e9\u200b\u2011",
        *("&lt;", "&gt;", "&amp;", "%3C", "%3e", "\\_", "\\u003c"),
        *("<A_1>", "A_1", "a_2", "B C 1", "<B_C_1>", "[A B 11]", "A_B_11", "<A_9>"),
    ]
)
ANSWERS = st.lists(WORDS, max_size=12).map("".join)


@given(ANSWERS, st.data())
def test_pieces_give_what_the_whole_gives(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    restorer = Restorer(VAULT)

    ends = [0, *cuts, len(answer)]
    told = [restorer.feed(answer[i:j]) for i, j in pairwise(ends)]
    told.append(restorer.finish())

    whole = restore(answer, VAULT)
    assert Restored("".join(told), restorer.restored, restorer.unknown) == whole


@given(ANSWERS)
def test_characters_one_by_one_give_what_the_whole_gives(answer: str) -> None:
    restorer = Restorer(VAULT)

    told = "".join(map(restorer.feed, answer)) + restorer.finish()

    assert told == restore(answer, VAULT).text


@given(ANSWERS)
def test_an_empty_vault_changes_nothing(answer: str) -> None:
    assert restore(answer, Vault({})).text == answer
