"""paho on guard, where a broker would take too long to show it: see tests/attacks for the rest."""

from paho.mqtt.enums import MQTTErrorCode

from broker.wire.client import UNREAD, GuardedClient

PINGRESP = 0xD0


def test_a_broker_that_reads_nothing_loses_us() -> None:
    told: list[str] = []
    client = GuardedClient("board-1", max_packet_bytes=1024, breached=told.append)
    client._in_packet |= {"command": PINGRESP, "packet": bytearray()}
    for mid in range(65_536):
        client.ack(mid, 1)

    code = client._packet_handle()

    assert code == MQTTErrorCode.MQTT_ERR_PROTOCOL
    assert told == [UNREAD]
