"""Records and windows, from the device to the cloud and back."""

import json
import struct
from dataclasses import replace

from agent.core.clean import Expectation
from agent.core.phrases import phrases
from agent.core.policy import FieldRule, MaskRules, Treatment
from agent.stages import Origin
from broker.wire.payload import PayloadKind, Record, Text, Window
from tests.simulator import CloudSimulator
from tests.unit.agent.device import Device
from tests.unit.agent.exchange import heard


class TestRecordsAndWindows:
    RULES = MaskRules(
        {"speed": FieldRule.KEEP, "note": FieldRule.KEEP, "driver": FieldRule.PSEUDONYMIZE}
    )
    RECORD = b'{"speed": 7, "note": "call bob@example.org", "driver": "Bob", "home": "Elm St 1"}'
    WINDOW = b"# rate_hz: 2\nx,y\n1,2\n3,4\n"

    def test_of_a_record_only_what_the_rules_name_leaves_the_device(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        expect = Expectation(PayloadKind.RECORD)
        device.with_task(replace(device.task, expect=expect, rules=self.RULES))
        payloads = heard(cloud)

        device.carry(cloud, device.escalate(self.RECORD))

        masked: dict[str, float | str] = {
            "speed": 7.0,
            "note": "call <EMAIL_1>",
            "driver": "<DRIVER_1>",
        }
        assert payloads == [Record(masked)]
        [delivery] = device.delivered
        assert delivery.origin is Origin.CLOUD
        assert json.loads(delivery.answer) == {
            "speed": 7.0,
            "note": "call bob@example.org",
            "driver": "Bob",
        }
        assert delivery.flags == ("dropped: home",)

    def test_nested_fields_are_treated_by_their_paths(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        rules = MaskRules({"car": FieldRule.KEEP, "*.owner": FieldRule.DROP})
        device.with_task(replace(device.task, expect=Expectation(PayloadKind.RECORD), rules=rules))
        payloads = heard(cloud)
        nested = b'{"car": {"speeds": [7, 8], "owner": {"name": "Bob"}}, "home": ["Elm St 1"]}'

        device.carry(cloud, device.escalate(nested))

        assert payloads == [Record({"car.speeds.0": 7.0, "car.speeds.1": 8.0})]
        [delivery] = device.delivered
        assert delivery.flags == ("dropped: car.owner.name, home.0",)

    def test_a_window_travels_as_it_is(self, device: Device, cloud: CloudSimulator) -> None:
        device.with_task(replace(device.task, expect=Expectation(PayloadKind.WINDOW)))
        payloads = heard(cloud)

        device.carry(cloud, device.escalate(self.WINDOW))

        assert payloads == [Window(struct.pack("<4f", 1, 2, 3, 4), ("x", "y"), 2.0)]
        [delivery] = device.delivered
        assert delivery.origin is Origin.CLOUD


def test_of_a_text_only_what_the_policy_says_leaves_the_device(
    device: Device, cloud: CloudSimulator
) -> None:
    types = {"EMAIL": Treatment.DROP, "DATE": Treatment.GENERALIZE}
    rules = MaskRules(types=types, deny=phrases(["blue falcon"]))
    device.with_task(replace(device.task, rules=rules))
    payloads = heard(cloud)

    device.carry(cloud, device.escalate("Blue Falcon of 12 March 1980, by bob@example.org"))

    assert payloads == [Text("<DENIED_1> of March 1980, by <REMOVED>")]
    [delivery] = device.delivered
    assert delivery.answer == "Blue Falcon of March 1980, by <REMOVED>"
    assert delivery.flags == (
        "dropped before the model saw it, not restored: 1",
        "generalized before the model saw it, not restored: 1",
    )
