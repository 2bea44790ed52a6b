from collections.abc import Sequence

import pytest

from agent.core.errors import FinderError
from agent.core.find import find
from agent.core.mask import Masking, mask
from agent.core.policy import FieldRule, MaskRules
from agent.core.restore import Restored, restore
from agent.stages import Clean, Masked, Span, Vault
from broker.wire.payload import Payload, Record, Text, Window

NO_RULES = MaskRules()


def masked_text(text: str) -> str:
    payload = mask(Clean(Text(text)), NO_RULES, find).masked.payload
    assert isinstance(payload, Text)
    return payload.text


def masked_fields(fields: dict[str, float | str], rules: MaskRules) -> dict[str, float | str]:
    payload = mask(Clean(Record(fields)), rules, find).masked.payload
    assert isinstance(payload, Record)
    return dict(payload.fields)


def test_same_value_gets_the_same_placeholder_and_another_value_another() -> None:
    result = mask(Clean(Text("a@b.com to c@d.com, then a@b.com at 10.0.0.1")), NO_RULES, find)

    assert result.masked == Masked(Text("<EMAIL_1> to <EMAIL_2>, then <EMAIL_1> at <IP_1>"))
    assert result.vault == Vault(
        {"<EMAIL_1>": "a@b.com", "<EMAIL_2>": "c@d.com", "<IP_1>": "10.0.0.1"}
    )


def test_each_replacement_is_explained_without_its_original() -> None:
    result = mask(Clean(Text("a@b.com, a@b.com, (030) 1234567")), NO_RULES, find)

    assert result.maskings == (
        Masking("EMAIL", "at sign", 1.0, "<EMAIL_1>"),
        Masking("EMAIL", "at sign", 1.0, "<EMAIL_1>"),
        Masking("PHONE", "area code", 0.9, "<PHONE_1>"),
    )


@pytest.mark.parametrize("look_alike", ["<EMAIL_1>", "<email_1>", "<Email_1>"])
def test_placeholder_that_the_text_holds_is_never_given(look_alike: str) -> None:
    text = f"{look_alike} is not a@b.com"
    result = mask(Clean(Text(text)), NO_RULES, find)

    assert result.masked == Masked(Text(f"{look_alike} is not <EMAIL_2>"))
    assert restore(f"{look_alike} <EMAIL_2>", result.vault).text == f"{look_alike} a@b.com"


def test_placeholder_that_another_field_holds_is_never_given() -> None:
    rules = MaskRules(default=FieldRule.KEEP)

    assert masked_fields({"a": "a@b.com", "b": "<EMAIL_1>", "<email_2>": 1.0}, rules) == {
        "a": "<EMAIL_3>",
        "b": "<EMAIL_1>",
        "<email_2>": 1.0,
    }


def test_long_s_is_no_look_alike_of_s() -> None:
    result = mask(Clean(Text("<ADDRE\u017f\u017f_1> 10.0.0.1")), NO_RULES, find)

    assert restore("<\u017f_1>", Vault({"<S_1>": "x"})).text == "<\u017f_1>"
    assert result.masked == Masked(Text("<ADDRE\u017f\u017f_1> <IP_1>"))


def test_field_that_no_rule_names_is_dropped_and_reported() -> None:
    result = mask(Clean(Record({"speed": 1.5, "owner": "John"})), NO_RULES, find)

    assert result.masked == Masked(Record({}))
    assert result.dropped == ("speed", "owner")
    assert result.vault == Vault({})


def test_fields_are_kept_dropped_and_pseudonymized() -> None:
    rules = MaskRules(
        {
            "speed": FieldRule.KEEP,
            "note": FieldRule.KEEP,
            "engine id": FieldRule.PSEUDONYMIZE,
            "owner": FieldRule.DROP,
        }
    )
    result = mask(
        Clean(Record({"speed": 1.5, "note": "ask a@b.com", "engine id": 7.0, "owner": "John"})),
        rules,
        find,
    )

    assert result.masked == Masked(
        Record({"speed": 1.5, "note": "ask <EMAIL_1>", "engine id": "<ENGINE_ID_1>"})
    )
    assert result.vault == Vault({"<EMAIL_1>": "a@b.com", "<ENGINE_ID_1>": "7"})
    assert result.dropped == ("owner",)
    assert result.maskings == (
        Masking("EMAIL", "at sign", 1.0, "<EMAIL_1>", "note"),
        Masking("ENGINE_ID", "field rule", 1.0, "<ENGINE_ID_1>", "engine id"),
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [(7.0, "7"), (-0.5, "-0.5"), (1e300, str(int(1e300))), ("x", "x"), ("", "")],
)
def test_pseudonymized_value_is_restored_as_people_write_it(
    value: float | str, written: str
) -> None:
    rules = MaskRules(default=FieldRule.PSEUDONYMIZE)
    result = mask(Clean(Record({"id": value})), rules, find)

    assert restore("it was <ID_1>", result.vault).text == f"it was {written}"


