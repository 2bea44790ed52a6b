"""Records and windows, from the device to the cloud and back."""

import json
import struct
from dataclasses import replace

from agent.core.clean import Expectation
from agent.core.mask import FieldRule, MaskRules
from agent.stages import Origin
from broker.wire.payload import PayloadKind, Record, Window
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

    def test_a_window_travels_as_it_is(self, device: Device, cloud: CloudSimulator) -> None:
        device.with_task(replace(device.task, expect=Expectation(PayloadKind.WINDOW)))
        payloads = heard(cloud)

        device.carry(cloud, device.escalate(self.WINDOW))

        assert payloads == [Window(struct.pack("<4f", 1, 2, 3, 4), ("x", "y"), 2.0)]
        [delivery] = device.delivered
        assert delivery.origin is Origin.CLOUD
