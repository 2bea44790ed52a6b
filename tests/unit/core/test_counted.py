"""What masking did, counted by type: nothing that stood in the input is part of a name."""

from agent.core.counted import counted
from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules, Treatment
from agent.stages import Clean
from broker.wire.payload import Record, Text


def test_every_span_counts_by_its_type() -> None:
    result = mask(Clean(Text("a@b.com, a@b.com at 10.0.0.1")), MaskRules(), find)

    assert list(counted(result)) == ["masked_EMAIL", "masked_EMAIL", "masked_IP"]


def test_what_the_policy_does_counts_by_its_name() -> None:
    types = {"EMAIL": Treatment.KEEP, "IP": Treatment.DROP}

    result = mask(Clean(Text("a@b.com at 10.0.0.1")), MaskRules(types=types), find)

    assert list(counted(result)) == ["dropped_IP", "kept_EMAIL"]


def test_a_fields_name_is_not_told() -> None:
    rules = MaskRules({"bob's age": FieldRule.PSEUDONYMIZE}, default=FieldRule.DROP)

    result = mask(Clean(Record({"bob's age": 7.0, "anna": "x"})), rules, find)

    assert list(counted(result)) == ["masked_FIELD", "dropped_FIELD"]