@pytest.mark.parametrize(
    ("name", "placeholder"),
    [
        ("engine-id", "<ENGINE_ID_1>"),
        ("2nd", "<FIELD_2ND_1>"),
        ("名", "<FIELD_1>"),
        ("x" * 99, f"<{'X' * 32}_1>"),
        ("a@b.com", "<FIELD_1>"),
    ],
)
def test_label_of_a_field_is_safe(name: str, placeholder: str) -> None:
    fields = masked_fields({name: "secret"}, MaskRules(default=FieldRule.PSEUDONYMIZE))

    assert list(fields.values()) == [placeholder]


def test_personal_name_of_a_field_does_not_leave() -> None:
    fields: dict[str, float | str] = {"a@b.com": 1.0, "c@d.com": "10.0.0.1"}
    kept = mask(Clean(Record(fields)), MaskRules(default=FieldRule.KEEP), find)
    dropped = mask(Clean(Record(fields)), NO_RULES, find)

    assert kept.masked == Masked(Record({"<EMAIL_1>": 1.0, "<EMAIL_2>": "<IP_1>"}))
    assert [masking.field for masking in kept.maskings] == ["field 1", "field 2", "field 2"]
    assert dropped.dropped == ("field 1", "field 2")


def test_window_passes_but_for_personal_names_of_channels() -> None:
    window = Window(b"\0" * 8, ("fan speed", "a@b.com"), 2.0)
    result = mask(Clean(window), NO_RULES, find)

    assert result.masked == Masked(Window(b"\0" * 8, ("fan speed", "<EMAIL_1>"), 2.0))
    assert result.maskings == (Masking("EMAIL", "at sign", 1.0, "<EMAIL_1>", "channel 2"),)


@pytest.mark.parametrize(
    "spans",
    [
        (Span(0, 3, "A"), Span(2, 4, "A")),
        (Span(-1, 3, "A"),),
        (Span(0, 9, "A"),),
        (Span(2, 2, "A"),),
        (Span(3, 2, "A"),),
    ],
)
def test_impossible_spans_stop_everything(spans: Sequence[Span]) -> None:
    with pytest.raises(FinderError):
        mask(Clean(Text("secret")), NO_RULES, lambda _: spans)


@pytest.mark.parametrize("payload", [Text("x"), Record({"a": "x"}), Window(b"\0" * 4, ("x",), 1.0)])
def test_finder_that_fails_stops_everything(payload: Payload) -> None:
    def broken(_: str) -> Sequence[Span]:
        raise RecursionError

    with pytest.raises(FinderError, match="RecursionError"):
        mask(Clean(payload), MaskRules(default=FieldRule.KEEP), broken)


def test_spans_may_come_in_any_order() -> None:
    spans = (Span(3, 4, "B"), Span(0, 1, "A"))

    assert mask(Clean(Text("abcd")), NO_RULES, lambda _: spans).masked == Masked(
        Text("<A_1>bc<B_1>")
    )


def test_glued_pieces_make_no_placeholder() -> None:
    assert masked_text("<EMAIL_10.0.0.1>") == "<EMAIL_<IP_1>>"


def test_restored_text_is_never_searched() -> None:
    vault = Vault({"<A_1>": "<B_1>", "<B_1>": "<A_1>"})

    assert restore("<A_1><B_1>", vault) == Restored("<B_1><A_1>", 2, 0)


def test_placeholder_is_restored_in_any_case_and_unknown_ones_are_counted() -> None:
    vault = Vault({"<EMAIL_1>": r"a\1@b.com"})

    assert restore("Ask <email_1>, <Email_1> or <EMAIL_12>.", vault) == Restored(
        r"Ask a\1@b.com, a\1@b.com or <EMAIL_12>.", 2, 1
    )


def test_text_without_placeholders_is_restored_to_itself() -> None:
    assert restore("a < b_1 > c", Vault({})) == Restored("a < b_1 > c", 0, 0)


def test_originals_are_never_printed() -> None:
    result = mask(Clean(Text("call a@b.com")), NO_RULES, find)

    assert "a@b.com" not in repr(result)
    assert "a@b.com" not in repr(restore("<EMAIL_1>", result.vault))
